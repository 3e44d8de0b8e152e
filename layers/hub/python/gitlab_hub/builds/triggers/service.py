"""Making, changing, removing and listing triggers."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.builds.triggers.checks import Checked, TriggerChecks, TriggerWarning
from gitlab_hub.builds.triggers.model import Trigger
from gitlab_hub.builds.triggers.ports import Integrations
from gitlab_hub.builds.triggers.requests import TriggerFields, TriggerPatchBody
from gitlab_hub.builds.triggers.store import TriggerStore
from gitlab_hub.errors import Conflict, NotFound, NotInGitLab
from gitlab_hub.ids import owned_id

MAX_LOOKED_INTO = 100
"""Integrations that one page of the list of all triggers looks into, as most may have none."""

Position = tuple[str, str | None]
"""An integration, and the trigger of it that was seen last; None = all of it was seen."""

Visible = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TriggerPage:
    """Triggers, and where the list goes on."""

    triggers: list[Trigger]
    next: Position | None


@dataclass(frozen=True, slots=True)
class TriggerResult:
    """A trigger, and what to mend before it does what it is for."""

    trigger: Trigger
    warnings: list[TriggerWarning]


class TriggerService:
    """All triggers, for those who manage them."""

    def __init__(
        self,
        *,
        store: TriggerStore,
        integrations: Integrations,
        audit: Audit,
        now: Callable[[], float],
        checks: TriggerChecks,
    ) -> None:
        self._store, self._integrations, self._audit, self._checks = store, integrations, audit, checks
        self._now = now

    def create(self, integration_id: str, fields: TriggerFields, *, actor: str, seed: str) -> TriggerResult:
        """Make a trigger; the same seed gives the same one.

        Raises NotFound (also where GitLab has no such project or group), Unprocessable or TriggerLimitReached.
        """
        if not self._integrations.exists(integration_id):
            raise NotFound("There is no such integration.")
        now, values = int(self._now()), fields.checked().values()
        self._checks.check_target(values["target"])
        trigger = Trigger(
            id=owned_id("trg", integration_id, hashlib.sha256(seed.encode()).hexdigest()[:20]),
            integration_id=integration_id,
            created_by=actor,
            created_at=now,
            updated_at=now,
            **values,
        )
        checked = self._checks.with_resolved_group(trigger)
        self._audit.record(
            AuditAction.TRIGGER_CREATE, actor=actor, integration_id=integration_id, trigger_id=trigger.id
        )
        made = self._store.add(checked.trigger)
        return TriggerResult(made, self._checks.warnings(replace(checked, trigger=made)))

    def read(self, trigger_id: str) -> TriggerResult:
        """A trigger, with what is known to be wrong of it without asking GitLab. Raises TriggerNotFound."""
        found = self._store.require(trigger_id)
        return TriggerResult(found, list(self._checks.of_target(found)))

    def change(self, trigger_id: str, patch: TriggerPatchBody, *, actor: str) -> TriggerResult:
        """Change a trigger. Raises TriggerNotFound, Unprocessable or, where it is another version by now, Conflict.

        Raises NotInGitLab where it gets a project or group that GitLab has not.
        """
        before = self._store.require(trigger_id)
        values = patch.onto(before).values()
        if "target" in patch.model_fields_set and values["target"] != before.target:
            self._checks.check_target(values["target"])
        checked = self._resolve_group(before, replace(before, **values))
        self._audit.record(
            AuditAction.TRIGGER_CHANGE,
            actor=actor,
            integration_id=before.integration_id,
            trigger_id=trigger_id,
            before=patch.named_of(before),
            after=patch.named_of(checked.trigger),
        )
        place = {"group": checked.trigger.group, "group_id": checked.trigger.group_id}
        made = self._store.change(trigger_id, lambda found: self._changed(found, patch, place))
        return TriggerResult(made, self._checks.warnings(replace(checked, trigger=made)))

    def remove(self, trigger_id: str, *, actor: str) -> None:
        """Remove a trigger; builds that it has made go on. Raises TriggerNotFound."""
        before = self._store.require(trigger_id)
        self._audit.record(
            AuditAction.TRIGGER_REMOVE, actor=actor, integration_id=before.integration_id, trigger_id=trigger_id
        )
        self._store.remove(trigger_id)

    def of_integration(self, integration_id: str, after: Position | None, limit: int) -> TriggerPage:
        """A page of one integration's triggers. Raises NotFound."""
        if not self._integrations.exists(integration_id):
            raise NotFound("There is no such integration.")
        position = None if after is None else after[1]
        return _page(((integration_id, one) for one in self._store.after(integration_id, position)), limit)

    def of_all(self, visible: Visible, after: Position | None, limit: int) -> TriggerPage:
        """A page of the triggers of all integrations that the caller may see; it may have fewer than `limit`."""
        return _page(self._everywhere(visible, after), limit)

    def _everywhere(self, visible: Visible, after: Position | None) -> Iterator[tuple[str, Trigger | None]]:
        """Every trigger behind a position, and None behind each integration's last."""
        if after is not None and after[1] is not None and (visible is None or after[0] in visible):
            yield from ((after[0], one) for one in self._store.after(after[0], after[1]))
            yield after[0], None
        for integration in self._integrations.after(None if after is None else after[0], among=visible):
            yield from ((integration.id, one) for one in self._store.after(integration.id))
            yield integration.id, None

    def _resolve_group(self, before: Trigger, after: Trigger) -> Checked:
        """Where the trigger is for; one that stays where it was may be changed although GitLab shows it no more."""
        if (before.project_id, before.group) != (after.project_id, after.group):
            return self._checks.with_resolved_group(replace(after, group_id=None))
        try:
            return self._checks.with_resolved_group(after)
        except NotInGitLab:
            return Checked(after, (), known=False)

    def _changed(self, found: Trigger, patch: TriggerPatchBody, place: Mapping[str, Any]) -> Trigger:
        if patch.version not in {None, found.version}:
            raise Conflict(f"The trigger is at version {found.version} by now; read it again.")
        values = patch.onto(found).values()
        values |= place
        return replace(found, **values, updated_at=int(self._now()), version=found.version + 1)


def _page(found: Iterator[tuple[str, Trigger | None]], limit: int) -> TriggerPage:
    triggers: list[Trigger] = []
    position: Position | None = None
    looked_into = 0
    for integration_id, trigger in found:
        if trigger is not None and len(triggers) == limit:
            return TriggerPage(triggers, position)
        position = (integration_id, None if trigger is None else trigger.id)
        if trigger is not None:
            triggers.append(trigger)
            continue
        looked_into += 1
        if looked_into == MAX_LOOKED_INTO:
            return TriggerPage(triggers, position)
    return TriggerPage(triggers, None)
