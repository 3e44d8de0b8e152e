"""Whether a hook may speak of a project, asked of GitLab by their ids: paths change, and a body names a path only."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import first_id, first_text, is_within, mapping, part
from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
from gitlab_hub.webhooks.hooks.mapping import Place, look_up
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.store import HookStore

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab

DEADLINE_SECONDS = 5.0
"""For the two questions together: a worker has more to do."""


class ScopeLookup(NamedTuple):
    """Where a hook hangs, and a project's path, as GitLab has them now."""

    place: Place
    project_path: str


class HookScopes:
    """Asks where a renamed or moved group and project are by now, and keeps what it finds."""

    def __init__(self, store: HookStore, runner: GitLabRunner) -> None:
        self._store, self._runner = store, runner

    def covers(self, integration_id: str, hook_id: str, project_id: int) -> bool:
        """Whether a hook may speak of a project; what GitLab does not show (any more) is none of it.

        Raises GitLabError where GitLab cannot say: then it is to be asked again.
        """
        hook = self._store.require(integration_id, hook_id)
        connection = self._runner.connection(integration_id)
        try:
            seen = self._runner.run(connection, lambda gitlab: _look_up(gitlab, hook, project_id))
        except ResourceNotFound:
            return False
        self._store.change(hook.id, lambda stored: with_place(stored, seen.place))
        if hook.scope == Scope.PROJECT:
            return seen.place.id == project_id
        return is_within(seen.project_path, seen.place.path)


class HookCoverage:
    """Which projects some hooks hear of. Each group's path is looked up once, where the kept ones do not answer."""

    def __init__(self, hooks: Sequence[Hook], store: HookStore) -> None:
        self._hooks, self._store = list(hooks), store
        self._asked: set[str] = set()

    async def covers(self, gitlab: "GitLab", project_id: int, path: str | None) -> bool:
        """Whether one of the hooks hears of this project, whose path is known by its id. Raises GitLabError."""
        if any(_covers(hook, project_id, path) for hook in self._hooks):
            return True
        for number, hook in enumerate(self._hooks):
            if hook.scope == Scope.GROUP and hook.id not in self._asked:
                self._asked.add(hook.id)
                self._hooks[number] = await self._located(gitlab, hook)
                if _covers(self._hooks[number], project_id, path):
                    return True
        return False

    async def _located(self, gitlab: "GitLab", hook: Hook) -> Hook:
        try:
            place = await place_of(gitlab, hook)
        except (ResourceNotFound, Forbidden):
            return hook
        return self._store.change(hook.id, lambda stored: with_place(stored, place))


def _covers(hook: Hook, project_id: int, path: str | None) -> bool:
    match hook.scope:
        case Scope.PROJECT:
            return hook.target_id == project_id
        case Scope.GROUP:
            return path is not None and is_within(path, hook.target)
    return True


async def place_of(gitlab: "GitLab", hook: Hook) -> Place:
    """Where a hook's project or group is now, by its id; by its path where a row has no id. Raises GitLabError."""
    return await look_up(gitlab, hook.scope, hook.target if hook.target_id is None else hook.target_id)


def with_place(hook: Hook, place: Place) -> Hook:
    """A hook that hangs there: its id once it is known, and its path as it is now."""
    if (hook.target_id, hook.target) == (place.id, place.path):
        return hook
    return hook.moved_to(place.id if hook.target_id is None else hook.target_id, place.path)


async def _look_up(gitlab: "GitLab", hook: Hook, project_id: int) -> ScopeLookup:
    project = await look_up(gitlab, Scope.PROJECT, project_id)
    try:
        return ScopeLookup(await place_of(gitlab, hook), project.path)
    except Forbidden:
        place = await _place_above(gitlab, hook, project_id)
        if place is None:
            raise
        return ScopeLookup(place, project.path)


async def _place_above(gitlab: "GitLab", hook: Hook, project_id: int) -> Place | None:
    """Where a hook's group is, if it is one of the two above a project: these the project's own page names by ids.

    So much a fine-grained token may read without `Group: Read` (lib/api/entities/namespace_basic.rb).
    """
    namespace = part(mapping((await gitlab.get(f"/projects/{project_id}")).body), "namespace")
    path = first_text(namespace, "full_path") or ""
    above = {first_id(namespace, "id"): path, first_id(namespace, "parent_id"): path.rpartition("/")[0]}
    found = None if hook.target_id is None else above.get(hook.target_id)
    return Place(id=hook.target_id, path=found) if found else None
