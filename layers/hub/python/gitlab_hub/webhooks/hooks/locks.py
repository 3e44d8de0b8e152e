"""The rows of hooks with their secrets: making them, claiming them for a change in GitLab, and dropping them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.storage.ports import Table
from gitlab_hub.webhooks.hooks.errors import HookBusy, place_name
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus
from gitlab_hub.webhooks.hooks.secrets import HookSecrets
from gitlab_hub.webhooks.hooks.store import HookStore

# Which webhooks need a person: an incident for each status that does, open for as long as the hook has it.

PREFIX = "hook_"

_HEALTHY = frozenset({HookStatus.ACTIVE, HookStatus.MANUAL})
_HINTS: dict[str, str] = {
    HookStatus.TEMPORARILY_DISABLED: "GitLab pauses this webhook because deliveries failed; it tries again by itself.",
    HookStatus.DISABLED: "GitLab switched this webhook off because deliveries failed: repair it.",
    HookStatus.MISSING: "Somebody removed this webhook in GitLab: repair it, or delete it here.",
    HookStatus.DRIFTED: "Somebody changed this webhook in GitLab: repair it.",
}
# Rows of a later release may name other statuses.
_DEFAULT_HINT = "Look after this webhook."


def incident_of(hook: Hook, *, now: int) -> Incident | None:
    """What a hook's status leaves for a person; None where it is in order. Pure."""
    if hook.status in _HEALTHY:
        return None
    return Incident(
        kind=PREFIX + hook.status,
        integration_id=hook.integration_id,
        subject=hook.id,
        at=now,
        hint=_HINTS.get(hook.status, _DEFAULT_HINT),
        details={"scope": hook.scope, "target": hook.target, "target_id": hook.target_id},
    )


class HookIncidents:
    """Keeps the incidents of hooks as their statuses are."""

    def __init__(self, incidents: IncidentStore, now: Callable[[], float]) -> None:
        self._incidents, self._now = incidents, now

    def status_changed(self, before: Hook, after: Hook) -> None:
        """Note that a hook has another status than before; the same one costs nothing."""
        if before.status != after.status:
            self.closed(before)
            self.opened(after)

    def opened(self, hook: Hook) -> None:
        """Open what a hook's status leaves for a person. Where it is open, that costs a read; in order, nothing."""
        incident = incident_of(hook, now=int(self._now()))
        if incident is not None:
            self._incidents.open(incident)

    def closed(self, hook: Hook) -> None:
        """Close what a hook left for a person: it is removed, or has another status."""
        if hook.status not in _HEALTHY:
            self._incidents.close(PREFIX + hook.status, hook.integration_id, hook.id)

    def reconcile(self, integration_id: str, hook_of: Callable[[str], Hook | None]) -> None:
        """Close what is over, where a crash came between a hook's row and its incident."""
        for incident in list(self._incidents.of(integration_id)):
            if incident.kind.startswith(PREFIX):
                hook = hook_of(incident.subject)
                if hook is None or PREFIX + hook.status != incident.kind:
                    self._incidents.close(incident.kind, integration_id, incident.subject)


LOCK_SECONDS = 60
"""Longer than any request lives: a claim that is older belongs to a process that has ended."""

_REMEMBERED_VERSIONS = 20


