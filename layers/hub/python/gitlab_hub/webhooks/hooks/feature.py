"""The parts of hook management put together over its ports; nothing is read or sent by putting them together."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from gitlab_hub.audit import Audit
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.storage.table import Table
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.webhooks.hooks.answers import WebhookView
from gitlab_hub.webhooks.hooks.book import HookBook
from gitlab_hub.webhooks.hooks.care import HookCare
from gitlab_hub.webhooks.hooks.desk import HookDesk
from gitlab_hub.webhooks.hooks.hook_routes import HookRoutes
from gitlab_hub.webhooks.hooks.recovery import Deliveries, Recovery
from gitlab_hub.webhooks.hooks.ref_book import RefBook
from gitlab_hub.webhooks.hooks.ref_watch import LOOK_DEADLINE, Announce, RefWatch
from gitlab_hub.webhooks.hooks.registration import Registration
from gitlab_hub.webhooks.hooks.remote import Remote
from gitlab_hub.webhooks.hooks.removal import HookRemoval
from gitlab_hub.webhooks.hooks.repair import Repair
from gitlab_hub.webhooks.hooks.rotation import Rotation
from gitlab_hub.webhooks.hooks.spreading import Spreading
from gitlab_hub.webhooks.secrets import HookSecrets

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
        self.refs = RefBook(table)
        self._gitlabs, self._deliveries, self._clock = gitlabs, deliveries, clock
        self._book, self._remote = HookBook(table, secrets, incidents, now), Remote(gitlabs)
        self._webhook_url = webhook_url

    @cached_property
    def removal(self) -> HookRemoval:
        """What removes hooks, all of an integration's too."""
        return HookRemoval(self._book, self._remote)

    def routes(self, cursors: Cursors, audit: Audit) -> HookRoutes:
        """The part of the API that belongs to hooks."""
        return HookRoutes(self._desk, cursors, audit)

    def shown(self, integration_id: str) -> dict[str, Any]:
        """What an integration shows of its hooks: two reads, however many there are.

        `hooks` (without those that stand in for a group's), `hooks_complete` (whether these are all) and
        `last_delivery_at` (unix seconds, or None).
        """
        hooks, complete = self._book.store.first(integration_id, MOST_SHOWN)
        # Hooks that were heard of before integrations noted it know it themselves.
        heard = [self._book.store.heard_at(integration_id), *(hook.last_delivery_at for hook in hooks)]
        return {
            "hooks": [WebhookView.of(hook).model_dump(mode="json") for hook in hooks if hook.parent_id is None],
            "hooks_complete": complete,
            "last_delivery_at": max((at for at in heard if at is not None), default=None),
        }

    def of_projects(self, integration_id: str, project_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Id and status of the hook that hangs on each of these projects; those without one are left out."""
        hooks = self._book.store.of_projects(integration_id, project_ids)
        return {hook.target_id: (hook.id, hook.status) for hook in hooks if hook.target_id is not None}

    def care(self, integrations: Callable[[], Iterable[str]]) -> HookCare:
        """What looks after all hooks once an hour."""
        return HookCare(
            book=self._book,
            gitlabs=self._gitlabs,
            integrations=integrations,
            repairs=self._desk.repairs,
            spreading=self._desk.spreading,
            recovery=self._desk.recovery,
            removal=self.removal,
        )

    def ref_watch(
        self,
        *,
        integrations: Callable[[str | None], Iterable[str]],
        built_projects: Callable[[str], Iterable[int]],
        announce: Announce,
    ) -> RefWatch:
        """What finds the pushes that GitLab never announces."""
        return RefWatch(
            book=self._book,
            refs=self.refs,
            remote=Remote(self._gitlabs, deadline=LOOK_DEADLINE),
            gitlabs=self._gitlabs,
            integrations=integrations,
            built_projects=built_projects,
            announce=announce,
        )

    @cached_property
    def _desk(self) -> HookDesk:
        registration = Registration(self._book, self._remote, self._webhook_url)
        return HookDesk(
            book=self._book,
            remote=self._remote,
            registration=registration,
            spreading=Spreading(self._book, self._remote, registration),
            repairs=Repair(self._book, self._remote, self._webhook_url),
            rotation=Rotation(self._book, self._remote),
            recovery=Recovery(self._book, self._remote, self._deliveries),
            removal=self.removal,
            clock=self._clock,
        )
