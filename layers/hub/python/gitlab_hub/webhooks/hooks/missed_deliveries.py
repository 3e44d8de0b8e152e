"""Deliveries that GitLab could not make: it does not try again by itself, but keeps them for seven days.

https://docs.gitlab.com/api/project_webhooks/#list-all-events-for-a-project-webhook (17.3+), resending (17.4+, five a
minute for each hook and user).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol

from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.errors import GitLabError, IncompleteList, RateLimited, ResourceNotFound, Unavailable
from gitlab_hub.gitlab.fields import first_id, first_moment, first_text, part
from gitlab_hub.gitlab.webhooks.event_types import Scope
from gitlab_hub.webhooks.hooks.errors import HookNotManaged, place_name, refusal
from gitlab_hub.webhooks.hooks.gitlab_api import GitLabRunner, HooksApi
from gitlab_hub.webhooks.hooks.locks import HookLocks
from gitlab_hub.webhooks.hooks.model import Hook, HookStatus
from gitlab_hub.webhooks.hooks.registration import require_feature

PER_MINUTE = 5
RESERVE_SECONDS = 5.0
CALL_SECONDS = 12.0
"""How long one call goes on by itself: it ends before its client is cut off, and that is no failure."""

PATIENCE_SECONDS = 7_200
"""How old a record is that GitLab answers 500 for before it is passed over: a look an hour has tried it twice."""

STATUSES = ("server_failure", "client_failure")
"""How GitLab sorts failures; timeouts and broken connections are among the first."""

_OFF = frozenset({HookStatus.DISABLED, HookStatus.TEMPORARILY_DISABLED})
_REFUSED = "401"
_MINUTE = 60
# GitLab sends one value under both names; the first one may be somebody's own header of a hook that does not sign.
_KEYS = ("idempotency-key", "webhook-id")


class Deliveries(Protocol):
    """What the hub has received."""

    def exists(self, hook_id: str, key: str) -> bool:
        """Whether a delivery with this `Idempotency-Key` was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendResult:
    """What one look for lost deliveries did. `complete`: there is nothing left to look at."""

    resent: int = 0
    failed: int = 0
    known: int = 0
    refused: bool = False
    """Whether the hub itself refused one since its secrets were last sent: GitLab has other ones by now."""
    complete: bool = True


class Resender:
    """Has lost deliveries sent again."""

    def __init__(self, locks: HookLocks, runner: GitLabRunner, deliveries: Deliveries) -> None:
        self._locks, self._runner, self._deliveries = locks, runner, deliveries

    def resend_failed(self, integration_id: str, hook_id: str, remaining: Callable[[], float]) -> ResendResult:
        """Do so on request. Raises HubError."""
        hook = self._locks.require(integration_id, hook_id)
        if not hook.is_ours or hook.gitlab_hook_id is None:
            place = place_name(hook.scope, hook.target)
            raise HookNotManaged(
                f"The hub does not keep the webhook of {place} in GitLab: resend its deliveries there."
            )
        connection = self._runner.connection(integration_id)
        require_feature(connection)
        try:
            return self.work(connection, hook, remaining)
        except GitLabError as error:
            raise refusal(error, hook.scope, hook.target) from None

    def work(self, connection: GitLabConnection, hook: Hook, remaining: Callable[[], float]) -> ResendResult:
        """Go on with one hook's failures, newest first, while GitLab and the time allow. Raises GitLabError.

        A pass goes through both kinds of failures page by page; what is noted after each page is where the next call
        goes on. A page that shifts in between shows what was seen before, and that is known by then.
        """
        if hook.scope == Scope.SYSTEM or hook.gitlab_hook_id is None:
            return ResendResult()
        run = _ResendPass(hook, self._deliveries, self._locks.now(), remaining)
        try:
            self._runner.run_for_hook(connection, hook, run.run)
        except ResourceNotFound:
            return ResendResult()  # An older GitLab, or the hook is gone.
        finally:
            self._locks.store.change(hook.id, run.with_progress)
        return run.done


