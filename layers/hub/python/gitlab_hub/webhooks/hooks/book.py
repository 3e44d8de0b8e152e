"""The rows of hooks with their secrets: making them, claiming them for a change in GitLab, and dropping them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.storage.table import Table
from gitlab_hub.webhooks.hook_store import HookStore
from gitlab_hub.webhooks.hooks.errors import HookBusy, place_name
from gitlab_hub.webhooks.hooks.incidents import HookIncidents
from gitlab_hub.webhooks.model import Hook, Scope
from gitlab_hub.webhooks.secrets import HookSecrets

CLAIM_SECONDS = 60
"""Longer than any request lives: a claim that is older belongs to a process that has ended."""

_REMEMBERED_VERSIONS = 20


class HookBook:
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

    def beside(self, hook: Hook) -> Iterable[Hook]:
        """The hooks that may hang where this one is to hang: of a project only its own are read."""
        if hook.scope == Scope.PROJECT and hook.target_id is not None:
            return self.store.of_projects(hook.integration_id, [hook.target_id])
        return self.of(hook.integration_id)

    def claim(self, hook: Hook, decide: Callable[[Hook], Hook] = lambda hook: hook) -> Hook:
        """Take the sole right to change a hook in GitLab, and note what is about to change. Raises HookBusy."""
        now = self.now()

        def claimed(stored: Hook) -> Hook:
            if stored.working_until > now:
                raise _busy(stored)
            return replace(decide(stored), working_until=now + CLAIM_SECONDS)

        return self.store.change(hook.id, claimed)

    def keep(self, claimed: Hook, decide: Callable[[Hook], Hook]) -> Hook:
        """Write down what came of a change, and give the claim back; a claim that somebody else has by now stays."""

        def kept(stored: Hook) -> Hook | None:
            if stored.working_until != claimed.working_until:
                return None
            return replace(decide(stored), working_until=0)

        return self.note(claimed.id, kept)

    def note(self, hook_id: str, decide: Callable[[Hook], Hook | None]) -> Hook:
        """Write down how a hook is by now; what that leaves for a person, or ends, is an incident. Raises NotFound."""
        seen: list[Hook] = []

        def remembered(stored: Hook) -> Hook | None:
            seen.append(stored)
            return decide(stored)

        after = self.store.change(hook_id, remembered)
        self.incidents.turned(seen[-1], after)
        return after

    def free(self, claimed: Hook) -> Hook:
        """Give a claim back; nothing has changed."""
        return self.keep(claimed, lambda hook: hook)

    def rotated(self, hook: Hook, decide: Callable[[Hook], Hook]) -> Hook:
        """Claim a hook and give it the next version of its secrets, by which it can be found from now on."""
        version = hook.secret_version + 1
        pointer = self.secrets.fingerprint(self.secrets.token(hook.id, version))
        now = self.now()

        def claimed(stored: Hook) -> Hook:
            if stored.working_until > now or stored.secret_version != hook.secret_version:
                raise _busy(stored)
            return replace(decide(stored), secret_version=version, working_until=now + CLAIM_SECONDS)

        return self.store.change(hook.id, claimed, fingerprint=pointer)

    def drop(self, hook: Hook) -> None:
        """Remove a hook for good: from now on its deliveries are refused."""
        self.store.remove(hook, self._fingerprints(hook), now=self.now())
        self.incidents.gone(hook)

    def drop_all(self, hooks: Sequence[Hook]) -> None:
        """Remove many hooks for good."""
        self.store.remove_all(hooks, self._fingerprints, now=self.now())

    def withdraw(self, hook: Hook) -> None:
        """Forget a hook that GitLab has refused; the same request may be made again."""
        self.store.withdraw(hook, self._fingerprints(hook))
        self.incidents.gone(hook)

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
