"""A hub whose GitLab gives OAuth tokens: start, authorize, come back, in the way a person and a browser do it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from gitlab_hub.composition.routes import integrations_routes, oauth_routes
from gitlab_hub.integrations.gitlab_access import SyncTargets
from gitlab_hub.integrations.model import Credential
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential, load_credential
from gitlab_hub.integrations.tokens.services import Runtime
from gitlab_hub.storage.ports import Secrets, Table
from gitlab_hub.web.api import Api
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal
from tests.fakes.container import MemoryContainer
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.faults import Outcome, Plan, faulty
from tests.fakes.gitlab import HOST, ScriptedConnector
from tests.fakes.oauth import CLIENT, CLIENT_SECRET, OAuthGitLab
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable
from tests.functional.integrations.integrations_hub import Syncs

T = TypeVar("T")

BASE = "https://hub.example.com"
BACK = "https://console.example.com/connected"
START = {"host_url": HOST, "auth_mode": "oauth_app", "client_id": CLIENT, "client_secret": CLIENT_SECRET}
PATH = "/v1/integrations/gitlab"


@dataclass
class Told:
    """Alerts that are only remembered."""

    lost: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    on_lost: Callable[[], None] = lambda: None

    def needs_reauth(self, integration_id: str, credential_id: str, reason: str) -> None:
        self.lost.append((integration_id, reason))
        self.on_lost()

    def rejected(self, credential: Credential) -> None:
        self.refused.append((credential.integration_id, credential.status))

    def not_renewed(self, integration_id: str, credential_id: str, reason: str) -> None:
        self.waiting.append((integration_id, reason))

    def expiring(self, integration_id: str, credential_id: str, days: int) -> None:
        self.days.append(days)

    def failed(self, integration_id: str, code: str) -> None:
        self.failures.append((integration_id, code))


@dataclass
class Principals:
    """The hub tokens that are good; tests lower and revoke them."""

    good: dict[str, Principal] = field(default_factory=lambda: {OWNER.token_id: OWNER})

    def principal_by_id(self, token_id: str) -> Principal | None:
        return self.good.get(token_id)


def aside(work: Callable[[], T]) -> T:
    """Do something in a thread of its own: another worker is not inside this one's call to GitLab."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()


