"""Which webhooks need a person: an incident for each status that does, open for as long as the hook has it."""

from collections.abc import Callable

from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.webhooks.model import Hook, HookStatus

PREFIX = "hook_"

_FINE = frozenset({HookStatus.ACTIVE, HookStatus.MANUAL})
_HINTS: dict[str, str] = {
    HookStatus.TEMPORARILY_DISABLED: "GitLab pauses this webhook because deliveries failed; it tries again by itself.",
    HookStatus.DISABLED: "GitLab switched this webhook off because deliveries failed: repair it.",
    HookStatus.MISSING: "Somebody removed this webhook in GitLab: repair it, or delete it here.",
    HookStatus.DRIFTED: "Somebody changed this webhook in GitLab: repair it.",
}
# Rows of a later release may name other statuses.
_OTHERWISE = "Look after this webhook."


def incident_of(hook: Hook, *, now: int) -> Incident | None:
    """What a hook's status leaves for a person; None where it is in order. Pure."""
    if hook.status in _FINE:
        return None
    return Incident(
        kind=PREFIX + hook.status,
        integration_id=hook.integration_id,
        subject=hook.id,
        at=now,
        hint=_HINTS.get(hook.status, _OTHERWISE),
        details={"scope": hook.scope, "target": hook.target, "target_id": hook.target_id},
    )


class HookIncidents:
    """Keeps the incidents of hooks as their statuses are."""

    def __init__(self, incidents: IncidentStore, now: Callable[[], float]) -> None:
        self._incidents, self._now = incidents, now

    def turned(self, before: Hook, after: Hook) -> None:
        """Note that a hook has another status than before; the same one costs nothing."""
        if before.status != after.status:
            self.gone(before)
            self.found(after)

    def found(self, hook: Hook) -> None:
        """Open what a hook's status leaves for a person. Where it is open, that costs a read; in order, nothing."""
        incident = incident_of(hook, now=int(self._now()))
        if incident is not None:
            self._incidents.open(incident)

    def gone(self, hook: Hook) -> None:
        """Close what a hook left for a person: it is removed, or has another status."""
        if hook.status not in _FINE:
            self._incidents.close(PREFIX + hook.status, hook.integration_id, hook.id)

    def settle(self, integration_id: str, hook_of: Callable[[str], Hook | None]) -> None:
        """Close what is over, where a crash came between a hook's row and its incident."""
        for incident in list(self._incidents.of(integration_id)):
            if incident.kind.startswith(PREFIX):
                hook = hook_of(incident.subject)
                if hook is None or PREFIX + hook.status != incident.kind:
                    self._incidents.close(incident.kind, integration_id, incident.subject)
