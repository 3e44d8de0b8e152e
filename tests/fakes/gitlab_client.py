"""The client over a scripted transport, and the answers to script."""

from typing import Any

import httpx

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.fakes.gitlab_transport import FixedTokens, ScriptedTransport

BASE = "https://gitlab.example/gitlab"
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
TOKEN = "glpat-canary"


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
