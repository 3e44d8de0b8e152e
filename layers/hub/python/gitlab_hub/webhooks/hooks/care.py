"""What the caretaker does for hooks once an hour: look, repair, go on with groups, find lost deliveries."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.clients import GitLabs, Reach
from gitlab_hub.gitlab.errors import HostNotAllowed, HostUnreachable, NotGitLab, RateLimited, TlsError, Unauthorized
from gitlab_hub.webhooks.hooks.book import HookBook
from gitlab_hub.webhooks.hooks.recovery import Recovery
from gitlab_hub.webhooks.hooks.registration import is_unfinished
from gitlab_hub.webhooks.hooks.removal import HookRemoval
from gitlab_hub.webhooks.hooks.repair import Repair
from gitlab_hub.webhooks.hooks.spreading import Spreading
from gitlab_hub.webhooks.model import Hook, HookStatus

LOOK_SECONDS = 3_300
"""How long a look is good for: a little less than an hour, so that some tick of every hour looks again."""

RESERVE_SECONDS = 30.0
"""A call to GitLab may take 20 seconds; the rest is for writing down what came of it."""

MOST_IN_A_ROW = 3
"""One project that GitLab fails at must not hold up the hooks behind it; so many in a row are GitLab itself."""

POINTLESS = (Unauthorized, HostNotAllowed, HostUnreachable, NotGitLab, RateLimited, TlsError)
"""After these there is no point in asking the same GitLab for anything else now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareReport:
    """What a tick did. `finished` false: the time was over before the work."""

    looked: int = 0
    repaired: int = 0
    resent: int = 0
    failed: int = 0
    """Hooks that could not be looked after this time."""
    finished: bool = True


class HookCare:
    """Looks after all hooks; one integration's trouble stops no other's."""

    def __init__(
        self,
        *,
        book: HookBook,
        gitlabs: GitLabs,
        integrations: Callable[[], Iterable[str]],
        repairs: Repair,
        spreading: Spreading,
        recovery: Recovery,
        removal: HookRemoval,
    ) -> None:
        self._book, self._gitlabs, self._integrations = book, gitlabs, integrations
        self._repairs, self._spreading, self._recovery, self._removal = repairs, spreading, recovery, removal

    def tick(self, remaining: Callable[[], float]) -> CareReport:
        """Look after what is due, what was looked at longest ago first, while there is time."""
        report = CareReport()
        for integration_id in self._due_integrations():
            if remaining() <= RESERVE_SECONDS:
                return replace(report, finished=False)
            reach = self._gitlabs.reach(integration_id)
            if reach is not None and may_look_after(reach):
                report = self._integration(reach, report, remaining)
        return report

    def _due_integrations(self) -> list[str]:
        oldest: list[tuple[int, str]] = []
        for integration_id in self._integrations():
            looks = [hook.checked_at or 0 for hook in self._due(integration_id)]
            if looks:
                oldest.append((min(looks), integration_id))
        return [integration_id for _, integration_id in sorted(oldest)]

    def _due(self, integration_id: str) -> list[Hook]:
        now = self._book.now()
        due = [hook for hook in self._book.of(integration_id) if is_due(hook, now)]
        return sorted(due, key=lambda hook: hook.checked_at or 0)

    def _integration(self, reach: Reach, report: CareReport, remaining: Callable[[], float]) -> CareReport:
        in_a_row = 0
        for hook in self._due(reach.integration_id):
            if remaining() <= RESERVE_SECONDS:
                return replace(report, finished=False)
            try:
                report = self._hook(reach, hook, report, remaining)
                in_a_row = 0
            except HubError as error:
                report = replace(report, failed=report.failed + 1)
                in_a_row += error.retryable
                if isinstance(error, POINTLESS) or in_a_row == MOST_IN_A_ROW:
                    return report  # The next hook would meet the same; the next tick tries again.
        return report

    def _hook(self, reach: Reach, hook: Hook, report: CareReport, remaining: Callable[[], float]) -> CareReport:
        if hook.parent_id is not None and self._book.store.get(hook.parent_id) is None:
            # What it stood in for was removed while it was being made.
            self._removal.remove_one(hook)
            return replace(report, repaired=report.repaired + 1)
        if hook.spread:
            self._spreading.work(reach, hook, lambda: remaining() - RESERVE_SECONDS)
            return replace(report, looked=report.looked + 1)
        looked = hook if is_unfinished(hook) else self._repairs.look(reach, hook)
        if needs_mending(looked):
            looked = self._repairs.mend(reach, looked, even_disabled=False)
            report = replace(report, repaired=report.repaired + 1)
        found = self._recovery.work(reach, looked, lambda: remaining() - RESERVE_SECONDS)
        return replace(report, looked=report.looked + 1, resent=report.resent + found.resent)


def may_look_after(reach: Reach) -> bool:
    """Whether an integration lets its hooks be touched now."""
    return reach.manage_webhooks and reach.credential_works and not reach.paused


def is_due(hook: Hook, now: int) -> bool:
    """Whether it is time to look at a hook again; what somebody is changing at this moment is left alone."""
    if hook.working_until > now:
        return False
    if hook.spread:
        return hook.spread_at is None or hook.spread_at + LOOK_SECONDS <= now
    # GitLab takes five resends a minute: what a look began to recover goes on at the next tick, not an hour later.
    is_recovering = hook.recovering is not None and hook.status != HookStatus.MISSING
    return hook.is_ours and (is_recovering or hook.checked_at is None or hook.checked_at + LOOK_SECONDS <= now)


def needs_mending(hook: Hook) -> bool:
    """Whether a hook may be brought in order without being asked.

    What a person removed stays removed, and what GitLab switched off waits for a person: it shows as an incident.
    """
    if is_unfinished(hook) or hook.rotating is not None:
        return True
    return bool(hook.drift) and hook.status != HookStatus.MISSING
