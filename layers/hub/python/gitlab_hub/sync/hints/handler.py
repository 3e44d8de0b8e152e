"""Processing hints: what a webhook made us curious about is read from GitLab, outside of runs and beside them.

A hint is worth little: the next run finds the same. So it takes no lease and keeps no state, it is given up where a
run would have to complain, and postponed where a run would park. It spends the same allowance as runs do.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    InvalidUrl,
    ResourceNotFound,
    TlsError,
    Unauthorized,
)
from gitlab_hub.storage.blocking import BlockingCalls, run_uncancelled
from gitlab_hub.storage.ports import StorageRefused, StorageUnavailable, Table
from gitlab_hub.sync import deletion_guard
from gitlab_hub.sync.engine import LONGEST_DELAY_SECONDS, Connection
from gitlab_hub.sync.errors import LeaseLost, SliceEnded, SliceOutOfTime, UnreadableRun
from gitlab_hub.sync.fence import Fence, FencedTable
from gitlab_hub.sync.hints.queue import BURST_SECONDS, HintQueue
from gitlab_hub.sync.hints.removal_budget import RemovalBudget, RemovalBudgetStore
from gitlab_hub.sync.message import Hint
from gitlab_hub.sync.mirror import DatasetMirror
from gitlab_hub.sync.ports import Kind, RowStore, Scope, Session, SyncTarget, Targets
from gitlab_hub.sync.session import RESERVE_SECONDS
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.target_group import with_current_group

# What a feature works with while it processes a hint: a session without a run.


class HintSession(BlockingCalls):
    """Fulfils `ports.Session` without lease, journal and checkpoints: whatever is cut short is done anew.

    A run that is in progress is neither read nor touched. Rows are written as a run writes them, and removed by the
    rules of a run that read nothing but this.
    """

    sync_id, full, failures = "", False, 0

    def __init__(
        self,
        target: SyncTarget,
        gitlab: GitLab,
        fence: Fence,
        number: int | None,
        still: Callable[[], SyncTarget | None],
        budget: RemovalBudget,
        *,
        remaining: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self.target, self.gitlab = target, gitlab
        self.counts: Counter[str] = Counter()
        self._fence, self._fenced = fence, FencedTable(fence, number)
        self._still, self._room, self._remaining, self._clock = still, budget, remaining, clock
        self._mirrors: dict[str, DatasetMirror] = {}

    def now(self) -> datetime:
        """The hub's clock (UTC)."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def fenced(self, table: Table) -> Table:
        """The feature's table as long as no run has begun or ended: what was read before that may be old."""
        if table is not self._fence.table:
            raise ValueError("A session fences the table of its feature.")
        return self._fenced

    def concurrency(self, most: int) -> int:
        """As much at once as anybody wants."""
        return most

    def mirror(self, dataset: str, store: RowStore) -> DatasetMirror:
        """The mirror of a dataset."""
        if dataset not in self._mirrors:
            self._mirrors[dataset] = DatasetMirror(dataset, store, self)
        return self._mirrors[dataset]

    def journal(self, name: str, entries: Iterable[Any]) -> None:
        """Nobody carries on from here."""

    def refuses(self, dataset: str) -> bool:  # noqa: ARG002 - doubt about one dataset is doubt about all, as in a run
        """Whether removals must wait: nobody is asked to accept them, the next run judges them among all others."""
        tallies = {name: mirror.tally for name, mirror in self._mirrors.items()}
        suspicious = {name: mirror.suspicious for name, mirror in self._mirrors.items()}
        return bool(deletion_guard.exceeds_limit(tallies, suspicious, {})) or self._room.refuses(tallies)

    def cursor(self, scope: Scope) -> Any:  # noqa: ARG002 - there are no checkpoints
        """Everything begins at its start."""
        return None

    async def note_progress(self) -> None:
        """End here when time is up."""
        self.check()

    async def checkpoint(self, scope: Scope, cursor: Any) -> None:  # noqa: ARG002 - see above
        """End here when time is up."""
        self.check()

    def check(self) -> None:
        """Raise when time is up."""
        if self._remaining() < RESERVE_SECONDS:
            raise SliceOutOfTime("the function's time is nearly up")

    async def before_write(self) -> None:
        """Raise where the integration was removed, paused or changed: its rows may be on their way out."""
        if await run_uncancelled(self._still) != self.target:
            raise LeaseLost("the integration is not what it was")

    @property
    def log_counts(self) -> dict[str, int]:
        """What was done, for the log."""
        listed = {name: mirror.listed for name, mirror in self._mirrors.items() if mirror.listed}
        return {**self.counts, **listed}

    async def partial(self, scope: Scope, code: str, reason: str = "", *, rows: Sequence[str] = ()) -> None:
        """The next run finds the same, and keeps a note of it."""

    async def aside(self, scope: Scope, status: str, code: str, reason: str = "") -> None:
        """As above."""

    def keep_notes(self) -> None:
        """No note is dropped here."""

    def count(self, **amounts: int) -> None:
        """Add to the counters."""
        self.counts.update(amounts)