class HookLocks:
    """One writer at a time for what is about to change in GitLab; everybody else may still read."""

    def __init__(self, table: Table, secrets: HookSecrets, incidents: IncidentStore, now: Callable[[], float]) -> None:
        self.store, self.secrets, self._now = HookStore(table), secrets, now
        self.incidents = HookIncidents(incidents, now)

    def now(self) -> int:
        """The time in unix seconds."""
        return int(self._now())

    def add(self, hook: Hook) -> Hook:
        """Keep a new hook, or find what was kept before. Raises NotFound where it was removed."""
        return self.store.create(hook, self._fingerprint(hook))

    def require(self, integration_id: str, hook_id: str) -> Hook:
        """One hook of an integration. Raises NotFound."""
        return self.store.require(integration_id, hook_id)

    def of(self, integration_id: str) -> Iterator[Hook]:
        """All hooks of an integration."""
        return self.store.of_integration(integration_id)

    def at_same_place(self, hook: Hook) -> Iterable[Hook]:
        """The hooks that may hang where this one is to hang: of a project only its own are read."""
        if hook.scope == Scope.PROJECT and hook.target_id is not None:
            return self.store.of_projects(hook.integration_id, [hook.target_id])
        return self.of(hook.integration_id)

    def acquire(self, hook: Hook, decide: Callable[[Hook], Hook] = lambda hook: hook) -> Hook:
        """Take the sole right to change a hook in GitLab, and note what is about to change. Raises HookBusy."""
        now = self.now()

        def locked(stored: Hook) -> Hook:
            if stored.locked_until > now:
                raise _busy(stored)
            return replace(decide(stored), locked_until=now + LOCK_SECONDS)

        return self.store.change(hook.id, locked)

    def commit(self, locked: Hook, decide: Callable[[Hook], Hook]) -> Hook:
        """Write down what came of a change, and give the claim back; a claim that somebody else has by now stays."""

        def kept(stored: Hook) -> Hook | None:
            if stored.locked_until != locked.locked_until:
                return None
            return replace(decide(stored), locked_until=0)

        return self.note(locked.id, kept)

    def note(self, hook_id: str, decide: Callable[[Hook], Hook | None]) -> Hook:
        """Write down how a hook is by now; what that leaves for a person, or ends, is an incident. Raises NotFound."""
        seen: list[Hook] = []

        def remembered(stored: Hook) -> Hook | None:
            seen.append(stored)
            return decide(stored)

        after = self.store.change(hook_id, remembered)
        self.incidents.status_changed(seen[-1], after)
        return after

    def release(self, locked: Hook) -> Hook:
        """Give a claim back; nothing has changed."""
        return self.commit(locked, lambda hook: hook)

    def acquire_for_rotation(self, hook: Hook, decide: Callable[[Hook], Hook]) -> Hook:
        """Claim a hook and give it the next version of its secrets, by which it can be found from now on."""
        version = hook.secret_version + 1
        pointer = self.secrets.fingerprint(self.secrets.token(hook.id, version))
        now = self.now()

        def locked(stored: Hook) -> Hook:
            if stored.locked_until > now or stored.secret_version != hook.secret_version:
                raise _busy(stored)
            return replace(decide(stored), secret_version=version, locked_until=now + LOCK_SECONDS)

        return self.store.change(hook.id, locked, fingerprint=pointer)

    def delete(self, hook: Hook) -> None:
        """Remove a hook for good: from now on its deliveries are refused."""
        self.store.remove(hook, self._fingerprints(hook), now=self.now())
        self.incidents.closed(hook)

    def delete_all(self, hooks: Sequence[Hook]) -> None:
        """Remove many hooks for good."""
        self.store.remove_all(hooks, self._fingerprints, now=self.now())

    def discard(self, hook: Hook) -> None:
        """Delete a hook that GitLab has refused; the same request may be made again."""
        self.store.discard(hook, self._fingerprints(hook))
        self.incidents.closed(hook)

    def _fingerprint(self, hook: Hook) -> str:
        return self.secrets.fingerprint(self.secrets.token(hook.id, hook.secret_version))

    def _fingerprints(self, hook: Hook) -> list[str]:
        # Older ones lead to a hook that is not there.
        newest = hook.secret_version + 1
        versions = range(max(1, newest - _REMEMBERED_VERSIONS), newest + 1)
        return [self.secrets.fingerprint(self.secrets.token(hook.id, version)) for version in versions]


def _busy(hook: Hook) -> HookBusy:
    place = place_name(hook.scope, hook.target)
    return HookBusy(f"The webhook of {place} is just being changed in GitLab; try again in a minute.", retry_after=30)
