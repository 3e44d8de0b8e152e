"""Telling a late event from a new one, where a trigger wants only the newest build of a branch.

GitLab delivers each event in a job of its own, and a lost delivery is sent again an hour later: a push may arrive
behind the one that followed it. Its build must not cancel that of the newer commit. But a branch can also be set back,
and then it is the newest: what the events say only raises the question, and GitLab answers it.
"""

import asyncio
from typing import TYPE_CHECKING

from gitlab_hub.builds.runs.model import Build
from gitlab_hub.builds.triggers.model import BRANCH, TAG
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.gitlab.fields import first_text, mapping
from gitlab_hub.gitlab.messages import segment

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

ANSWER_SECONDS = 5.0
_REFS = {BRANCH: "refs/heads/", TAG: "refs/tags/"}


def may_follow(other: Build, build: Build) -> bool:
    """Whether another build's event may have come after that of this one: it moved the ref on from this commit."""
    return build.before is not None and other.before == build.sha and build.before != other.sha


class RefHeads:
    """Asks GitLab where branches and tags are."""

    def __init__(self, gitlabs: GitLabs) -> None:
        self._gitlabs = gitlabs

    def has_left(self, build: Build) -> bool:
        """Whether a build's ref is at another commit by now; False where GitLab does not say, or not in time."""
        connection = self._gitlabs.connection(build.integration_id)
        if build.kind not in _REFS or connection is None or connection.paused:
            return False

        async def asked() -> str | None:
            async with asyncio.timeout(ANSWER_SECONDS), self._gitlabs.open(connection) as gitlab:
                return await _head(gitlab, build)

        try:
            return asyncio.run(asked()) not in {None, build.sha}
        except (HubError, TimeoutError):
            return False


async def _head(gitlab: "GitLab", build: Build) -> str | None:
    ref = segment(f"{_REFS[build.kind]}{build.ref}")
    return first_text(mapping((await gitlab.get(f"/projects/{build.project_id}/repository/commits/{ref}")).body), "id")
