"""The shared rate budget as the client's limiter: short waits in line, long ones end the slice."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from math import ceil
from typing import Any

from gitlab_hub.gitlab.errors import RateLimited
from gitlab_hub.gitlab.rates import RateFacts
from gitlab_hub.storage.table import ABSENT, Condition, ConditionFailed, Table
from gitlab_hub.sync import budget as budgets
from gitlab_hub.sync.budget import Budget, Window

SHORT_WAIT_SECONDS = 5.0
TTL_SECONDS = 86_400


class SharedLimiter:
    """One worker's view of the budget of a (host, GitLab user), exchanged with the other workers through a table."""

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
        while (seconds := budgets.wait(self._budget, endpoint, self._now())) > 0:
            if seconds > SHORT_WAIT_SECONDS:
                raise RateLimited("GitLab's request allowance is spent for now.", retry_after=ceil(seconds))
            await self._sleep(seconds)
        with self._changing:
            self._budget = budgets.spend(self._budget, endpoint, self._now())

    def observe(self, endpoint: str, facts: RateFacts) -> None:
        """Learn from an answer's headers."""
        with self._changing:
            after = budgets.learn(self._budget, endpoint, facts, self._now())
            self._dirty = self._dirty or after != self._budget
            self._budget = after

    def exchange(self) -> None:
        """Merge with what other workers know (blocking; a few times a second at most)."""
        item = self._table.get(self._pk, "BUDGET")
        theirs = _budget_of(item["windows"]) if item else {}
        with self._changing:
            ours = self._budget = budgets.merge(self._budget, theirs)
            is_news, self._dirty = self._dirty, False
        if not is_news:
            return
        version = item["version"] if item else 0
        row = {"pk": self._pk, "sk": "BUDGET", "version": version + 1, "schema_version": 1}
        known = {name: asdict(window) for name, window in ours.items() if not window.guessed}
        windows = json.dumps(known)
        expected = Condition(equals={"version": version}) if item else ABSENT
        try:
            self._table.put({**row, "windows": windows, "expires_at": int(self._now()) + TTL_SECONDS}, expected)
        except ConditionFailed:
            # Another worker was faster; the next exchange merges with what it wrote.
            self._dirty = True


def _budget_of(windows: str) -> Budget:
    return {name: _window_of(values) for name, values in json.loads(windows).items()}


def _window_of(values: dict[str, Any]) -> Window:
    # Workers of two releases may share a row: what the other one knows beside is left out.
    return Window(**{name: value for name, value in values.items() if name in Window.__dataclass_fields__})
