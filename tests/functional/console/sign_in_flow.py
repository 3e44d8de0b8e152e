"""A console that people sign in to with a GitLab: the stand-in, asked by the real client without a socket."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from gitlab_hub.composition.console import console_of
from gitlab_hub.console.gitlab_sign_in import BEGIN, FINISH
from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.applications import add_application
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.company.grants import enrol
from stand_in_gitlab.company.model import User
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.server import stand_in
from tests.fakes.gitlab import HOST, ScriptedConnector
from tests.functional.console.console_hub import FOLDER, START, ConsoleHub
from tests.functional.console.test_screens import check
from tests.functional.console.visitor import Shown, Visitor

CALLBACK = f"https://hub.example.com{FINISH}"
SECRET_NAME = "console-client"
SESSION = "__Host-hub-session"


class Way(httpx.AsyncBaseTransport):
    """The way to the stand-in; `failing` is which request (from 1) does not arrive, `changed` what answers become.

    `seconds` is what each request takes.
    """

    def __init__(self, app: StandIn) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self.requests: list[httpx.Request] = []
        self.failing, self.seconds = 0, 0.0
        self.changed: dict[str, httpx.Response] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        self.requests.append(request)
        await asyncio.sleep(self.seconds)
        if len(self.requests) == self.failing:
            raise httpx.ConnectError("no way", request=request)
        if (answer := self.changed.get(request.url.path)) is not None:
            return answer
        return await self._inner.handle_async_request(request)

    def transport(self) -> "Way":
        """What a client is given."""
        return self


class SignInFlow:
    """The hub, its GitLab and the people of both. In `rules` `{0}` is the path of the first top-level group."""

    def __init__(self, rules: str = "{0}=admin") -> None:
        sizes = Sizes(users=20, groups=12, projects=4, pipelines=1, jobs=1)
        self.app = stand_in(HOST, seed=3, sizes=sizes, epoch=float(START), frozen=True)
        self.application = add_application(self.app.company, "console", [CALLBACK], scopes=["openid"])
        self.groups = sorted(one.full_path for one in self.app.company.groups.values() if one.parent_id is None)
        self.hub = ConsoleHub()
        self.way = Way(self.app)
        container = self.hub.container
        container.connector = lambda **_: ScriptedConnector(self.way)  # type: ignore[arg-type, method-assign]  # a way is all that it wants
        self.hub.secrets.create(SECRET_NAME, {"client_secret": self.application.client_secret}, version="v" * 32)
        self.configure(rules)

    def configure(self, rules: str, **more: str) -> None:
        """Deploy the console with these rules."""
        settings = {
            "CONSOLE_GITLAB_URL": HOST,
            "CONSOLE_CLIENT_ID": self.application.client_id,
            "CONSOLE_CLIENT_SECRET": SECRET_NAME,
            "CONSOLE_ROLES": rules.format(*self.groups),
        }
        self.hub.container.reconfigure(settings | more)
        self.hub.console = console_of(self.hub.container, FOLDER)

    def member(self, *groups: int) -> User:
        """Somebody who is in these of the top-level groups, and in no other group."""
        company = self.app.company
        user = next(one for one in company.users.values() if one.state == "active" and not one.is_admin and not one.bot)
        for rows in company.members.values():
            rows.pop(user.id, None)
        for number in groups:
            found = next(one for one in company.groups.values() if one.full_path == self.groups[number])
            enrol(company, "group", found.id, user.id, 30)
        return user

    def visitor(self) -> Visitor:
        """A browser that nobody is signed in with."""
        return Visitor(self.hub.console)

    def begin(self, visitor: Visitor, to: str = "/console") -> dict[str, str]:
        """Begin a sign-in; what GitLab is asked."""
        sent = visitor.send("GET", f"{BEGIN}?{urlencode({'to': to})}")
        assert sent.status == 303, sent.text
        address = urlsplit(sent.headers["location"])
        assert f"{address.scheme}://{address.netloc}{address.path}" == f"{HOST}/oauth/authorize"
        return dict(parse_qsl(address.query))

    def agree(self, asked: Mapping[str, str], user: User, **more: str) -> str:
        """Let somebody say yes at GitLab; where GitLab leads back to."""
        params = {**asked, "standin_user": user.username, **more}
        call = Call(method="GET", path="/oauth/authorize", segments=("authorize",), params=params, headers={})
        location = self.app.oauth.answer(call).headers["Location"]
        assert location.startswith(f"{CALLBACK}?"), location
        return location.removeprefix("https://hub.example.com")

    def come_back(self, visitor: Visitor, path: str, **headers: str) -> Shown:
        """Follow GitLab back to the hub: a redirection from another site."""
        return visitor.send("GET", path, **{"sec_fetch_site": "cross-site", **headers})

    def sign_in(self, visitor: Visitor, user: User, to: str = "/console") -> Shown:
        """All of it; the hub's answer to whoever comes back."""
        return self.come_back(visitor, self.agree(self.begin(visitor, to), user))

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions that are stored."""
        return [row for row in self.hub.tables["integrations"].dump() if row["pk"].startswith("CONSOLE_SESSION#")]


def is_refused(flow: SignInFlow, visitor: Visitor, shown: Shown, words: str, status: int = 403) -> bool:
    """Nobody is in, and it is said why, on a page that leads to another try."""
    assert (shown.status, words in shown.text) == (status, True), shown.text
    check(shown)
    return SESSION not in visitor.cookies and flow.sessions() == []
