"""The shared rate budget as the client's limiter: short waits in line, long ones end the slice."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any

from gitlab_hub.gitlab.errors import RateLimited
from gitlab_hub.gitlab.rates import LONGEST_WAIT, RateFacts
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import at_version, is_written

# How much of a GitLab user's request allowance the hub may still spend: pure, and mergeable between workers.
#
# Sources: GitLab's documentation of rate limits (`RateLimit-*` and `Retry-After` headers; the per-endpoint limits of
# users, groups, projects and members). A server that announces no limit is not limited.

SPARED_PERCENT = 20
"""What the hub never spends: it is left to the people who use the same account."""

GENERAL = "*"
GUESSED_SECONDS = 60.0
_LONGEST_WAY_SECONDS = 60.0
CLASS_LIMITS_PER_MINUTE: Mapping[str, int] = {
    "groups_list": 200,
    "group": 400,
    "group_projects": 600,
    "projects_list": 200,
    "project": 400,
    "members": 200,
}
"""Limits of endpoint classes that GitLab enforces beside the general one, without announcing them in headers."""


@dataclass(frozen=True, slots=True)
class Window:
    """One limiter's window: `limit` requests until `resets_at` (unix seconds), none before `blocked_until`."""

    limit: int = 0
    remaining: int = 0
    resets_at: float = 0.0
    blocked_until: float = 0.0
    guessed: bool = False
    """Opened by ourselves after the last one ended; the first answer says what it really is."""
    announced: int = 0
    """GitLab's `RateLimit-Reset`. It tells windows apart, being the same in all answers of one (rack-attack's README:
    now + period - now % period); `resets_at` is later the longer the answer was on its way."""

    def wait(self, now: float) -> float:
        """Seconds to wait before the next request."""
        if self.blocked_until > now:
            return self.blocked_until - now
        spent = self.limit > 0 and self.remaining * 100 <= self.limit * SPARED_PERCENT
        return max(0.0, self.resets_at - now) if spent else 0.0

    def is_same(self, later: "Window") -> bool:
        """Whether both are one window. A clock that was set back names an end twice, but no answer takes a minute."""
        named = (self.announced or self.resets_at) == (later.announced or later.resets_at)
        return named and later.resets_at - self.resets_at < _LONGEST_WAY_SECONDS

    def merged(self, other: "Window") -> "Window":
        """What two workers know together: the later window, the smaller rest, the longer block."""
        older, newer = sorted((self, other), key=lambda window: window.resets_at)
        merged = replace(newer, blocked_until=max(older.blocked_until, newer.blocked_until))
        if not older.is_same(newer):
            return merged
        return replace(merged, remaining=min(older.remaining, newer.remaining), resets_at=older.resets_at)


Budget = Mapping[str, Window]


def seconds_to_wait(budget: Budget, endpoint: str, now: float) -> float:
    """Seconds until a request of this endpoint class may go out."""
    return max((budget[name].wait(now) for name in (GENERAL, endpoint) if name in budget), default=0.0)


def spend_one(budget: Budget, endpoint: str, now: float) -> Budget:
    """The budget after one request. Only a server that announces limits has anything to spend."""
    if GENERAL not in budget or not budget[GENERAL].limit:
        return budget
    general = budget[GENERAL]
    if general.resets_at <= now:
        # Until the first answer of the new window comes, many requests may go out: they count from the start.
        general = Window(general.limit, general.limit, now + GUESSED_SECONDS, general.blocked_until, guessed=True)
    after = {**budget, GENERAL: replace(general, remaining=general.remaining - 1)}
    limit = CLASS_LIMITS_PER_MINUTE.get(endpoint)
    if limit:
        window = budget.get(endpoint, Window())
        if window.resets_at <= now:
            window = Window(limit, limit, now + 60, window.blocked_until)
        after[endpoint] = replace(window, remaining=window.remaining - 1)
    return after


