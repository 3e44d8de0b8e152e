"""The groups of triggers: found by their ids, whatever they are called, and called by their newest names."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Protocol

from gitlab_hub.builds.triggers.group_resolver import Ancestors, Group
from gitlab_hub.builds.triggers.model import Trigger
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.errors import Conflict, NotFound
from gitlab_hub.gitlab.errors import ResourceNotFound
from gitlab_hub.gitlab.webhooks.parse import HookEvent

MOST_ASKED = 10
"""Groups that one event asks for or renames; the next event goes on."""


class GroupLookup(Protocol):
    """Knows where projects and groups lie; None = it cannot say at the moment."""

    def project_ancestors(self, integration_id: str, project_id: int, path: str | None = None) -> Ancestors | None:
        """The groups above a project, which has this path as an event says."""

    def group(self, integration_id: str, group_id: int) -> Group | None:
        """A group as it is called now."""

    def group_by_path(self, integration_id: str, path: str) -> Group | None:
        """The group that has a path now. Raises ResourceNotFound where there is none."""

    def group_ancestors(self, integration_id: str, group_id: int) -> tuple[Group, ...] | None:
        """A group and those above it, the nearest first."""

    def project(self, integration_id: str, project_id: int) -> Ancestors | None:
        """Where a project lies at this moment. Raises ResourceNotFound where there is none."""


class TriggerGroups:
    """Keeps the groups of triggers what GitLab says they are."""

    def __init__(self, store: TriggerStore, group_lookup: GroupLookup) -> None:
        self._store, self._group_lookup = store, group_lookup

    def ancestors(self, integration_id: str, event: HookEvent) -> Ancestors | None:
        """Where an event's project lies."""
        if event.project_id is None:
            return None
        return self._group_lookup.project_ancestors(integration_id, event.project_id, event.project_path)

    def with_group_ids(self, triggers: Iterable[Trigger]) -> Iterator[Trigger]:
        """Triggers with the ids of their groups, as far as they can be learnt: the release before kept paths only."""
        asked: dict[str, Group | None] = {}
        for trigger in triggers:
            path = trigger.group if trigger.group_id is None else None
            if path is not None and path not in asked and len(asked) < MOST_ASKED:
                asked[path] = self._group_by_path(trigger.integration_id, path)
            found = None if path is None else asked.get(path)
            yield trigger if found is None else self._store_group(trigger, found)

    def update_names(self, triggers: Sequence[Trigger], ancestors: Ancestors | None) -> None:
        """Note what the groups of these triggers are called now; their events go on meanwhile."""
        found = ((trigger, _found(trigger, ancestors)) for trigger in triggers)
        news = (
            (trigger, group)
            for trigger, group in found
            if group is not None and (group.id, group.full_path) != (trigger.group_id, trigger.group)
        )
        for trigger, group in islice(news, MOST_ASKED):
            self._store_group(trigger, group)

    def paths(self, triggers: Iterable[Trigger]) -> list[str]:
        """What the groups of these triggers are called now."""
        found = []
        for trigger in triggers:
            if trigger.group is None:
                continue
            group = (
                None if trigger.group_id is None else self._group_lookup.group(trigger.integration_id, trigger.group_id)
            )
            found.append(trigger.group if group is None else group.full_path)
        return list(dict.fromkeys(found))

    def _group_by_path(self, integration_id: str, path: str) -> Group | None:
        try:
            return self._group_lookup.group_by_path(integration_id, path)
        except ResourceNotFound:
            return None

    def _store_group(self, trigger: Trigger, group: Group) -> Trigger:
        """Keep a group's id and path with its trigger, unless somebody has given it another group meanwhile."""

        def decide(now_is: Trigger) -> Trigger:
            if now_is.group != trigger.group or now_is.group_id not in {None, group.id}:
                raise Conflict("The trigger has another group by now.")
            return replace(now_is, group=group.full_path, group_id=group.id, version=now_is.version + 1)

        with suppress(Conflict, NotFound):
            return self._store.change(trigger.id, decide)
        return trigger


def _found(trigger: Trigger, ancestors: Ancestors | None) -> Group | None:
    if trigger.group is None or ancestors is None:
        return None
    if trigger.group_id is not None:
        return ancestors.group(trigger.group_id)
    return next((group for group in ancestors.groups if group.full_path.lower() == trigger.group.lower()), None)
