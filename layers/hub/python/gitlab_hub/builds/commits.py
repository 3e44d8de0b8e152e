"""Finding the commit that a person means, in GitLab."""

import asyncio
from typing import Any

from gitlab_hub.builds.build_errors import IntegrationPaused, RefNotFound
from gitlab_hub.gitlab.clients import GitLabs, Reach
from gitlab_hub.gitlab.errors import Missing, Unauthorized, UnexpectedResponse
from gitlab_hub.gitlab.protocol import segment


class Commits:
    """Asks GitLab what a branch, a tag or a commit is, and where a project lies. Raises GitLabErrors."""

    def __init__(self, gitlabs: GitLabs) -> None:
        self._gitlabs = gitlabs

    def usable(self, integration_id: str) -> Reach:
        """How to reach the GitLab of an integration that is built for. Raises IntegrationPaused or Unauthorized."""
        reach = self._gitlabs.reach(integration_id)
        if reach is None:
            raise Unauthorized("The integration has no credential. Give it one.", details={"reason": "unknown"})
        if reach.paused:
            raise IntegrationPaused("The integration is paused. Resume it to build.")
        return reach

    def resolve(self, integration_id: str, project_id: int, ref: str) -> str:
        """The full sha of a ref. Raises RefNotFound, or as `usable` does."""
        reach = self.usable(integration_id)
        try:
            body = asyncio.run(self._commit(reach, project_id, ref))
        except Missing:
            raise RefNotFound("GitLab has no such branch, tag or commit in this project.") from None
        sha = body.get("id") if isinstance(body, dict) else None
        if not isinstance(sha, str) or not sha:
            raise UnexpectedResponse("GitLab's answer is no commit.")
        return sha

    def path_of(self, integration_id: str, project_id: int) -> str | None:
        """The full path of a project; None where GitLab shows none of this id. Raises as `usable` does."""
        reach = self.usable(integration_id)
        try:
            body = asyncio.run(self._project(reach, project_id))
        except Missing:
            return None
        path = body.get("path_with_namespace") if isinstance(body, dict) else None
        return path if isinstance(path, str) else None

    async def _project(self, reach: Reach, project_id: int) -> Any:
        async with self._gitlabs.open(reach) as gitlab:
            return (await gitlab.get(f"/projects/{project_id}")).body

    async def _commit(self, reach: Reach, project_id: int, ref: str) -> Any:
        async with self._gitlabs.open(reach) as gitlab:
            return (await gitlab.get(f"/projects/{project_id}/repository/commits/{segment(ref)}")).body
