"""The command `hub` as somebody types it, against the whole hub in memory, through a network that can fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from gitlab_hub.web.principal import Principal
from hub_cli.app import app
from hub_cli.invocation import World
from tests.fakes.events import Context, http_event
from tests.functional.api.api_hub import ApiHub
from tests.functional.console.console_hub import OWNER_TOKEN

URL = "https://hub.example.com"
Fault = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command told, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        """Whatever anybody could read."""
        return self.out + self.err


@dataclass
class Network:
    """The way to the hub: each fault stands in for one answer, the requests are kept."""

    hub: ApiHub
    faults: list[Fault] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, unless there is a fault."""
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                if isinstance(fault, httpx.RequestError):
                    fault.request = request
                raise fault
            return fault if isinstance(fault, httpx.Response) else fault(request)
        try:
            return self.answer(request)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            # The command would take it for an answer of another version.
            raise AssertionError(f"the hub itself failed: {error!r}") from error

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Have the hub answer."""
        event = http_event(
            request.method,
            request.url.path,
            raw=request.content.decode() or None,
            headers=dict(request.headers),
            principal=self.principal(request),
            query={name: request.url.params.get_list(name) for name in request.url.params},
        )
        answer = self.hub.api.resolve(event, Context())
        return httpx.Response(answer["statusCode"], headers=answer["headers"], text=answer["body"])

    def principal(self, request: httpx.Request) -> Principal | None:
        """Who calls, as the authorizer finds out."""
        presented = request.headers["authorization"].removeprefix("Bearer ")
        return self.hub.container.token_authenticator.principal_of(presented)


class CommandLine:
    """A shell whose user is logged in by the environment, as an owner and about the integration `own`."""

    def __init__(self, hub: ApiHub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.network = Network(hub)
        self.slept: list[float] = []
        self.clock = float(hub.container.now())
        self.when_slept: Callable[[], None] = lambda: None
        self.browse: Callable[[str], bool] = lambda _: False
        self.environ: dict[str, str] = {
            "HUB_URL": URL,
            "HUB_TOKEN": OWNER_TOKEN,
            "HUB_INTEGRATION": hub.own,
            "XDG_CONFIG_HOME": str(folder),
            "HOME": str(folder),
        }

    def __call__(self, *arguments: str, typed: str = "", terminal: Mapping[str, str | None] | None = None) -> Ended:
        """Carry a command out; `terminal`: standard output is one, with these variables."""
        shell = {"NO_COLOR": "1", "COLUMNS": "100", "FORCE_COLOR": None, "_TYPER_FORCE_DISABLE_TERMINAL": "1"}
        if terminal is not None:
            shell |= {"FORCE_COLOR": "1", **terminal}
        world = World(
            environ=self.environ, transport=httpx.MockTransport(self.network), now=lambda: self.clock,
            sleep=self._sleep, browse=self.browse,
        )  # fmt: skip
        ended = CliRunner().invoke(app, list(arguments), input=typed, obj=world, env=shell)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    def limited(self, **body: Any) -> str:
        """Make a hub token of a role, and use it from now on."""
        status, made = self.hub("POST", "/v1/tokens", body)
        assert status == 201, made
        self.environ["HUB_TOKEN"] = made["token"]
        return str(made["token"])

    def as_owner(self) -> None:
        """Use the owner's token again."""
        self.environ["HUB_TOKEN"] = OWNER_TOKEN

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds
        self.when_slept()
