"""One worker's slice of a run: the lease it holds, what it has done, and what the next worker needs to know."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.storage.blocking import BlockingCalls, run_uncancelled
from gitlab_hub.storage.ports import ConditionFailed, StorageRefused, StorageUnavailable, Table
from gitlab_hub.sync import deletion_guard
from gitlab_hub.sync.errors import LeaseLost, RunFailed, SliceEnded, SliceOutOfTime
from gitlab_hub.sync.fence import Fence, FencedTable
from gitlab_hub.sync.mirror import DatasetMirror
from gitlab_hub.sync.ports import RowStore, Scope, SyncTarget
from gitlab_hub.sync.run import LEASE_SECONDS, Checkpoint, Run, concurrency, progressed, renew
from gitlab_hub.sync.scope_notes import PARTIAL, ScopeNote
from gitlab_hub.sync.store import RunStore, chunked

RESERVE_SECONDS = 20.0
"""What a worker keeps of its time to release the run cleanly."""

FLUSH_SECONDS = 3.0
"""How often progress is made durable: it costs writes by the second, and a killed worker repeats so much reading."""

KEPT_NOTES = "kept_notes"
"""Names the journal's entries about stages that read nothing in a run."""


class Exchange(Protocol):
    """The part of the shared limiter that talks to its table."""

    def exchange(self) -> None:
        """Merge with what other workers know."""


