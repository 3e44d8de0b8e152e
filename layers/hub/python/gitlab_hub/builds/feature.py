"""The parts of builds put together over their ports; nothing is read or sent by putting them together."""

from collections.abc import Callable
from functools import cached_property

from gitlab_hub.builds.runs.ref_history import RefHistories
from gitlab_hub.builds.runs.service import BuildService, BuildTriggering
from gitlab_hub.builds.runs.store import KEPT_SECONDS, BuildStore
from gitlab_hub.builds.triggers.changed_paths import ChangedPaths
from gitlab_hub.builds.triggers.feature import TriggersFeature
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.storage.ports import OrderedQueue, Table


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
