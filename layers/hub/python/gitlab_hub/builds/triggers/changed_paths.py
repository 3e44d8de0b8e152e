"""What an event does not say and GitLab can: which paths a push or a merge request changes, what its commit says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gitlab_hub.builds.triggers.globs import first_passing
from gitlab_hub.builds.triggers.model import MERGE_REQUEST, PUSH, Globs
from gitlab_hub.builds.triggers.rules import Reason, passed, refused
from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.gitlab.fields import first_text, mapping, rows_in, texts_in
from gitlab_hub.gitlab.webhooks.parse import HookEvent

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab


# Whether something changed that a trigger is about.
#
# A push lists what its commits did, and that can say yes, but not no. GitLab lists a moved file as an added one only
# (its old name is nowhere: lib/gitlab/git/commit.rb, `raw_deltas` by new path), the newest 20 commits, and of a push
# by force those that the branch had not before, however far it was set back
# (app/services/git/branch_hooks_service.rb). So what the list does not say is asked of GitLab. What nobody can say
# counts as changed, also where the list looks whole, as a body does not say that it was forced: a build too many is
# cheaper than one that is missing.

# A change of more files than this is not looked through for every trigger.
MAX_PATHS = 10_000


def listed_paths(event: HookEvent) -> tuple[str, ...]:
    """The paths that a push itself names; there may be more."""
    if event.kind != PUSH:
        return ()
    return unique_paths(path for commit in event.commits for path in commit.paths) or ()


def unique_paths(paths: Iterable[str]) -> tuple[str, ...] | None:
    """Each path once, in order; None where there are too many."""
    found: dict[str, None] = {}
    for path in paths:
        found[path] = None
        if len(found) > MAX_PATHS:
            return None
    return tuple(found)


def paths_matter(globs: Globs, event: HookEvent) -> bool:
    """Whether what changed matters at all."""
    return bool(globs) and event.kind in {PUSH, MERGE_REQUEST} and not event.deletes_ref


def path_check(globs: Globs, event: HookEvent, own: Sequence[str], changed: Sequence[str] | None) -> Reason:
    """Whether one of the changed paths is included and not excluded.

    `own` are those that the event names, `changed` what GitLab says; None = nobody could say.
    """
    if not globs:
        return passed("paths_fit", "Any change will do.")
    if not paths_matter(globs, event):
        return passed("paths_not_asked", "Paths count for pushed commits and merge requests only.")
    fitting = first_passing(globs, own) or first_passing(globs, changed or ())
    if fitting is not None:
        return passed("paths_fit", f'"{fitting}" changed.')
    if changed is None:
        return passed("paths_unknown", "Nobody could say which paths changed, so it builds.")
    return refused("no_path_fits", f"None of the {len(changed)} changed paths is meant by the trigger.")


ANSWER_SECONDS, MESSAGE_SECONDS = 10.0, 5.0

Answer = TypeVar("Answer")


class ChangedPaths(Protocol):
    """Facts beyond an event. None = GitLab could not say, or not in time."""

    def changed_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """What differs between two commits, whether or not one leads to the other."""

    def branch_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """What a commit's branch has changed since it left another branch."""

    def merge_request_paths(self, integration_id: str, project_id: int, iid: int, sha: str) -> Sequence[str] | None:
        """What a merge request changes, as long as this commit is its head."""

    def commit_message(self, integration_id: str, project_id: int, sha: str) -> str | None:
        """The whole message of a commit."""


class GitLabChangedPaths:
    """Asks GitLab with the integration's own token.

    Nothing here is worth failing an event for: whatever goes wrong, the answer is None.
    """

    def __init__(self, gitlabs: GitLabs, *, seconds: float = ANSWER_SECONDS) -> None:
        self._gitlabs, self._seconds = gitlabs, seconds

    def changed_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """Compare two commits as they are: without `straight` GitLab would compare with their common ancestor."""
        query = {"from": base, "to": head, "straight": "true"}
        return self._asked(integration_id, lambda gitlab: _compared(gitlab, project_id, query))

    def branch_paths(self, integration_id: str, project_id: int, base: str, head: str) -> Sequence[str] | None:
        """Compare a commit with the common ancestor that it has with another branch."""
        return self._asked(integration_id, lambda gitlab: _compared(gitlab, project_id, {"from": base, "to": head}))

    def merge_request_paths(self, integration_id: str, project_id: int, iid: int, sha: str) -> Sequence[str] | None:
        """Read a merge request's files page by page (GitLab 15.7 and later)."""
        return self._asked(integration_id, lambda gitlab: _of_merge_request(gitlab, project_id, iid, sha))

    def commit_message(self, integration_id: str, project_id: int, sha: str) -> str | None:
        """Read a commit."""
        seconds = min(self._seconds, MESSAGE_SECONDS)
        return self._asked(integration_id, lambda gitlab: _message(gitlab, project_id, sha), seconds=seconds)

    def _asked(
        self, integration_id: str, ask: Callable[["GitLab"], Awaitable[Answer | None]], *, seconds: float | None = None
    ) -> Answer | None:
        connection = self._gitlabs.connection(integration_id)
        if connection is None or connection.paused or not connection.credential_works:
            return None

        async def asked() -> Answer | None:
            async with asyncio.timeout(seconds or self._seconds), self._gitlabs.open(connection) as gitlab:
                return await ask(gitlab)

        try:
            return asyncio.run(asked())
        except (HubError, TimeoutError):
            return None


async def _compared(gitlab: "GitLab", project_id: int, query: Mapping[str, str]) -> Sequence[str] | None:
    """Compare. Of a change that it did not look through as a whole GitLab says so, as `compare_timeout`.

    lib/api/entities/compare.rb: that is `diffs.overflow?`.
    """
    body = (await gitlab.get(f"/projects/{project_id}/repository/compare", query)).body
    if not isinstance(body, dict) or not isinstance(body.get("diffs"), list) or body.get("compare_timeout"):
        return None
    return unique_paths(_paths(body["diffs"]))


async def _of_merge_request(gitlab: "GitLab", project_id: int, iid: int, sha: str) -> Sequence[str] | None:
    here, files = f"/projects/{project_id}/merge_requests/{iid}", 0
    found: list[str] = []
    async for page in gitlab.pages(f"{here}/diffs"):
        found += _paths(page.rows)
        files += len(page.rows)
        if len(found) > 2 * MAX_PATHS:
            return None
    # Asked afterwards: if the head is still the same one, it was so all the time.
    body = (await gitlab.get(here)).body
    return unique_paths(found) if isinstance(body, dict) and _is_whole(body, sha, files) else None


def _is_whole(body: Mapping[str, Any], sha: str, files: int) -> bool:
    """Whether a list of so many files is everything that this head of a merge request changes.

    `changes_count` is a text (docs/api/merge_requests): "3"; "1000+" where GitLab did not look at more; null as long
    as it has not looked at the new head yet.
    """
    if body.get("sha") not in {None, sha}:
        return False
    if "changes_count" not in body:
        return files > 0
    count = str(body["changes_count"])
    return count.isascii() and count.isdigit() and int(count) <= files


async def _message(gitlab: "GitLab", project_id: int, sha: str) -> str | None:
    body = (await gitlab.get(f"/projects/{project_id}/repository/commits/{sha}")).body
    return first_text(mapping(body), "message")


def _paths(rows: Any) -> Iterator[str]:
    """Both names of each file: one that was moved away has changed too."""
    for row in rows_in(rows):
        yield from texts_in([row.get("old_path"), row.get("new_path")])
