"""A scripted GitLab that has hooks: it keeps them, guards them as GitLab does, and fails where a plan says so."""

import json
import re
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import httpx

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from tests.fakes.faults import Outcome, Plan
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab, answer, lacking
from tests.fakes.gitlab_client import FixedTokens

_HOOKS = re.compile(r"(?:/(projects|groups)/(\d+))?/hooks(?:/(\d+))?(/.*)?")
_FLAGS = (
    "push_events", "tag_push_events", "merge_requests_events", "pipeline_events", "job_events", "deployment_events",
    "releases_events", "note_events", "member_events", "project_events", "subgroup_events", "enable_ssl_verification",
    "issues_events", "confidential_issues_events", "confidential_note_events", "wiki_page_events", "emoji_events",
    "feature_flag_events", "resource_access_token_events", "repository_update_events", "vulnerability_events",
    "push_events_branch_filter", "branch_filter_strategy",
)  # fmt: skip
_EXTRAS = ("custom_headers", "url_variables")
_LEVEL = {"projects": 40, "groups": 50, None: 60}
NOT_FOUND = {"message": "404 Not Found"}


class Says(Exception):
    """A fault that is an answer."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def says(status: int, body: Any = None, **headers: str) -> Callable[[], BaseException]:
    """Let a planned call be answered like this."""
    return lambda: Says(answer(status, body, **headers))


class HookedGitLab(ScriptedGitLab):
    """Projects 3 to 9 and the group 1 (acme) have hooks; every request may fail as the plan says."""

    def __init__(self) -> None:
        super().__init__()
        self.signs, self.has_group_hooks, self.blocks_urls = True, True, False
        self.level, self.can_write, self.limit = 60, True, 100
        self.lacks: tuple[str, ...] = ()
        self.limit_status = 422
        self.hooks: dict[int, dict[str, Any]] = {}
        self.secrets: dict[int, tuple[str | None, str | None]] = {}
        self.events: list[dict[str, Any]] = []
        self.resends: list[int] = []
        self.delivers: Callable[[int], bool] = lambda _event: True
        self.plan = Plan()
        self.clock: Callable[[], float] | None = None
        self._next = 500
        group = answer(body={"id": 1, "full_path": "acme"})
        self.script |= {"/groups/1": group, "/groups/acme": group}
        for number in range(3, 10):
            shown = answer(body={"id": number, "path_with_namespace": f"acme/p{number}"})
            self.script |= {f"/projects/{number}": shown, f"/projects/acme%2Fp{number}": shown}

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path.removeprefix('/api/v4')}"
        plan = self.plan
        outcome = plan.outcome(name)
        if outcome is not Outcome.FAILS:
            made = await self._really(request)
            if self.clock is not None:
                made.headers["Date"] = formatdate(self.clock(), usegmt=True)
            if outcome is Outcome.WORKS:
                return made
        failure: Any = plan.error()
        if isinstance(failure, Says):
            failure = failure.response
        if isinstance(failure, BaseException):
            raise failure
        response: httpx.Response = failure
        return response

    async def _really(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v4")
        match = _HOOKS.fullmatch(path)
        if match is None or path in self.script:
            return await super()._answer(request)
        self.requests.append(request)
        kind, owner, number, rest = match[1], match[2], match[3], match[4] or ""
        refused = self._refusal(request.method, kind)
        if refused is not None:
            return refused
        if number is None:
            return self._collection(request, kind, owner)
        hook = self.hooks.get(int(number))
        if hook is None or hook["_where"] != [kind, owner]:
            return answer(404, NOT_FOUND)
        return self._more(request, hook, rest) if rest else self._member(request, hook)

    def _refusal(self, method: str, kind: str | None) -> httpx.Response | None:
        if kind == "groups" and not self.has_group_hooks:
            return answer(404 if self.level >= 50 else 403, NOT_FOUND)
        if self.level < _LEVEL[kind]:
            return answer(403, {"message": "403 Forbidden"})
        if method != "GET" and self.lacks:
            return lacking(*self.lacks)
        if method != "GET" and not self.can_write:
            return answer(403, {"error": "insufficient_scope", "scope": "api"})
        return None

    def _collection(self, request: httpx.Request, kind: str | None, owner: str | None) -> httpx.Response:
        here = [hook for hook in self.hooks.values() if hook["_where"] == [kind, owner]]
        if request.method == "GET":
            size, page = int(request.url.params["per_page"]), int(request.url.params.get("page", "1"))
            rows = [self._shown(hook) for hook in here[(page - 1) * size : page * size]]
            return answer(body=rows, x_next_page=str(page + 1) if page * size < len(here) else "")
        sent = json.loads(request.content)
        if self.blocks_urls:
            return answer(422, {"error": "Invalid url given"})
        if len(here) >= self.limit:
            return answer(self.limit_status, {"message": "Maximum number of hooks exceeded"})
        self._next += 1
        hook = {"id": self._next, "_where": [kind, owner], "alert_status": "executable", "disabled_until": None}
        hook |= {name: [] for name in _EXTRAS} | {"custom_webhook_template": None}
        self.hooks[self._next], self.secrets[self._next] = hook, (None, None)
        self._apply(hook, sent)
        return answer(201, self._shown(hook))

    def _member(self, request: httpx.Request, hook: dict[str, Any]) -> httpx.Response:
        if request.method == "DELETE":
            del self.hooks[hook["id"]]
            return httpx.Response(204)
        if request.method == "PUT":
            sent = json.loads(request.content)
            if self.blocks_urls:
                return answer(422, {"error": "Invalid url given"})
            if "url" in sent and sent["url"] != hook.get("url"):
                self.secrets[hook["id"]] = (None, None)
                hook |= {name: [] for name in _EXTRAS}
            self._apply(hook, sent)
        if request.method == "POST":
            return answer(201, {})
        return answer(body=self._shown(hook))

    def _more(self, request: httpx.Request, hook: dict[str, Any], rest: str) -> httpx.Response:
        listed, _, key = rest[1:].partition("/")
        if listed in _EXTRAS and request.method == "DELETE":
            if {"key": key} not in hook[listed]:
                return answer(404, NOT_FOUND)
            hook[listed] = [one for one in hook[listed] if one != {"key": key}]
            return httpx.Response(204)
        if rest.startswith("/test/"):
            return answer(201, {}) if self.delivers(0) else answer(422, {"message": "Hook execution failed"})
        if rest == "/events":
            return self._events(request, hook["id"])
        number = int(rest.split("/")[2])
        self.resends.append(number)
        return answer(201, {"response_status": 200}) if self.delivers(number) else answer(422, {"message": "failed"})

    def _events(self, request: httpx.Request, hook_id: int) -> httpx.Response:
        query = request.url.params
        wanted = query.get("status")
        rows = [row for row in self.events if row["_hook"] == hook_id and wanted in (None, row["_kind"])]
        rows.sort(key=lambda row: -int(row["id"]))
        size, page = int(query["per_page"]), int(query.get("page", "1"))
        assert size <= 20
        following = str(page + 1) if len(rows) > page * size else ""
        named = {"x-page": str(page), "x-per-page": str(size), "x-next-page": following, "x-total": str(len(rows))}
        return httpx.Response(200, json=rows[(page - 1) * size : page * size], headers=named)

    def fail_delivery(
        self, hook_id: int, number: int, key: str | None, kind: str = "server_failure", **more: Any
    ) -> None:
        """Keep a record of a delivery that failed."""
        headers = {} if key is None else {"Idempotency-Key": key, "X-Gitlab-Token": "[REDACTED]"}
        self.events.append({"id": number, "_hook": hook_id, "_kind": kind, "request_headers": headers} | more)

    def hang(self, project: int | None, **more: Any) -> int:
        """Hang somebody else's hook."""
        self._next += 1
        where = ["projects", str(project)] if project else [None, None]
        self.hooks[self._next] = {"id": self._next, "_where": where, "url": "https://ci.example.com", **more}
        self.secrets[self._next] = (None, None)
        return self._next

    @property
    def writes(self) -> list[str]:
        """What changed something, in order."""
        return [f"{one.method} {one.url.path.removeprefix('/api/v4')}" for one in self.requests if one.method != "GET"]

    def _apply(self, hook: dict[str, Any], sent: dict[str, Any]) -> None:
        # The API of system hooks takes no template.
        taken = ("url", "name", *_FLAGS, *(("custom_webhook_template",) if hook["_where"][0] else ()))
        hook |= {name: value for name, value in sent.items() if name in taken}
        token, signing = self.secrets[hook["id"]]
        signing = sent.get("signing_token", signing) if self.signs else None
        self.secrets[hook["id"]] = (sent.get("token", token), signing)

    def _shown(self, hook: dict[str, Any]) -> dict[str, Any]:
        row = {name: value for name, value in hook.items() if not name.startswith("_")}
        token, signing = self.secrets[hook["id"]]
        if self.signs:
            row |= {"token_present": token is not None, "signing_token_present": signing is not None}
        return row


class FakeGitLabs:
    """The port of clients by integration: one GitLab for all, each integration as it is set up."""

    def __init__(self, gitlab: HookedGitLab) -> None:
        self._connector = ScriptedConnector(gitlab)
        self.connections: dict[str, GitLabConnection] = {}
        self.opened = 0

    def connection(self, integration_id: str) -> GitLabConnection | None:
        """What is known of an integration."""
        return self.connections.get(integration_id)

    def open(self, connection: GitLabConnection) -> GitLab:
        """A client."""
        self.opened += 1
        return self._connector.open(self._connector.address(connection.base_url), FixedTokens(CANARY))


def connection(integration_id: str, **more: Any) -> GitLabConnection:
    """Make an integration that may manage webhooks."""
    plain: dict[str, Any] = {
        "integration_id": integration_id,
        "credential_id": "cred_1",
        "base_url": HOST,
        "user_id": 7,
        "is_admin": False,
        "group": None,
        "gitlab_version": "19.1.0",
        "paused": False,
        "credential_works": True,
        "manage_webhooks": True,
        "report_statuses": False,
    }
    return GitLabConnection(**(plain | more))