class _ResendPass:
    """One call's part of a pass; what it has done so far counts even where GitLab breaks it off."""

    def __init__(self, hook: Hook, deliveries: Deliveries, now: int, remaining: Callable[[], float]) -> None:
        self._hook, self._deliveries, self._now, self._remaining = hook, deliveries, now, remaining
        self._state, self._tried, self._began = hook, set[str](), remaining()
        self._resent_at = [at for at in hook.resent_at if at > now - _MINUTE]
        self.done = ResendResult(complete=False)

    async def run(self, calls: HooksApi) -> None:
        number = self._hook.gitlab_hook_id or 0
        if self._state.resend_target is None:
            newest = await anext(calls.events(number, None, per_page=1))
            top = max((_number(row) for row in newest.rows), default=self._state.resend_cursor)
            self._state = replace(self._state, resend_target=max(top, self._state.resend_cursor))
        try:
            while self._state.resend_target is not None and not self._is_over():
                if not await self._list(calls, number, self._state.resend_status):
                    return
        except RateLimited:
            return
        except IncompleteList:
            self._state = replace(self._state, resend_page=1, resend_below=None)
            raise
        self.done = replace(self.done, complete=self._state.resend_target is None)

    async def _list(self, calls: HooksApi, number: int, status: str) -> bool:
        """Go through the failures of one kind; False where GitLab takes no more for now."""
        async for page in calls.events(number, status, page=self._state.resend_page):
            for row in page.rows:
                if self._is_open(row) and not await self._resend(calls, number, row):
                    return False
                self._state = after_record(self._state, _number(row))
            if any(_number(row) <= self._state.resend_cursor for row in page.rows):
                break
            if page.next is not None:
                self._state = next_page(self._state, is_last=False)
                if self._is_over():
                    return True
        self._state = next_page(self._state, is_last=True)
        return True

    def _is_over(self) -> bool:
        left = self._remaining()
        return left <= RESERVE_SECONDS or self._began - left >= CALL_SECONDS

    def _is_open(self, row: Mapping[str, Any]) -> bool:
        below = self._state.resend_below
        return _number(row) > self._state.resend_cursor and (below is None or _number(row) < below)

    async def _resend(self, calls: HooksApi, number: int, row: Mapping[str, Any]) -> bool:
        """Have one delivery sent again if it is lost; False where GitLab takes no more for now."""
        key = key_of(row)
        if key is not None and (key in self._tried or self._deliveries.exists(self._hook.id, key)):
            self.done = replace(self.done, known=self.done.known + 1)
            return True
        if self._was_refused(row):
            self.done = replace(self.done, refused=True)
            return False
        # GitLab calls no hook that it has switched off, and a resend of it is no more than an error.
        if self._hook.status in _OFF or len(self._resent_at) >= PER_MINUTE or self._is_over():
            return False
        self._tried.add(key or "")
        self._resent_at.append(self._now)
        if await self._is_resent(calls, number, row):
            self.done = replace(self.done, resent=self.done.resent + 1)
        else:
            self.done = replace(self.done, failed=self.done.failed + 1)
        return True

    async def _is_resent(self, calls: HooksApi, number: int, row: Mapping[str, Any]) -> bool:
        """Have one delivery sent again; one that GitLab has failed at for hours is in nobody's way."""
        try:
            return await calls.resend(number, _number(row))
        except Unavailable as error:
            at = first_moment(row, "created_at")
            if error.http_status != HTTPStatus.INTERNAL_SERVER_ERROR or at is None or at > self._now - PATIENCE_SECONDS:
                raise
            return False

    def _was_refused(self, row: Mapping[str, Any]) -> bool:
        """Whether the hub did not believe a delivery that was made with what GitLab has now.

        GitLab never shows a hook's secrets, so this is how it shows that somebody has entered others. Both moments
        are by GitLab's clock, which may be far from the hub's.
        """
        at, taken_at = first_moment(row, "created_at"), self._hook.secrets_taken_at
        since = self._hook.updated_at if taken_at is None else taken_at
        return str(row.get("response_status")) == _REFUSED and at is not None and at > since

    def with_progress(self, stored: Hook) -> Hook:
        """Write down where to go on."""
        state = self._state
        return replace(
            stored,
            resend_cursor=max(stored.resend_cursor, state.resend_cursor),
            resend_target=state.resend_target,
            resend_status=state.resend_status,
            resend_page=state.resend_page,
            resend_below=state.resend_below,
            resent_at=tuple(self._resent_at[-PER_MINUTE:]),
        )


def next_page(hook: Hook, *, is_last: bool) -> Hook:
    """Where a pass goes on after a page: the next one, the next kind of failures, or nowhere."""
    if not is_last:
        return replace(hook, resend_page=hook.resend_page + 1)
    at = STATUSES.index(hook.resend_status) + 1 if hook.resend_status in STATUSES else len(STATUSES)
    if at < len(STATUSES):
        return replace(hook, resend_status=STATUSES[at], resend_page=1, resend_below=None)
    top = hook.resend_cursor if hook.resend_target is None else hook.resend_target
    ended = replace(hook, resend_cursor=top, resend_target=None)
    return replace(ended, resend_status=STATUSES[0], resend_page=1, resend_below=None)


def after_record(hook: Hook, number: int) -> Hook:
    """A pass after one more record; a page that shifted shows some again."""
    below = hook.resend_below
    return replace(hook, resend_below=number if below is None else min(below, number))


def key_of(row: Mapping[str, Any]) -> str | None:
    """The dedupe key that a recorded delivery was sent with; None where it had none (before 17.4)."""
    headers = part(row, "request_headers")
    return first_text({str(name).lower(): value for name, value in headers.items()}, *_KEYS)


def _number(row: Mapping[str, Any]) -> int:
    return first_id(row, "id") or 0
