"""Triggers put together over their ports; nothing is read or sent by putting them together."""

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from gitlab_hub.builds.deciding import Deciding
from gitlab_hub.builds.sources import GitLabSources, Sources
from gitlab_hub.builds.trigger_book import TriggerBook
from gitlab_hub.builds.trigger_checks import CheckTarget, TriggerChecks
from gitlab_hub.builds.trigger_groups import Places, TriggerGroups
from gitlab_hub.builds.trigger_ports import Audit, Hooks, Integrations
from gitlab_hub.builds.trigger_routes import TriggerRoutes
from gitlab_hub.builds.trigger_store import TriggerStore
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.places import Places as StoredPlaces
from gitlab_hub.storage.table import Table
from gitlab_hub.web.cursors import Cursors


def _any_target(target: Mapping[str, Any]) -> None:
    """Take every target that is well formed."""


class TriggersFeature:
    """Everything about triggers: their store, their decisions, their routes."""

    def __init__(
        self,
        *,
        table: Table,
        gitlabs: GitLabs,
        sources: Sources | None = None,
        places: Places | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.places = TriggerStore(table), places or StoredPlaces(table, gitlabs, now)
        self._sources, self._gitlabs = sources or GitLabSources(gitlabs), gitlabs

    @cached_property
    def groups(self) -> TriggerGroups:
        """The groups that triggers are for."""
        return TriggerGroups(self.store, self.places)

    @cached_property
    def deciding(self) -> Deciding:
        """What decides about events."""
        return Deciding(self.store, self._sources, self.groups)

    def routes(
        self,
        *,
        integrations: Integrations,
        audit: Audit,
        cursors: Cursors,
        now: Callable[[], float],
        check_target: CheckTarget = _any_target,
        hooks: Hooks | None = None,
    ) -> TriggerRoutes:
        """The part of the API about triggers. `check_target` raises a HubError for a target that is not allowed."""
        checks = TriggerChecks(places=self.places, gitlabs=self._gitlabs, hooks=hooks, check_target=check_target)
        book = TriggerBook(
            store=self.store,
            integrations=integrations,
            audit=audit,
            now=now,
            checks=checks,
        )
        return TriggerRoutes(book=book, store=self.store, deciding=self.deciding, cursors=cursors)
