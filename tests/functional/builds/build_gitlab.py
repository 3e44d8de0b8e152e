"""A GitLab that shows commit statuses and knows a few commits."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from tests.fakes.gitlab_client import client

INTEGRATION = "int_0a1b"
SHA, NEWER = "a" * 40, "b" * 40
_STATUS = re.compile(r"/gitlab/api/v4/projects/(\d+)/statuses/([0-9a-f]+)")
_PROJECT = re.compile(r"/gitlab/api/v4/projects/(\d+)")
_TAG = re.compile(r"/gitlab/api/v4/projects/(\d+)/repository/tags/(.+)")
_MERGE_REQUESTS = re.compile(r"/gitlab/api/v4/projects/\d+/merge_requests(?:/.*)?")
_COMMIT = re.compile(r"/gitlab/api/v4/projects/(\d+)/repository/commits/(.+)")


class StatusWall(httpx.AsyncBaseTransport):
    """A GitLab that keeps commit statuses, as far as the hub can tell it from a real one."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.shown: dict[tuple[str, str], str] = {}
        self.script: list[Callable[[], httpx.Response]] = []
        self.commits = {"main": SHA, "feature/x": NEWER, SHA[:8]: SHA, SHA: SHA}
        self.tags: dict[str, str] = {}
        self.no_tags = False
        self.merge_requests: Callable[[], httpx.Response] | None = None
        self.projects = {7: "acme/app", 9: "Acme/deep/lib", 8: "acme-other/app"}
        self.down = self.read_only = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("nobody there")
        if self.read_only and request.method != "GET":
            return self.refused(403, "You cannot perform write operations on a read-only instance")
        path = request.url.path
        if commit := _COMMIT.fullmatch(path):
            found = (self.commits | self.tags).get(commit[2].removeprefix("refs/heads/").removeprefix("refs/tags/"))
            return httpx.Response(200, json={"id": found}) if found else self.refused(404, "404 Commit Not Found")
        if _MERGE_REQUESTS.fullmatch(path):
            return self._merge_requests(path)
        if tag := _TAG.fullmatch(path):
            return self._tag(tag[2])
        if project := _PROJECT.fullmatch(path):
            at = self.projects.get(int(project[1]))
            return httpx.Response(200, json={"path_with_namespace": at}) if at else self.refused(404, "404 Not Found")
        status = _STATUS.fullmatch(path)
        assert status is not None, path
        return self._posted(status[2], json.loads(request.content))

    def _merge_requests(self, path: str) -> httpx.Response:
        if self.merge_requests is not None:
            return self.merge_requests()
        # Nothing was ever opened here.
        return httpx.Response(200, json=[]) if path.endswith("requests") else self.refused(404, "404 Not found")

    def _tag(self, name: str) -> httpx.Response:
        if self.no_tags:
            return httpx.Response(403, json={"error": "insufficient_granular_scope"})
        found = self.tags.get(name)
        return httpx.Response(200, json={"name": name}) if found else self.refused(404, "404 Tag Not Found")

    def _posted(self, sha: str, body: dict[str, Any]) -> httpx.Response:
        self.posts.append(body)
        if self.script:
            return self.script.pop(0)()
        key = (sha, str(body["name"]))
        if self.shown.get(key) == body["state"]:
            return self.refused(400, f"Cannot transition status via :run from :{body['state']} (Reason(s): Status)")
        self.shown[key] = body["state"]
        return httpx.Response(201, json={"id": 1, "pipeline_id": 99})

    @staticmethod
    def refused(status: int, message: str) -> httpx.Response:
        return httpx.Response(status, json={"message": message})

    @property
    def states(self) -> list[str]:
        return [str(post["state"]) for post in self.posts]


class GitLabs:
    """One integration's GitLab."""

    def __init__(self, wall: StatusWall) -> None:
        self.wall = wall
        self.opened = 0
        self.known: GitLabConnection | None = GitLabConnection(
            integration_id=INTEGRATION,
            credential_id="cred_1",
            base_url="https://gitlab.example/gitlab",
            user_id=1,
            is_admin=False,
            group=None,
            gitlab_version="18.3.0",
            paused=False,
            credential_works=True,
            manage_webhooks=True,
            report_statuses=True,
        )

    def connection(self, integration_id: str) -> GitLabConnection | None:
        return self.known if integration_id == INTEGRATION else None

    def open(self, connection: GitLabConnection) -> GitLab:
        self.opened += 1
        return client(self.wall)  # type: ignore[arg-type]  # any transport will do

    def set(self, **changes: Any) -> None:
        assert self.known is not None
        self.known = replace(self.known, **changes)
