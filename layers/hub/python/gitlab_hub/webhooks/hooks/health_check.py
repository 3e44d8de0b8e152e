"""The hourly health check of hooks: compare, repair, go on with groups, find lost deliveries."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from gitlab_hub.errors import Conflict, HubError, NotFound
from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import HostNotAllowed, HostUnreachable, NotGitLab, RateLimited, TlsError, Unauthorized
from gitlab_hub.ids import owner_of
from gitlab_hub.storage.ports import StorageRefused
from gitlab_hub.webhooks.hooks.group_fallback import ProjectFallback
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.missed_deliveries import Resender
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus
from gitlab_hub.webhooks.hooks.registration import is_unfinished
from gitlab_hub.webhooks.hooks.removal import HookRemoval
from gitlab_hub.webhooks.hooks.repair import Repair

RESERVE_SECONDS = 30.0
"""A call to GitLab may take 20 seconds; the rest is for writing down what came of it."""

MOST_IN_A_ROW = 3
"""One project that GitLab fails at must not hold up the hooks behind it; so many in a row are GitLab itself."""

HOST_LEVEL_ERRORS = (Unauthorized, HostNotAllowed, HostUnreachable, NotGitLab, RateLimited, TlsError)
"""After these there is no point in asking the same GitLab for anything else now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheckReport:
    """What a tick did. `finished` false: the time was over before the work."""

    looked: int = 0
    repaired: int = 0
    resent: int = 0
    failed: int = 0
    """Hooks that could not be looked after this time."""
    finished: bool = True


class _Round:
    """One tick's view of the integrations: whom there is no point in asking (any more)."""

    def __init__(self, gitlabs: GitLabs) -> None:
        self._gitlabs = gitlabs
        self._connections: dict[str, GitLabConnection | None] = {}
        self._in_a_row: Counter[str] = Counter()
        self.touched: set[str] = set()
        self.refusal: StorageRefused | None = None
        """What AWS refuses for good; it does not pass by itself, so the tick is to fail in the end."""

    def connection(self, integration_id: str) -> GitLabConnection | None:
        """The integration, looked up once; None where its hooks are to be passed over."""
        if integration_id not in self._connections:
            connection = self._gitlabs.connection(integration_id)
            self._connections[integration_id] = connection if connection is not None and may_check(connection) else None
        return self._connections[integration_id]

    def failed(self, integration_id: str, error: HubError) -> None:
        """Note a failure: after some the next hook would meet the same, and the next tick tries again."""
        self.touched.add(integration_id)
        self.refusal = error if isinstance(error, StorageRefused) else self.refusal
        self._in_a_row[integration_id] += error.retryable
        if isinstance(error, HOST_LEVEL_ERRORS) or self._in_a_row[integration_id] == MOST_IN_A_ROW:
            self._connections[integration_id] = None

    def worked(self, integration_id: str) -> None:
        """Note a success."""
        self.touched.add(integration_id)
        self._in_a_row[integration_id] = 0


