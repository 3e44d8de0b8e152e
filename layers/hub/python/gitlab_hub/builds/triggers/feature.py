"""Triggers put together over their ports; nothing is read or sent by putting them together."""

import time
from collections.abc import Callable
from functools import cached_property

from gitlab_hub.builds.triggers.changed_paths import ChangedPaths, GitLabChangedPaths
from gitlab_hub.builds.triggers.groups import Places, TriggerGroups
from gitlab_hub.builds.triggers.matching import TriggerMatcher
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.places import Places as StoredPlaces
from gitlab_hub.storage.ports import Table


class TriggersFeature:
    """Everything about triggers: their store, their places, their decisions."""

    def __init__(
        self,
        *,
        table: Table,
        gitlabs: GitLabs,
        sources: ChangedPaths | None = None,
        places: Places | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.places = TriggerStore(table), places or StoredPlaces(table, gitlabs, now)
        self._sources, self._gitlabs = sources or GitLabChangedPaths(gitlabs), gitlabs

    @cached_property
    def groups(self) -> TriggerGroups:
        """The groups that triggers are for."""
        return TriggerGroups(self.store, self.places)

    @cached_property
    def deciding(self) -> TriggerMatcher:
        """What decides about events."""
        return TriggerMatcher(self.store, self._sources, self.groups)
