"""Everything that can be done to hooks on request."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitlab_hub.errors import HubError
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
from gitlab_hub.webhooks.hooks.group_fallback import ProjectFallback
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.missed_deliveries import Resender, ResendResult
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.registration import HookRequest, Registration, require_feature
from gitlab_hub.webhooks.hooks.removal import HookRemoval
from gitlab_hub.webhooks.hooks.repair import Repair
from gitlab_hub.webhooks.hooks.rotation import Rotation
from gitlab_hub.webhooks.hooks.secrets import HookSecrets

REQUEST_SECONDS = 20.0
"""How long one request works through a group's projects or through lost deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookService:
    """The parts behind the routes."""

    locks: HookLocks
    runner: GitLabRunner
    registration: Registration
    fallback: ProjectFallback
    repairs: Repair
    rotation: Rotation
    resender: Resender
    removal: HookRemoval
    clock: Callable[[], float]

    @property
    def secrets(self) -> HookSecrets:
        """Where secrets come from."""
        return self.locks.secrets

    def register(
        self, integration_id: str, request: HookRequest, *, seed: str, note: Callable[[Hook], None] = lambda _: None
    ) -> Hook:
        """Register a hook; of one that falls back to projects, the first ones are made at once, the rest hourly.

        `note` is told of the hook right before anything is kept or sent.
        """
        remaining = self._remaining()
        hook = self.registration.register(integration_id, request, seed=seed, note=note)
        return self._start_fallback(hook, remaining) if hook.uses_fallback and hook.fallback_done_at is None else hook

    def repair(self, integration_id: str, hook_id: str) -> Hook:
        """Repair a hook; one that falls back to projects goes on with them. Raises HubError."""
        remaining = self._remaining()
        hook = self.locks.require(integration_id, hook_id)
        if not hook.uses_fallback:
            return self.repairs.repair(integration_id, hook_id)
        connection = self.runner.connection(integration_id)
        require_feature(connection)
        return self.fallback.work(connection, hook, remaining)

    def resend_failed(self, integration_id: str, hook_id: str) -> ResendResult:
        """Look for lost deliveries. Raises HubError."""
        return self.resender.resend_failed(integration_id, hook_id, self._remaining())

    def require(self, integration_id: str, hook_id: str) -> Hook:
        """One hook. Raises NotFound."""
        return self.locks.require(integration_id, hook_id)

    def after(self, integration_id: str, position: str | None) -> Iterator[Hook]:
        """An integration's hooks behind an id."""
        return self.locks.store.of_integration(integration_id, position)

    def _start_fallback(self, hook: Hook, remaining: Callable[[], float]) -> Hook:
        try:
            return self.fallback.work(self.runner.connection(hook.integration_id), hook, remaining)
        except HubError:
            # The hook is registered; the caretaker goes on with its projects.
            return self.locks.require(hook.integration_id, hook.id)

    def _remaining(self) -> Callable[[], float]:
        ends = self.clock() + REQUEST_SECONDS
        return lambda: ends - self.clock()
