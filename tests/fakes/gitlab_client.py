"""The client over answers that come in turn, whatever is asked for; `gitlab.py` scripts them by path."""

from collections.abc import Callable
from typing import Any

import httpx

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.policy import NetworkPolicy

BASE = "https://gitlab.example/gitlab"
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
TOKEN = "glpat-canary"

Script = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def play(step: Script, request: httpx.Request) -> httpx.Response:
    """Answer a request as a step of a script says."""
    if isinstance(step, Exception):
        raise step
    return step(request) if callable(step) else step


class ScriptedTransport(httpx.AsyncBaseTransport):
    """Gives scripted answers in turn, the last one for ever, and keeps the requests."""

    def __init__(self, *script: Script) -> None:
        self._script = list(script)
        self.requests: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return play(step, request)

    async def aclose(self) -> None:
        self.closed = True

    @property
    def tokens(self) -> list[str]:
        return [request.headers["authorization"].removeprefix("Bearer ") for request in self.requests]


class FixedTokens:
    """A token, and what takes its place after a 401."""

    def __init__(self, token: str, *newer: str) -> None:
        self._token, self._newer = token, list(newer)
        self.rejected: list[str] = []

    async def current(self) -> str:
        return self._token

    async def renewed(self, rejected: str) -> str | None:
        self.rejected.append(rejected)
        if not self._newer:
            return None
        self._token = self._newer.pop(0)
        return self._token


class Sleeps(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(transport: ScriptedTransport, tokens: FixedTokens | None = None, **others: Any) -> GitLab:
    defaults: dict[str, Any] = {"sleep": Sleeps(), "random": lambda: 0.5}
    address = Address.parse(BASE, allow_http=False)
    return GitLab(
        address, tokens or FixedTokens(TOKEN), policy=NetworkPolicy(), transport=transport, **{**defaults, **others}
    )


def ok(body: Any = None, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, json={"id": 1} if body is None else body, headers=sent)


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, json={"message": "x"}, headers={n.replace("_", "-"): v for n, v in headers.items()})
