"""What an integration's triggers make of an event, with the facts that the event leaves open."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.builds.triggers.changed_paths import ChangedPaths, listed_paths
from gitlab_hub.builds.triggers.evaluation import Decision, Facts, decide, needs_message, needs_paths
from gitlab_hub.builds.triggers.group_resolver import Ancestors
from gitlab_hub.builds.triggers.groups import TriggerGroups
from gitlab_hub.builds.triggers.model import Trigger
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.gitlab.webhooks.parse import HookEvent

_MAX_KEPT = 16
"""Integrations whose triggers one worker keeps in memory."""


class TriggerIndex:
    """Triggers by what they can be concerned with, so that an event meets only those of its kind and place."""

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        self._of_project: dict[tuple[str, int | None], list[Trigger]] = defaultdict(list)
        self._of_group: dict[tuple[str, int], list[Trigger]] = defaultdict(list)
        self._of_path: dict[tuple[str, str], list[Trigger]] = defaultdict(list)
        for trigger in triggers:
            self._add(trigger)
        self._kinds = {kind for kind, _ in self._of_path}

    def asks_for_groups(self, event: HookEvent) -> bool:
        """Whether it matters where the event's project lies."""
        return event.project_id is not None and event.kind in self._kinds

    def concerned(self, event: HookEvent, ancestors: Ancestors | None = None) -> Iterator[Trigger]:
        """The triggers that wait for such an event in its project or in a group above it."""
        yield from self._of_project.get((event.kind, event.project_id), ())
        if ancestors is None:
            yield from self._below_paths(event.kind, event.project_path or "")
            return
        met: set[str] = set()
        for trigger in self._below_groups(event, ancestors):
            if trigger.id not in met:
                met.add(trigger.id)
                yield trigger

    def _below_groups(self, event: HookEvent, ancestors: Ancestors) -> Iterator[Trigger]:
        for group in ancestors.groups:
            yield from self._of_group.get((event.kind, group.id), ())
        for trigger in self._below_paths(event.kind, event.project_path or ancestors.path):
            # Where all groups above are known, a path is another group's by now unless its id is among them.
            if not ancestors.complete or trigger.group_id is None:
                yield trigger

    def _below_paths(self, kind: str, path: str) -> Iterator[Trigger]:
        parts = path.lower().split("/")
        for depth in range(1, len(parts)):
            yield from self._of_path.get((kind, "/".join(parts[:depth])), ())

    def _add(self, trigger: Trigger) -> None:
        for kind in trigger.events:
            if trigger.group is None:
                self._of_project[kind, trigger.project_id].append(trigger)
                continue
            self._of_path[kind, trigger.group.lower()].append(trigger)
            if trigger.group_id is not None:
                self._of_group[kind, trigger.group_id].append(trigger)


@dataclass(slots=True)
class _CachedIndex:
    revision: int
    index: TriggerIndex


class TriggerMatcher:
    """Decides for all triggers that an event concerns.

    It keeps triggers in memory and asks with one small read per event whether they have changed.
    """

    def __init__(self, store: TriggerStore, sources: ChangedPaths, groups: TriggerGroups) -> None:
        self._store, self._sources, self._groups = store, sources, groups
        self._cache: dict[str, _CachedIndex] = {}

    def evaluate(
        self, integration_id: str, event: HookEvent, *, delivery_id: str | None = None
    ) -> Sequence[tuple[Trigger, Decision]]:
        """Decide for every trigger that waits for such an event there; none at all is an empty answer."""
        index, ancestors = self._index(integration_id), None
        if index.asks_for_groups(event):
            ancestors = self._groups.ancestors(integration_id, event)
        facts = _Facts(self._sources, integration_id, event, ancestors)
        met = list(index.concerned(event, ancestors))
        self._groups.update_names(met, ancestors)
        return [(trigger, decide(trigger, event, facts.of(trigger), delivery_id=delivery_id)) for trigger in met]

    def dry_run(self, trigger: Trigger, event: HookEvent) -> Decision:
        """Decide for one trigger, whether or not the event concerns it."""
        ancestors = None if trigger.group is None else self._groups.ancestors(trigger.integration_id, event)
        return decide(trigger, event, _Facts(self._sources, trigger.integration_id, event, ancestors).of(trigger))

    def _index(self, integration_id: str) -> TriggerIndex:
        revision, cached = self._store.revision(integration_id), self._cache.get(integration_id)
        if cached is None or cached.revision != revision:
            # Read after the revision: a change in between makes this newer than it says; the next event reads again.
            triggers = self._groups.with_group_ids(self._store.after(integration_id))
            cached = _CachedIndex(revision, TriggerIndex(triggers))
            self._cache.pop(integration_id, None)
            self._cache[integration_id] = cached
            while len(self._cache) > _MAX_KEPT:
                del self._cache[next(iter(self._cache))]
        return cached.index


class _Facts:
    """Facts of one event, each asked for at most once, and only when a decision hangs on it."""

    def __init__(
        self, sources: ChangedPaths, integration_id: str, event: HookEvent, ancestors: Ancestors | None
    ) -> None:
        self._sources, self._integration_id, self._event = sources, integration_id, event
        self._facts = Facts(ancestors=ancestors, own_paths=listed_paths(event))
        self._asked_message = event.message is not None
        self._asked_paths = False

    def of(self, trigger: Trigger) -> Facts:
        """The facts, complete where this trigger needs them."""
        if not self._asked_message and needs_message(trigger, self._event, self._facts):
            self._asked_message = True
            self._facts = replace(self._facts, message=self._message())
        if not self._asked_paths and needs_paths(trigger, self._event, self._facts):
            self._asked_paths = True
            self._facts = replace(self._facts, changed_paths=self._changed())
        return self._facts

    def _message(self) -> str | None:
        event = self._event
        if event.project_id is None or event.sha is None:
            return None
        return self._sources.commit_message(self._integration_id, event.project_id, event.sha)

    def _changed(self) -> Sequence[str] | None:
        event, found = self._event, self._event.merge_request
        if event.project_id is None or event.sha is None:
            return None
        if found is not None:
            return self._sources.merge_request_paths(self._integration_id, event.project_id, found.iid, event.sha)
        if not event.creates_ref and event.before is not None:
            return self._sources.changed_paths(self._integration_id, event.project_id, event.before, event.sha)
        if event.commits and event.default_branch not in {None, event.ref}:
            # Of a new branch GitLab lists what the default branch has not.
            base = event.default_branch or ""
            return self._sources.branch_paths(self._integration_id, event.project_id, base, event.sha)
        return None  # There is nothing to compare with.