class RunSession(BlockingCalls):
    """The engine's implementation of `ports.Session`."""

    def __init__(
        self,
        run: Run,
        target: SyncTarget,
        gitlab: GitLab,
        runs: RunStore,
        limiter: Exchange,
        table: Table,
        *,
        remaining: Callable[[], float],
        clock: Callable[[], float] = time.time,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self.run, self.target, self.gitlab = run, target, gitlab
        self.sync_id, self.full = run.sync_id, run.full
        self.checkpointed = run.checkpoint
        self.done, self.total, self.incomplete = run.done, run.total, run.incomplete
        self.error = run.last_error
        self._started = run
        self._runs, self._limiter, self._remaining, self._clock = runs, limiter, remaining, clock
        self._flush_seconds, self._flushed_at = flush_seconds, clock()
        self._counts = Counter(run.counts)
        self._mirrors: dict[str, DatasetMirror] = {}
        self._history, self._pending = dict[str, list[Any]](), dict[str, list[Any]]()
        self._chunks, self._got_on = 0, False
        self._partial, self._kept_notes = set[tuple[str, str]](), set[str]()
        # What an earlier worker has refused stays refused: it may have left nothing to do but the end of the run.
        self._suspected: dict[str, int] | None = dict(run.suspected) or None
        self._fence = Fence(table, run.integration_id, run.kind)
        self._fenced: FencedTable | None = None
        self._stopped: SliceEnded | None = None
        self._flushing = asyncio.Lock()

    @property
    def failures(self) -> int:
        """How many scopes of this run were not read completely so far."""
        return self.incomplete + self.checkpointed.failing

    @property
    def suspected(self) -> dict[str, int]:
        """Datasets whose removals were refused, with the number of rows."""
        return self._suspected or {}

    def concurrency(self, most: int) -> int:
        """How much to begin at once, at most `most`: less after slices that brought nothing to its end."""
        return concurrency(self._started, most)

    def now(self) -> datetime:
        """The hub's clock (UTC)."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def mirror(self, dataset: str, store: RowStore) -> DatasetMirror:
        """The mirror of a dataset; the same name gives the same mirror for the whole run."""
        if dataset not in self._mirrors:
            self._mirrors[dataset] = DatasetMirror(dataset, store, self)
            self._mirrors[dataset].restore(self._history)
        return self._mirrors[dataset]

    def fenced(self, table: Table) -> Table:
        """The feature's table as this worker may write to it."""
        if table is not self._fence.table:
            raise ValueError("A session fences the table of its feature.")
        self._fenced = self._fenced or FencedTable(self._fence, self.run.fence)
        return self._fenced

    def begin(self) -> None:
        """Shut out whoever worked before, and read what they have noted and spent (blocking). Raises LeaseLost."""
        stands = self._fence.number()
        if stands is not None and stands > self.run.fence:
            # Overtaken, or one of the two tables was restored to an earlier moment: only the run itself can tell.
            try:
                self.run = self._runs.save(replace(self.run, fence=stands + 1))
            except ConditionFailed:
                raise LeaseLost("the run was taken over or deleted") from None
        self._fence.advance_to(self.run.fence)
        self._limiter.exchange()
        for number, entries in self._runs.journal(self.run):
            self._chunks = number
            for name, noted in entries.items():
                self._history.setdefault(name, []).extend(noted)

    def journal(self, name: str, entries: Iterable[Any]) -> None:
        """Note something that a worker carrying on must know; durable with the next checkpoint."""
        self._pending.setdefault(name, []).extend(entries)

    def count(self, **amounts: int) -> None:
        """Add to the run's counters."""
        self._counts.update(amounts)

    async def partial(self, scope: Scope, code: str, reason: str = "", *, rows: Sequence[str] = ()) -> None:
        """Say of a scope that is read that a part of it is not known."""
        stage = self.checkpointed.stage
        note = ScopeNote(
            stage=stage,
            key=scope.key,
            status=PARTIAL,
            code=code,
            hint=reason,
            rows=tuple(rows),
            payload=scope.payload,
            at=int(self._clock()),
        )
        await self.write(self._runs.notes(self.run).note, note)
        # Without a pause from here on: what is counted and that it is done become durable together.
        if (stage, scope.key) not in self._partial:
            self._partial.add((stage, scope.key))
            self.incomplete += 1
            self.count(scopes_partial=1)

    async def aside(self, scope: Scope, status: str, code: str, reason: str = "") -> None:
        """Note that something beside what the run is for was not read: the run is complete all the same."""
        note = ScopeNote(
            stage=self.checkpointed.stage, key=scope.key, status=status, code=code, hint=reason, payload=scope.payload,
            at=int(self._clock()), aside=True,
        )  # fmt: skip
        await self.write(self._runs.notes(self.run).note, note)

    def keep_notes(self) -> None:
        """Let the notes of earlier runs about the stage under way stay: it reads nothing in this one."""
        self._kept_notes.add(self.checkpointed.stage)
        self.journal(KEPT_NOTES, [self.checkpointed.stage])

    @property
    def kept_notes(self) -> set[str]:
        """The stages whose notes of earlier runs stay, whichever worker has come by them."""
        return self._kept_notes | set(self._history.get(KEPT_NOTES, ()))

    def refuses(self, dataset: str) -> bool:  # noqa: ARG002 - doubt about one dataset is doubt about the whole listing
        """Whether removals must wait for an admin."""
        if self._suspected is None:
            tallies = {name: mirror.tally for name, mirror in self._mirrors.items()}
            suspicious = {name: mirror.suspicious for name, mirror in self._mirrors.items()}
            self._suspected = deletion_guard.exceeds_limit(tallies, suspicious, self.run.accepted)
        return bool(self._suspected)

    def cursor(self, scope: Scope) -> Any:
        """Where an interrupted reading of the scope had come to, None at its start."""
        return self.checkpointed.cursors.get(scope.key)

    def resume(self, scope: Scope, cursor: Any) -> None:
        """Take a scope up again where its reading had come to; what an earlier worker has read since counts."""
        if cursor is not None and scope.key not in self.checkpointed.cursors:
            self.advance(replace(self.checkpointed, cursors={**self.checkpointed.cursors, scope.key: cursor}))

    async def checkpoint(self, scope: Scope, cursor: Any) -> None:
        """All rows before `cursor` are durable."""
        self.advance(replace(self.checkpointed, cursors={**self.checkpointed.cursors, scope.key: cursor}))
        await self.flush_if_due()
        self.check()

    async def note_progress(self) -> None:
        """Something is done for good that the rows themselves tell of, and no cursor."""
        self._got_on = True
        await self.flush_if_due()
        self.check()

    def advance(self, checkpoint: Checkpoint) -> None:
        """Move the checkpoint in memory; the next flush makes it durable."""
        self.checkpointed = checkpoint

    def stop(self, reason: SliceEnded) -> SliceEnded:
        """End the slice for every scope in flight; the first reason counts, unless the lease is lost.

        Without the lease nothing may be written any more, so that outranks whatever else has ended the slice.
        """
        if self._stopped is None or isinstance(reason, LeaseLost):
            self._stopped = reason
        return self._stopped

    def check(self) -> None:
        """Raise where this worker must not go on."""
        if self._stopped is None and self._remaining() < RESERVE_SECONDS:
            self.stop(SliceOutOfTime("the function's time is nearly up"))
        if self._stopped is not None:
            raise self._stopped

    async def before_write(self) -> None:
        """Make progress durable where that is due: a lost lease is noticed before anything else is written."""
        await self.flush_if_due()

    async def flush_if_due(self) -> None:
        """Make progress durable, at most once per interval; this also renews the lease and notices its loss."""
        if self._flush_is_due:
            async with self._flushing:
                if self._flush_is_due:  # Many scopes find at once that it is, and one flush is enough for all.
                    await self._flush()

    async def flush(self) -> None:
        """Make everything noted so far durable: first the journal, then the checkpoint that relies on it."""
        async with self._flushing:
            await self._flush()

    @property
    def _flush_is_due(self) -> bool:
        # A clock that was set back tells nothing either, and the lease does not wait.
        return abs(self._clock() - self._flushed_at) >= self._flush_seconds

    async def _flush(self) -> None:
        # Taken together before the first await, so that the checkpoint never claims more than the journal holds.
        entries, self._pending = self._pending, {}
        run = self.snapshot()
        try:
            await run_uncancelled(self._persist, run, entries)
        except ConditionFailed:
            raise self.stop(LeaseLost("the run was taken over or deleted")) from None
        finally:
            if self.run.version == run.version:
                # What was not written is noted still: a later checkpoint must not rely on what no journal holds.
                for name, noted in self._pending.items():
                    entries.setdefault(name, []).extend(noted)
                self._pending = entries
        self._flushed_at = self._clock()

    def end(self) -> None:
        """Shut out this worker, and every hint that has asked GitLab before now (blocking). Raises LeaseLost."""
        self._fence.advance_to(self.run.fence + 1)

    def snapshot(self) -> Run:
        """The run with everything this worker has done."""
        counts = Counter(self._counts)
        # Not added up as they come: what was read twice, by two workers, is there once.
        counts.update({name: mirror.listed - counts[name] for name, mirror in self._mirrors.items()})
        counts["requests"] += self.gitlab.requests
        counts["rate_limited"] += self.gitlab.rate_limited
        moved = self._got_on or self.checkpointed != self.run.checkpoint
        run = progressed(self.run, self.checkpointed) if moved else self.run
        run = renew(run, now=int(self._clock()))
        return replace(
            run,
            done=self.done,
            total=self.total,
            incomplete=self.incomplete,
            counts=dict(counts),
            suspected=self.suspected,
            last_error=self.error,
        )

    async def keep_lease(self) -> None:
        """Renew the lease for as long as the slice runs, however slow GitLab answers."""
        while self._stopped is None:
            await asyncio.sleep(self._flush_seconds or LEASE_SECONDS / 4)
            try:
                await self.flush_if_due()
            except LeaseLost:
                return
            except StorageRefused as error:
                self.stop(RunFailed(error))
                return
            except StorageUnavailable:
                continue  # The next try may succeed while the lease still holds; if not, it is lost as it should be.

    def _persist(self, run: Run, entries: dict[str, list[Any]]) -> None:
        self._limiter.exchange()
        for some in chunked(entries):
            self._chunks += 1
            self._runs.journal_append(run, self._chunks, some, now=int(self._clock()))
        self.run = self._runs.save(run)