class OAuthHub:
    """One hub with everything it stores within reach. `sleep` moves the clock."""

    def __init__(self, gitlab: OAuthGitLab | None = None) -> None:
        self.now, self.base = 1_750_000_000.0, BASE
        self.gitlab = gitlab or OAuthGitLab()
        self.stored_rows, self.stored_secrets = MemoryTable(), MemorySecrets()
        self.told, self.principals = Told(), Principals()
        self.left = float("inf")
        self.hooks: Any = None
        self.elsewhere: ScriptedConnector | None = None
        self.patient: ScriptedConnector | None = None
        self.builds: Any = None
        self.purged: list[str] = []
        self.use(self.stored_rows, self.stored_secrets)

    def use(self, table: Table, secrets: Secrets, *, sleep: Any = None) -> None:
        """Put the feature together over these ports."""
        self.connector = self.elsewhere or ScriptedConnector(self.gitlab)
        container = MemoryContainer(
            self.connector,
            tables={"integrations": table},
            secrets=secrets,
            patient=self.patient,
            environ={"ALLOWED_RETURN_URLS": BACK},
            now=lambda: self.now,
            token_runtime=Runtime(alerts=self.told, sleep=sleep or self.sleep, remaining=lambda: self.left),
            syncs=Syncs(self.purged.append),
            cursors=Cursors(lambda: b"k" * 32),
            master_key=SimpleNamespace(derive=lambda _: b"m" * 32),
            public_url=SimpleNamespace(base=lambda: self.base, webhook=lambda: f"{self.base}/hook"),
            token_authenticator=self.principals,
            **self._others(),
        )
        self.feature = container.integrations()
        container.integrations = lambda **_: self.feature  # type: ignore[method-assign]
        routes = [*integrations_routes(container), *oauth_routes(container)]
        self.api = Api(routes, guard=self.feature.store, idempotency=None, now=lambda: self.now)
        self.targets = SyncTargets(self.feature.store, lambda: self.now, self.feature.tokens.refresher)

    def use_faulty(self, plan: Plan) -> None:
        """Put the feature together over ports whose every call, and every request to GitLab, fails as planned."""
        self.use(faulty(self.stored_rows, plan), faulty(self.stored_secrets, plan))
        outcomes: dict[str, Outcome] = {}

        def before(path: str) -> None:
            outcomes[path] = plan.outcome(path)
            if outcomes[path] is Outcome.FAILS:
                raise plan.error()

        def after(path: str) -> None:
            if outcomes[path] is Outcome.ANSWER_LOST:
                raise plan.error()

        self.gitlab.on_call, self.gitlab.on_done = before, after

    def beside(self, *, later: float = 0) -> "OAuthHub":
        """Another worker over the same GitLab, rows and secrets, whose clock may go before."""
        other = OAuthHub(self.gitlab)
        other.stored_rows, other.stored_secrets, other.now = self.stored_rows, self.stored_secrets, self.now + later
        other.use(self.stored_rows, self.stored_secrets)
        return other

    def meanwhile(self, path: str, work: Callable[[], object], *, done: bool = False) -> None:
        """Let another worker do something, once: when GitLab is asked for this path, or when it has done it."""
        moment = "on_done" if done else "on_call"

        def work_once(asked: str) -> None:
            if asked == path:
                setattr(self.gitlab, moment, lambda _path: None)
                aside(work)

        setattr(self.gitlab, moment, work_once)

    def heal(self) -> None:
        """Let every call work again."""
        self.use(self.stored_rows, self.stored_secrets)
        self.gitlab.on_call = self.gitlab.on_done = lambda _path: None

    def _others(self) -> dict[str, Any]:
        """What stands in for hooks and builds where a test has its own."""
        hooks = self.hooks and SimpleNamespace(
            removal=self.hooks, summary=lambda _: {}, of_projects=lambda *_: {}, service=None
        )
        builds = self.builds and SimpleNamespace(store=self.builds)
        return {name: part for name, part in (("hooks", hooks), ("builds", builds)) if part is not None}

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def __call__(
        self, method: str, path: str, body: Any = None, *, principal: Principal | None = OWNER, **more: Any
    ) -> tuple[int, Any]:
        return answered(self.api.resolve(http_event(method, path, body, principal=principal, **more), Context()))

    def browse(self, path: str, *, cookies: Sequence[str] = (), **query: str) -> dict[str, Any]:
        """Visit an address as a browser does; gives the gateway's answer."""
        event = http_event("GET", path.removeprefix(self.base), principal=None, query=query)
        return self.api.resolve(event | {"cookies": list(cookies)}, Context())

    def scheduled(self) -> list[str]:
        """The integrations whose runs the schedule starts."""
        return self.targets.scheduled_page(None).ids

    def start(self, **more: Any) -> str:
        """Keep an application, and give the new integration's id."""
        status, body = self("POST", f"{PATH}/start", START | more)
        assert status == 201, body
        return str(body["integration"]["id"])

    def begin(self, one: str, **more: Any) -> dict[str, Any]:
        """Begin an authorization."""
        status, body = self("POST", f"{PATH}/authorize", {"integration_id": one, **more})
        assert status == 200, body
        started: dict[str, Any] = body
        return started

    def finish(self, one: str, *, user: int = 7) -> tuple[int, Any]:
        """Authorize as a user, and hand code and state in."""
        code, state = self.gitlab.approve(self.begin(one)["authorize_url"], user=user)
        return self("POST", f"{PATH}/authorize", {"integration_id": one, "code": code, "state": state})

    def connected(self, **more: Any) -> str:
        """An integration that somebody has authorized."""
        one = self.start(**more)
        status, body = self.finish(one)
        assert status == 200, body
        return one

    def integration(self, one: str) -> dict[str, Any]:
        """One integration as it is shown."""
        status, body = self("GET", f"/v1/integrations/{one}")
        assert status == 200, body
        shown: dict[str, Any] = body["integration"]
        return shown

    def loaded(self, one: str) -> LoadedCredential:
        """The credential in use with its token, as stored."""
        credential = next(each for each in self.feature.store.holding(one).credentials if each.live)
        return load_credential(self.feature.store, one, credential.id)

    def spilled(self, *things: Any) -> list[str]:
        """The secrets that stand in any of these."""
        text = repr(things)
        return [secret for secret in self.gitlab.secrets() if secret in text]
