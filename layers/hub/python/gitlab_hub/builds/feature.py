"""The parts of builds put together over their ports; nothing is read or sent by putting them together."""

import time
from collections.abc import Callable
from functools import cached_property

from gitlab_hub.builds.runs.ref_history import RefHistories
from gitlab_hub.builds.runs.service import BuildService, BuildTriggering
from gitlab_hub.builds.runs.store import KEPT_SECONDS, BuildStore
from gitlab_hub.builds.triggers.changed_paths import ChangedPaths, GitLabChangedPaths
from gitlab_hub.builds.triggers.group_resolver import GroupResolver
from gitlab_hub.builds.triggers.groups import GroupLookup, TriggerGroups
from gitlab_hub.builds.triggers.matching import TriggerMatcher
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.storage.ports import OrderedQueue, Table


class TriggersFeature:
    """Everything about triggers: their store, their places, their decisions."""

    def __init__(
        self,
        *,
        table: Table,
        gitlabs: GitLabs,
        sources: ChangedPaths | None = None,
        group_lookup: GroupLookup | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.group_lookup = TriggerStore(table), group_lookup or GroupResolver(table, gitlabs, now)
        self._sources, self._gitlabs = sources or GitLabChangedPaths(gitlabs), gitlabs

    @cached_property
    def groups(self) -> TriggerGroups:
        """The groups that triggers are for."""
        return TriggerGroups(self.store, self.group_lookup)

    @cached_property
    def matcher(self) -> TriggerMatcher:
        """What decides about events."""
        return TriggerMatcher(self.store, self._sources, self.groups)


class BuildsFeature:
    """Everything between an event and a build in AWS, and back."""

    def __init__(
        self,
        *,
        table: Table,
        queue: OrderedQueue,
        gitlabs: GitLabs,
        sources: ChangedPaths | None = None,
        now: Callable[[], float],
    ) -> None:
        self.store = BuildStore(table)
        self.triggers = TriggersFeature(table=table, gitlabs=gitlabs, sources=sources, now=now)
        self.service = BuildService(self.store, RefHistories(table, kept_seconds=KEPT_SECONDS), queue, now)
        self.gitlabs, self.now = gitlabs, now

    @cached_property
    def builds(self) -> BuildTriggering:
        """What takes the events of webhooks."""
        return BuildTriggering(self.triggers.matcher, self.service)