class HookHealthCheck:
    """Looks after all hooks; one integration's trouble stops no other's."""

    def __init__(
        self,
        *,
        locks: HookLocks,
        gitlabs: GitLabs,
        integrations: Callable[[], Iterable[str]],
        repairs: Repair,
        fallback: ProjectFallback,
        resender: Resender,
        removal: HookRemoval,
    ) -> None:
        self._locks, self._gitlabs, self._integrations = locks, gitlabs, integrations
        self._repairs, self._fallback, self._resender, self._removal = repairs, fallback, resender, removal

    def tick(self, remaining: Callable[[], float]) -> HealthCheckReport:
        """Look after what is due, what waits longest first, while there is time. Reads nothing of what is not due.

        Raises StorageRefused at its end where AWS refuses something of a hook: it holds up no other one.
        """
        report, round_ = HealthCheckReport(), _Round(self._gitlabs)
        if not self._schedule(remaining):
            return replace(report, finished=False)
        for hook_id in self._locks.store.due(self._locks.now()):
            if remaining() <= RESERVE_SECONDS:
                report = replace(report, finished=False)
                break
            connection = round_.connection(owner_of(hook_id) or "")
            hook = self._locks.store.get(hook_id) if connection is not None else None
            # The index is a moment behind the row.
            if connection is not None and hook is not None and is_due(hook, self._locks.now()):
                report = self._try_check(round_, connection, hook, report, remaining)
        for integration_id in round_.touched:
            self._locks.incidents.reconcile(integration_id, self._locks.store.get)
        if round_.refusal is not None:
            raise round_.refusal
        return report

    def _schedule(self, remaining: Callable[[], float]) -> bool:
        """Once after an upgrade: give the hooks of earlier releases their place among the due ones."""
        if self._locks.store.is_scheduled():
            return True
        for integration_id in self._integrations():
            if remaining() <= RESERVE_SECONDS:
                return False
            self._locks.store.schedule(integration_id)
        self._locks.store.all_scheduled()
        return True

    def _try_check(
        self,
        round_: "_Round",
        connection: GitLabConnection,
        hook: Hook,
        report: HealthCheckReport,
        remaining: Callable[[], float],
    ) -> HealthCheckReport:
        try:
            report = self._check(connection, hook, report, remaining)
        except HubError as error:
            round_.failed(connection.integration_id, error)
            self._postpone(hook)
            return replace(report, failed=report.failed + 1)
        round_.worked(connection.integration_id)
        return report

    def _postpone(self, hook: Hook) -> None:
        """Let a hook that could not be looked after wait behind the others."""
        now = self._locks.now()
        with suppress(NotFound, Conflict, StorageRefused):
            self._locks.incidents.opened(self._locks.store.change(hook.id, lambda one: replace(one, tried_at=now)))

    def _check(
        self, connection: GitLabConnection, hook: Hook, report: HealthCheckReport, remaining: Callable[[], float]
    ) -> HealthCheckReport:
        parent = None if hook.parent_id is None else self._locks.store.get(hook.parent_id)
        if hook.parent_id is not None and parent is None:
            # What it stood in for was removed while it was being made.
            self._removal.remove_one(hook)
            return replace(report, repaired=report.repaired + 1)
        if hook.uses_fallback:
            self._fallback.work(connection, hook, lambda: remaining() - RESERVE_SECONDS)
            return replace(report, looked=report.looked + 1)
        looked = hook if is_unfinished(hook) else self._repairs.compare(connection, hook)
        if parent is not None and self._repairs.has_left(connection, looked, parent):
            self._removal.remove_one(looked)
            return replace(report, looked=report.looked + 1, repaired=report.repaired + 1)
        if needs_repair(looked):
            looked = self._repairs.repair_now(connection, looked, even_disabled=False)
            report = replace(report, repaired=report.repaired + 1)
        self._locks.incidents.opened(looked)
        return self._resend(connection, looked, replace(report, looked=report.looked + 1), remaining)

    def _resend(
        self, connection: GitLabConnection, hook: Hook, report: HealthCheckReport, remaining: Callable[[], float]
    ) -> HealthCheckReport:
        """Have lost deliveries sent again; where the hub refused them, GitLab gets the secrets again first."""
        found = self._resender.work(connection, hook, lambda: remaining() - RESERVE_SECONDS)
        if found.refused:
            repaired = self._repairs.repair_now(connection, hook, even_disabled=False)
            found = self._resender.work(connection, repaired, lambda: remaining() - RESERVE_SECONDS)
            report = replace(report, repaired=report.repaired + 1)
        return replace(report, resent=report.resent + found.resent)


def may_check(connection: GitLabConnection) -> bool:
    """Whether an integration lets its hooks be touched now."""
    return connection.manage_webhooks and connection.credential_works and not connection.paused


def is_due(hook: Hook, now: int) -> bool:
    """Whether it is time to look at a hook; what somebody is changing at this moment is left alone."""
    return hook.next_check_at is not None and hook.next_check_at <= now


def needs_repair(hook: Hook) -> bool:
    """Whether a hook may be brought in order without being asked.

    What a person removed stays removed, and what GitLab switched off waits for a person: it shows as an incident.
    """
    if is_unfinished(hook) or hook.rotating is not None:
        return True
    return bool(hook.drift) and hook.status != HookStatus.MISSING
