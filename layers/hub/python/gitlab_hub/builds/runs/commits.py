"""Finding the commit that a person means, in GitLab."""

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from gitlab_hub.builds.runs.errors import RefNotFound
from gitlab_hub.builds.triggers.model import BRANCH, TAG
from gitlab_hub.errors import IntegrationPaused
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound, Unauthorized, UnexpectedResponse
from gitlab_hub.gitlab.fields import first_text, mapping
from gitlab_hub.gitlab.messages import segment

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

_KINDS = {"refs/heads/": BRANCH, "refs/tags/": TAG}


class ResolvedCommit(NamedTuple):
    """A commit, and the short name and the kind of the ref that it was named by; both None where by its sha alone."""

    sha: str
    ref: str | None
    kind: str | None


class Commits:
    """Asks GitLab what a branch, a tag or a commit is. Raises GitLabErrors."""

    def __init__(self, gitlabs: GitLabs) -> None:
        self._gitlabs = gitlabs

    def require_connection(self, integration_id: str) -> GitLabConnection:
        """How to reach the GitLab of an integration that is built for. Raises IntegrationPaused or Unauthorized."""
        connection = self._gitlabs.connection(integration_id)
        if connection is None:
            raise Unauthorized("The integration has no credential. Give it one.", details={"reason": "unknown"})
        if connection.paused:
            raise IntegrationPaused("The integration is paused. Resume it to build.")
        return connection

    def resolve(self, integration_id: str, project_id: int, *, ref: str | None, sha: str | None) -> ResolvedCommit:
        """The commit of a sha, else of a ref. Raises RefNotFound, or as `require_connection` does.

        Of a branch and a tag of one name GitLab takes the tag, as git does; `refs/heads/…` and `refs/tags/…` say which.
        """
        connection = self.require_connection(integration_id)
        try:
            return asyncio.run(self._resolve(connection, project_id, ref, sha))
        except ResourceNotFound:
            raise RefNotFound("GitLab has no such branch, tag or commit in this project.") from None

    async def _resolve(
        self, connection: GitLabConnection, project_id: int, ref: str | None, sha: str | None
    ) -> ResolvedCommit:
        repository = f"/projects/{project_id}/repository"
        async with self._gitlabs.open(connection) as gitlab:
            body = (await gitlab.get(f"{repository}/commits/{segment(sha or ref or '')}")).body
            found = first_text(mapping(body), "id")
            if found is None:
                raise UnexpectedResponse("GitLab's answer is no commit.")
            return ResolvedCommit(found, *(await _kind_of(gitlab, repository, ref) if ref else (None, None)))


async def _kind_of(gitlab: "GitLab", repository: str, ref: str) -> tuple[str, str]:
    """The short name of a ref and what it is."""
    for prefix, kind in _KINDS.items():
        if ref.startswith(prefix):
            return ref.removeprefix(prefix), kind
    try:
        await gitlab.get(f"{repository}/tags/{segment(ref)}")
    except (ResourceNotFound, Forbidden):  # A fine-grained token may read commits and no tags.
        return ref, BRANCH
    return ref, TAG
