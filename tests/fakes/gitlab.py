"""A GitLab by script: the real client talks to it, path by path, without a socket."""

import asyncio
import json
from typing import Any

import httpx

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab, Tokens
from gitlab_hub.gitlab.policy import NetworkPolicy
from tests.fakes.gitlab_client import Script, Sleeps, play

HOST = "https://gitlab.example.com"
CANARY = "glpat-canary-4Jt9sQ2zXw7LmV1b"
OTHER_CANARY = "glpat-canary-8Hk3pR6yNd5CgT0f"


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    """Make a JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers={"x-request-id": "req-gitlab", **named})


def lacking(*permissions: str, of: str = "project") -> httpx.Response:
    """Make GitLab's refusal of what a fine-grained token was not granted, in GitLab's words."""
    words = (
        "Access denied: This operation requires a fine-grained personal access token with the following "
        f"{of} permissions: [{', '.join(permissions)}]."
    )
    return answer(403, {"error": "insufficient_granular_scope", "error_description": words})


def html(status: int = 200) -> httpx.Response:
    """Make the answer of something that is not an API."""
    return httpx.Response(status, html="<html>Sign in</html>")


class ScriptedGitLab:
    """Answers what its script says for a path; unknown paths are 404, unknown tokens 401."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.hanging: set[str] = set()
        self.users = {CANARY: 7, OTHER_CANARY: 7}
        self.token = {"active": True, "revoked": False, "scopes": ["read_api"], "expires_at": None}
        self.script: dict[str, Script] = {
            "/personal_access_tokens/self": lambda request: answer(body=self.token | {"user_id": self._user(request)}),
            "/user": lambda request: answer(body={"id": self._user(request), "username": "sync", "bot": False}),
            "/version": answer(body={"version": "17.5.1-ee"}),
            "/groups": answer(body=[{"id": 1, "full_path": "acme"}]),
            "/groups/acme": answer(body={"id": 1, "full_path": "Acme"}),
            "/groups/Acme": answer(body={"id": 1, "full_path": "Acme"}),
            "/groups/1": answer(body={"id": 1, "full_path": "Acme"}),
            "/groups/1/projects": answer(body=[project(3)]),
            "/groups/acme/projects": answer(body=[project(3)]),
            "/groups/Acme/projects": answer(body=[project(3)]),
            "/projects": answer(body=[project(3), project(4)]),
        }
        for number in range(3, 10):
            self.script[f"/projects/{number}/pipelines"] = answer(body=[{"id": 900 + number}])
            self.script[f"/projects/{number}/pipelines/{900 + number}/jobs"] = answer(body=[{"id": 1}])

    def transport(self) -> httpx.MockTransport:
        """Make the way to it."""
        return httpx.MockTransport(self._answer)

    @property
    def paths(self) -> list[str]:
        """What it was asked for, in order."""
        return [_short(request) for request in self.requests]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if _short(request) in self.hanging:
            await asyncio.sleep(60)
        step = self.script.get(_short(request), answer(404, {"message": "404 Not Found"}))
        if self._user(request) is None and not isinstance(step, Exception):
            return answer(401, {"message": "401 Unauthorized"})
        made = play(step, request)
        # A response can be read once; a script is used many times.
        return httpx.Response(made.status_code, headers=made.headers, content=made.content)

    def _user(self, request: httpx.Request) -> int | None:
        return self.users.get(request.headers.get("authorization", "").removeprefix("Bearer "))


class ScriptedConnector:
    """Opens real clients whose way ends at scripted GitLabs, one per host."""

    def __init__(
        self, gitlab: ScriptedGitLab, policy: NetworkPolicy | None = None, *, options: ClientOptions | None = None
    ) -> None:
        self._gitlab, self._policy = gitlab, policy or NetworkPolicy()
        self._options = options or ClientOptions(deadline=8.0)

    def address(self, url: str) -> Address:
        """Parse and vet an address as the deployed hub does."""
        address = Address.parse(url, allow_http=self._policy.allow_http)
        self._policy.check(address)
        return address

    def open(self, address: Address, tokens: Tokens) -> GitLab:
        """Make a client that never sleeps."""
        return GitLab(
            address,
            tokens,
            policy=self._policy,
            options=self._options,
            sleep=Sleeps(),
            random=lambda: 0.0,
            transport=self._gitlab.transport(),
        )


def project(number: int, **more: Any) -> dict[str, Any]:
    """Make a project as GitLab lists it."""
    return {
        "id": number,
        "path_with_namespace": f"acme/p{number}",
        "default_branch": "main",
        "visibility": "private",
        "archived": False,
        "web_url": f"{HOST}/acme/p{number}",
        "http_url_to_repo": f"{HOST}/acme/p{number}.git",
        "permissions": {"project_access": {"access_level": 30}, "group_access": {"access_level": 40}},
        **more,
    }


def spilled(*things: Any) -> bool:
    """Say whether one of the canary tokens stands anywhere in these."""
    text = json.dumps(things, default=repr)
    return CANARY in text or OTHER_CANARY in text


def _short(request: httpx.Request) -> str:
    # The raw path: a group's slash stays %2F in it.
    return request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v4")
