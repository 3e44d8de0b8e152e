"""What an event does not say and GitLab can: which paths a push or a merge request changes."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from gitlab_hub.builds.paths import MAX_PATHS, bounded
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabs, Reach
from gitlab_hub.gitlab.hook_fields import objects, texts

ANSWER_SECONDS = 10.0


class Sources(Protocol):
    """Facts beyond an event. None = GitLab could not say, or not in time."""

    def changed_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """What changed on the way from one commit to another."""

    def merge_request_paths(self, integration_id: str, project_id: int, iid: int) -> Sequence[str] | None:
        """What a merge request changes."""


class GitLabSources:
    """Asks GitLab with the integration's own token.

    Nothing here is worth failing an event for: whatever goes wrong, the answer is None.
    """

    def __init__(self, gitlabs: GitLabs, *, seconds: float = ANSWER_SECONDS) -> None:
        self._gitlabs, self._seconds = gitlabs, seconds

    def changed_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """Compare two commits. Of a change that it did not look through GitLab says so: `compare_timeout`."""
        reach = self._usable(integration_id)
        return None if reach is None else asyncio.run(self._compared(reach, project_id, base, head))

    def merge_request_paths(self, integration_id: str, project_id: int, iid: int) -> Sequence[str] | None:
        """Read a merge request's files page by page (GitLab 15.7 and later)."""
        reach = self._usable(integration_id)
        return None if reach is None else asyncio.run(self._of_merge_request(reach, project_id, iid))

    def _usable(self, integration_id: str) -> Reach | None:
        reach = self._gitlabs.reach(integration_id)
        return None if reach is None or reach.paused or not reach.credential_works else reach

    async def _compared(self, reach: Reach, project_id: int, base: str, head: str) -> Sequence[str] | None:
        path, query = f"/projects/{project_id}/repository/compare", {"from": base, "to": head}
        try:
            async with asyncio.timeout(self._seconds), self._gitlabs.open(reach) as gitlab:
                body = (await gitlab.get(path, query)).body
        except (HubError, TimeoutError):
            return None
        if not isinstance(body, dict) or not isinstance(body.get("diffs"), list) or body.get("compare_timeout"):
            return None
        return bounded(_paths(body["diffs"]))

    async def _of_merge_request(self, reach: Reach, project_id: int, iid: int) -> Sequence[str] | None:
        found: list[str] = []
        try:
            async with asyncio.timeout(self._seconds), self._gitlabs.open(reach) as gitlab:
                async for page in gitlab.pages(f"/projects/{project_id}/merge_requests/{iid}/diffs"):
                    found += _paths(page.rows)
                    if len(found) > 2 * MAX_PATHS:
                        return None
        except (HubError, TimeoutError):
            return None
        return bounded(found)


def _paths(rows: Any) -> Iterator[str]:
    """Both names of each file: one that was moved away has changed too."""
    for row in objects(rows):
        yield from texts([row.get("old_path"), row.get("new_path")])