MOST_TRIES = 10
"""About an hour of trouble; by then runs have tried often enough. Every try is a link of one chain, see `MOST_HOPS`."""

_LOG = logging.getLogger(__name__)
_FINAL = (Unauthorized, Forbidden, ResourceNotFound, HostNotAllowed, InvalidUrl, TlsError)
"""Answers that a second question does not change; what they mean is for the next run to say."""


class SupportsRefresh(Protocol):
    """What a feature does about hints."""

    kind: Kind
    table: Table

    async def refresh(self, session: Session, hint: Hint) -> None:
        """Read what the hint is about and store it; `GitLabError`s decide whether it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HintHandler:
    """Processes the hints of one kind of sync; safe to be called with the same message any number of times."""

    feature: SupportsRefresh
    hint_queue: HintQueue
    runs: RunStore
    targets: Targets
    connect: Callable[[SyncTarget], Connection]
    clock: Callable[[], float]

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Work on one message for at most `remaining()` seconds. Raises UnknownMessage, StorageUnavailable."""
        hint, tries = message["hint"], int(message.get("tries", 0))
        # Where the mark cannot be taken away the message has to come again: it would swallow later hints.
        self.hint_queue.clear_mark(hint)
        try:
            asyncio.run(self._refresh(hint, remaining))
        except (*_FINAL, StorageRefused) as error:
            _note("hint dropped", hint, error.code)
        except (GitLabError, StorageUnavailable, SliceEnded, UnreadableRun) as error:
            self._schedule_retry(hint, tries + 1, error)

    async def _refresh(self, hint: Hint, remaining: Callable[[], float]) -> None:
        target = await run_uncancelled(self.targets.target, hint["integration_id"])
        if target is None:
            _note("hint dropped", hint, "paused")
            return
        connection = self.connect(target)
        async with connection.gitlab, _sharing(connection):
            await self._refresh_at(
                await with_current_group(connection.gitlab, self.targets, target), connection, hint, remaining
            )

    async def _refresh_at(
        self, target: SyncTarget, connection: Connection, hint: Hint, remaining: Callable[[], float]
    ) -> None:
        store, pk = self._budgets, self.hint_queue.key(hint)[0]
        budget = await run_uncancelled(store.budget, pk, target.integration_id)
        fence = Fence(self.feature.table, target.integration_id, self.feature.kind)
        session = HintSession(
            target,
            connection.gitlab,
            fence,
            await run_uncancelled(fence.number),
            partial(self.targets.target, target.integration_id),
            budget,
            remaining=remaining,
            clock=self.clock,
        )
        try:
            await self.feature.refresh(session, hint)
        finally:
            if removed := session.counts["rows_removed"]:
                await run_uncancelled(store.record, pk, budget, removed)
        _note("hint processed", hint, "", **session.log_counts)

    @property
    def _budgets(self) -> RemovalBudgetStore:
        return RemovalBudgetStore(self.hint_queue.table, self.runs, self.feature.kind)

    def _schedule_retry(self, hint: Hint, tries: int, error: Exception) -> None:
        code = error.code if isinstance(error, HubError) else type(error).__name__
        if tries >= MOST_TRIES:
            _note("hint given up", hint, code)
            return
        wanted = error.retry_after if isinstance(error, HubError) else None
        delay = min(LONGEST_DELAY_SECONDS, max(wanted or 0, BURST_SECONDS << tries))
        self.hint_queue.send(hint, delay_seconds=delay, tries=tries)
        _note("hint postponed", hint, code, delay=delay)


@asynccontextmanager
async def _sharing(connection: Connection) -> AsyncIterator[None]:
    """Know what other workers have spent before the first request, and tell them after the last one."""
    await run_uncancelled(connection.limiter.exchange)
    try:
        yield
    finally:
        with suppress(StorageUnavailable):
            await run_uncancelled(connection.limiter.exchange)


def _note(event: str, hint: Hint, reason: str, **counts: int) -> None:
    _LOG.info(event, extra={"hint": dict(hint), "reason": reason, "counts": counts})
