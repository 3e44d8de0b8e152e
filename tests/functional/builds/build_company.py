"""A hub whose one GitLab is the stand-in, without a socket: what GitLab sends, it gets, and it can ask back."""

import json
from dataclasses import replace
from typing import Any

import httpx

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.webhooks.parse import parse
from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.server import stand_in
from stand_in_gitlab.webhooks.request import Request
from stand_in_gitlab.webhooks.transport import Reply
from tests.fakes.gitlab_client import FixedTokens, client
from tests.functional.builds.build_gitlab import INTEGRATION, GitLabs, StatusWall
from tests.functional.builds.builds_hub import World, trigger

BASE = "https://gitlab.example"
PROJECT = 1
EPOCH = 1_790_000_000.0


class Company(GitLabs):
    """The integration's GitLab."""

    def __init__(self) -> None:
        super().__init__(StatusWall())
        self.heard: list[Request] = []
        sizes = Sizes(users=12, groups=4, projects=3, pipelines=0, jobs=2)
        self.app: StandIn = stand_in(
            f"{BASE}/gitlab", sizes=sizes, root_path="gitlab", epoch=EPOCH, frozen=True, post=self._post
        )
        self.app.company.hooks.clear()
        project = self.app.company.projects[PROJECT]
        project.default_branch, project.builds_enabled = "main", True
        self.set(base_url=f"{BASE}/gitlab")

    def open(self, connection: GitLabConnection) -> GitLab:
        self.opened += 1
        tokens = FixedTokens(self.app.company.well_known["admin"])
        return client(httpx.ASGITransport(self.app), tokens)  # type: ignore[arg-type]  # any transport will do

    def do(self, verb: str, **what: Any) -> Any:
        """Carry out a verb of the control API; it waits until all hooks were called."""
        of_project = {} if verb.endswith("_group") else {"project_id": PROJECT}
        done = self._board("changes", {"do": verb, **of_project, **what})
        assert self._board("wait_for_hooks", {"seconds": 5})["quiet"]
        return done

    def behave(self, **switches: Any) -> None:
        self._board("behaviour", switches)

    def _board(self, path: str, body: object) -> Any:
        call = Call(
            method="POST",
            path=path,
            segments=("__standin__", path),
            params={},
            headers={},
            body=json.dumps(body).encode(),
        )
        answer = self.app.control_api.answer(call).settled()
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def _post(self, request: Request) -> Reply:
        self.heard.append(request)
        return Reply(status=200, headers={}, body="{}")


class WorldWithGitLab(World):
    """A hub that this GitLab tells of its events, with one trigger in its first project."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self.company = Company()
        self.gitlabs = self.company
        self.sources = None
        self.use(self.rows, self.queue)
        self.trigger = self.add(trigger(**{"project_id": PROJECT, **changes}))
        made = {"url": "https://hub.test/hook", "push_events": True, "tag_push_events": True}
        self.answer("POST", f"/projects/{PROJECT}/hooks", made | {"merge_requests_events": True})

    def answer(self, method: str, path: str, body: object = None) -> Any:
        """Call the GitLab as its administrator."""
        call = Call(
            method=method,
            path=f"/api/v4{path.partition('?')[0]}",
            segments=tuple(part for part in path.partition("?")[0].split("/") if part),
            params=dict(part.split("=") for part in path.partition("?")[2].split("&") if part),
            headers={
                "authorization": f"Bearer {self.company.app.company.well_known['admin']}",
                "content-type": "application/json",
            },
            body=b"" if body is None else json.dumps(body).encode(),
        )
        answer = self.company.app.rest.answer(call).settled()
        assert answer.status < 300, answer.body
        return json.loads(answer.body)

    def happens(self, verb: str, **what: Any) -> tuple[Any, list[str], list[str]]:
        """Let something happen in GitLab, and the hub hear of it; gives what was done, the builds and the reasons."""
        self.company.heard.clear()
        done = self.company.do(verb, **what)
        build_ids: list[str] = []
        reasons: list[str] = []
        for request in self.company.heard:
            event = parse(request.headers["X-Gitlab-Event"], json.loads(request.body))
            name = f"dlv_0a1b_{request.headers['Idempotency-Key'][:8]}"
            found, why = self.receive(event, name)
            build_ids += found
            reasons += [one.rpartition(" ")[2] for one in why]
        return done, build_ids, reasons

    def triggers(self, **changes: Any) -> None:
        """Change the trigger."""
        store = self.feature.triggers.store
        self.trigger = store.change(self.trigger.id, lambda found: replace(found, version=found.version + 1, **changes))


__all__ = ["INTEGRATION", "PROJECT", "Company", "WorldWithGitLab"]