def learn_limits(budget: Budget, endpoint: str, facts: RateFacts, now: float) -> Budget:
    """The budget after an answer's headers; GitLab's own count wins over ours."""
    after = dict(budget)
    resets_in = _resets_in(facts)
    if facts.limit is not None and facts.remaining is not None and resets_in is not None:
        seen = Window(facts.limit, facts.remaining, now + resets_in, announced=facts.reset_at or 0)
        after[GENERAL] = _learnt(budget.get(GENERAL, Window()), seen)
    elif not facts.limited and budget.get(GENERAL, Window()).guessed:
        # Its limiter was switched off: nothing is announced any more, so nothing may be guessed either. A window
        # without a limit, and not none at all: what other workers remember must not bring the old one back.
        after[GENERAL] = Window(resets_at=now, blocked_until=budget[GENERAL].blocked_until)
    if facts.limited and facts.retry_after is not None:
        # Only the general limiter sends headers; without them it was the endpoint's own.
        name = GENERAL if facts.limit is not None else endpoint
        window = after.get(name, Window())
        after[name] = replace(window, blocked_until=max(window.blocked_until, now + facts.retry_after))
    return after


def merge_budgets(mine: Budget, theirs: Budget) -> Budget:
    """Two workers' budgets as one; the order does not matter."""
    names = mine.keys() | theirs.keys()
    return {name: mine.get(name, Window()).merged(theirs.get(name, Window())) for name in names}


def _learnt(known: Window, seen: Window) -> Window:
    if known.limit != seen.limit:
        return replace(seen, blocked_until=known.blocked_until)
    if known.guessed:
        # The answer counts what GitLab has seen so far, the guess also what is still on the way.
        remaining = min(seen.remaining, known.remaining)
        return replace(seen, remaining=remaining, blocked_until=known.blocked_until)
    return seen.merged(known)


def _resets_in(facts: RateFacts) -> float | None:
    # Both moments are of the server's clock, so ours may be as wrong as it likes.
    if facts.reset_at is None or facts.server_time is None:
        return None
    return min(max(0.0, facts.reset_at - facts.server_time.timestamp()), LONGEST_WAIT)


SHORT_WAIT_SECONDS = 5.0
TTL_SECONDS = 86_400


class SharedLimiter:
    """One worker's view of the budget of a (GitLab, user), exchanged with the other workers through a table.

    `host` is the GitLab's base URL: several below one host, each under a path of its own, count their requests apart.
    """

    def __init__(
        self,
        table: Table,
        *,
        host: str,
        user_id: int,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._table, self._now, self._sleep = table, now, sleep
        self._pk = f"BUDGET#{host}#{user_id}"
        self._budget: Budget = {}
        self._dirty = False
        self._changing = threading.Lock()
        """Requests are counted on the event loop, while an exchange runs in a thread: neither may undo the other."""

    async def acquire(self, endpoint: str) -> None:
        """Take one request. Raises RateLimited where the wait is longer than a worker should sleep."""
        while (seconds := seconds_to_wait(self._budget, endpoint, self._now())) > 0:
            if seconds > SHORT_WAIT_SECONDS:
                raise RateLimited("GitLab's request allowance is spent for now.", retry_after=ceil(seconds))
            await self._sleep(seconds)
        with self._changing:
            self._budget = spend_one(self._budget, endpoint, self._now())

    def observe(self, endpoint: str, facts: RateFacts) -> None:
        """Learn from an answer's headers."""
        with self._changing:
            after = learn_limits(self._budget, endpoint, facts, self._now())
            self._dirty = self._dirty or after != self._budget
            self._budget = after

    def exchange(self) -> None:
        """Merge with what other workers know (blocking; a few times a second at most)."""
        item = self._table.get(self._pk, "BUDGET")
        theirs = _budget_of(item["windows"]) if item else {}
        with self._changing:
            ours = self._budget = merge_budgets(self._budget, theirs)
            is_news, self._dirty = self._dirty, False
        if not is_news:
            return
        version = item["version"] if item else 0
        row = {"pk": self._pk, "sk": "BUDGET", "version": version + 1, "schema_version": 1}
        known = {name: asdict(window) for name, window in ours.items() if not window.guessed}
        windows = json.dumps(known)
        row |= {"windows": windows, "expires_at": int(self._now()) + TTL_SECONDS}
        if not is_written(self._table.put, row, at_version(version)):
            # Another worker was faster; the next exchange merges with what it wrote.
            self._dirty = True


def _budget_of(windows: str) -> Budget:
    return {name: _window_of(values) for name, values in json.loads(windows).items()}


def _window_of(values: dict[str, Any]) -> Window:
    # Workers of two releases may share a row: what the other one knows beside is left out.
    return Window(**{name: value for name, value in values.items() if name in Window.__dataclass_fields__})
