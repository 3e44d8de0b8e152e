"""The parts of hook management put together over its ports; nothing is read or sent by putting them together."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.storage.ports import Table
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner
from gitlab_hub.webhooks.hooks.group_fallback import ProjectFallback
from gitlab_hub.webhooks.hooks.health_check import HookHealthCheck
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.missed_deliveries import Deliveries, Resender
from gitlab_hub.webhooks.hooks.missed_pushes import LIST_DEADLINE, Announce, MissedPushes
from gitlab_hub.webhooks.hooks.ref_snapshots import RefSnapshots
from gitlab_hub.webhooks.hooks.registration import Registration
from gitlab_hub.webhooks.hooks.removal import HookRemoval
from gitlab_hub.webhooks.hooks.repair import Repair
from gitlab_hub.webhooks.hooks.rotation import Rotation
from gitlab_hub.webhooks.hooks.schemas import WebhookView
from gitlab_hub.webhooks.hooks.secrets import HookSecrets
from gitlab_hub.webhooks.hooks.service import HookService

MOST_SHOWN = 100
"""Hooks read to show an integration; `list_webhooks` has them all, page by page."""


class HooksFeature:
    """Everything about hooks but receiving what they send."""

    def __init__(
        self,
        *,
        table: Table,
        secrets: HookSecrets,
        incidents: IncidentStore,
        gitlabs: GitLabs,
        deliveries: Deliveries,
        webhook_url: Callable[[], str],
        now: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refs = RefSnapshots(table)
        self._gitlabs, self._deliveries, self._clock = gitlabs, deliveries, clock
        self._locks, self._runner = HookLocks(table, secrets, incidents, now), GitLabRunner(gitlabs)
        self._webhook_url = webhook_url

    @cached_property
    def removal(self) -> HookRemoval:
        """What removes hooks, all of an integration's too."""
        return HookRemoval(self._locks, self._runner)

    def summary(self, integration_id: str) -> dict[str, Any]:
        """What an integration shows of its hooks: two reads, however many there are.

        `hooks` (without those that stand in for a group's), `hooks_complete` (whether these are all) and
        `last_delivery_at` (unix seconds, or None).
        """
        hooks, complete = self._locks.store.first(integration_id, MOST_SHOWN)
        # Hooks that were heard of before integrations noted it know it themselves.
        heard = [self._locks.store.last_delivery_at(integration_id), *(hook.last_delivery_at for hook in hooks)]
        return {
            "hooks": [WebhookView.of(hook).model_dump(mode="json") for hook in hooks if hook.parent_id is None],
            "hooks_complete": complete,
            "last_delivery_at": max((at for at in heard if at is not None), default=None),
        }

    def of_projects(self, integration_id: str, project_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Id and status of the hook that hangs on each of these projects; those without one are left out."""
        hooks = self._locks.store.of_projects(integration_id, project_ids)
        return {hook.target_id: (hook.id, hook.status) for hook in hooks if hook.target_id is not None}

    def health_check(self, integrations: Callable[[], Iterable[str]]) -> HookHealthCheck:
        """What looks after all hooks once an hour."""
        return HookHealthCheck(
            locks=self._locks,
            gitlabs=self._gitlabs,
            integrations=integrations,
            repairs=self.service.repairs,
            fallback=self.service.fallback,
            resender=self.service.resender,
            removal=self.removal,
        )

    def missed_pushes(
        self,
        *,
        integrations: Callable[[str | None], Iterable[str]],
        built_projects: Callable[[str], Iterable[int]],
        announce: Announce,
    ) -> MissedPushes:
        """What finds the pushes that GitLab never announces."""
        return MissedPushes(
            locks=self._locks,
            refs=self.refs,
            runner=GitLabRunner(self._gitlabs, deadline=LIST_DEADLINE),
            gitlabs=self._gitlabs,
            integrations=integrations,
            built_projects=built_projects,
            announce=announce,
        )

    @cached_property
    def service(self) -> HookService:
        """What registers, tests, repairs, rotates and removes hooks."""
        registration = Registration(self._locks, self._runner, self._webhook_url)
        return HookService(
            locks=self._locks,
            runner=self._runner,
            registration=registration,
            fallback=ProjectFallback(self._locks, self._runner, registration),
            repairs=Repair(self._locks, self._runner, self._webhook_url),
            rotation=Rotation(self._locks, self._runner),
            resender=Resender(self._locks, self._runner, self._deliveries),
            removal=self.removal,
            clock=self._clock,
        )
