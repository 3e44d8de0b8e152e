"""A dataset kept equal to what GitLab lists: write what changed, remove only what a complete reading did not show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from gitlab_hub.storage.rows import content_hash
from gitlab_hub.sync.deletion_guard import DeletionTally, is_suspicious_scope
from gitlab_hub.sync.ports import Confirm, Row, RowStore

SWEPT_AT_ONCE = 100
"""Rows asked about and removed in one step: an interrupted sweep repeats no more than that."""

KEYS_AT_ONCE = 5_000
"""Keys in one entry of the journal, whose rows are small however many there are."""


@dataclass(frozen=True, slots=True)
class CompletedScope:
    """A scope that was read to its end."""

    stored: int
    missing: list[str]
    listed: int
    """How many rows GitLab has in it."""


class MirrorSession(Protocol):
    """What a mirror needs of the session that it lives in."""

    async def io(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """Read from a store."""

    async def write(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """Write to a store."""

    async def gather(self, *jobs: Any) -> list[Any]:
        """Run jobs concurrently."""

    def now(self) -> datetime:
        """The hub's clock."""

    def count(self, **amounts: int) -> None:
        """Add to the run's counters."""

    def journal(self, name: str, entries: Iterable[Any]) -> None:
        """Note what a worker that carries on must know."""

    def refuses(self, dataset: str) -> bool:
        """Whether removals must wait for an admin."""


class DatasetMirror:
    """One dataset during one run.

    What was seen (per open scope) and what was missing (per closed scope) is rebuilt from the run's journal when
    another worker carries the run on, so a reading of any length may be interrupted anywhere.
    """

    def __init__(self, dataset: str, store: RowStore, session: MirrorSession) -> None:
        self._dataset, self._store, self._session = dataset, store, session
        self._seen: dict[str, set[str]] = {}
        self._closed: dict[str, CompletedScope] = {}
        self._believed: set[str] = set()

    def restore(self, history: dict[str, list[Any]]) -> None:
        """Take over what earlier workers of this run had noted.

        What was seen stays known for closed scopes too: the worker may have died before its checkpoint said so, and
        then the scope is read again from its last cursor only.
        """
        for scope, keys in history.pop(f"{self._dataset}/seen", []):
            self._seen.setdefault(scope, set()).update(keys)
        self._believed.update(history.pop(f"{self._dataset}/believed", []))
        for scope, stored, keys, *rest in history.pop(f"{self._dataset}/missing", []):
            # Journals of the release before have neither: one entry held all keys.
            start, listed = rest or (0, max(0, stored - len(keys)))
            before = self._closed[scope].missing[:start] if start else []
            self._closed[scope] = CompletedScope(stored, [*before, *keys], listed)

    @property
    def tally(self) -> DeletionTally:
        """All completely read scopes together."""
        closed = self._closed.values()
        return DeletionTally(sum(one.stored for one in closed), sum(len(one.missing) for one in closed))

    @property
    def listed(self) -> int:
        """How many rows GitLab has listed so far, each counted once whoever read it, and however often."""
        open_scopes = (len(keys) for scope, keys in self._seen.items() if scope not in self._closed)
        return sum(one.listed for one in self._closed.values()) + sum(open_scopes)

    def lists_any(self, prefix: str) -> bool:
        """Whether a completely read scope whose name begins so had any row in this run."""
        return any(one.listed for scope, one in self._closed.items() if scope.startswith(prefix))

    def is_complete(self, scope: str) -> bool:
        """Whether the scope was read to its end in this run."""
        return scope in self._closed

    def has_seen(self, scope: str, key: str) -> bool:
        """Whether `upsert` was given this row of the scope in this run, by whatever worker."""
        return key in self._seen.get(scope, ())

    def believe(self, scope: str) -> None:
        """Note that nothing contradicts what was listed in the scope."""
        if scope not in self._believed:
            self._believed.add(scope)
            self._session.journal(f"{self._dataset}/believed", [scope])

    def is_believed(self, scope: str) -> bool:
        """Whether that was noted in this run, by whatever worker."""
        return scope in self._believed

    @property
    def suspicious(self) -> int:
        """Missing rows in scopes that are doubtful on their own."""
        tallies = (DeletionTally(one.stored, len(one.missing)) for one in self._closed.values())
        return sum(tally.missing for tally in tallies if is_suspicious_scope(tally))

    async def replace_all(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str] | None = None) -> None:
        """These are all rows of the scope: write what changed, note what is missing.

        `stored`: the content hashes of all stored rows of the scope; None = not read before.
        """
        rows = list({row.key: row for row in rows}.values())
        if stored is None:
            stored = dict(await self._session.io(lambda: dict(self._store.stored(scope))))
        await self._write_changed(scope, rows, stored)
        kept = {row.key for row in rows}
        self._close(scope, CompletedScope(len(stored), [key for key in stored if key not in kept], len(kept)))

    async def upsert(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str] | None = None) -> None:
        """These are some rows of the scope: write what changed, note that they were seen.

        `stored`: the content hashes of the stored rows that parts of these were taken from; None = not read before.
        """
        rows = list({row.key: row for row in rows}.values())
        if stored is None:
            stored = await self._session.io(self._store.stored_of, scope, [row.key for row in rows])
        await self._write_changed(scope, rows, stored)
        seen = self._seen.setdefault(scope, set())
        fresh = [row.key for row in rows if row.key not in seen]
        seen.update(fresh)
        if fresh:
            parts = [fresh[start : start + KEYS_AT_ONCE] for start in range(0, len(fresh), KEYS_AT_ONCE)]
            self._session.journal(f"{self._dataset}/seen", [(scope, part) for part in parts])

    async def complete(self, scope: str) -> int:
        """The scope was read to its end through `upsert`: note what is missing. The answer counts the stored rows."""
        seen = self._seen.get(scope, set())
        stored, missing = await self._session.io(lambda: _absent(self._store.stored(scope), seen))
        self._close(scope, CompletedScope(stored, missing, len(seen)))
        return int(stored)

    async def delete_missing(self, confirm: Confirm | None = None) -> None:
        """Remove what is missing, unless the deletion guard refuses.

        `confirm` asks GitLab about one row by its id: a row that slipped between two pages of a shifting list stays.
        """
        if self._session.refuses(self._dataset):
            return
        for scope, closed in self._closed.items():
            missing = closed.missing
            for start in range(0, len(missing), SWEPT_AT_ONCE):
                await self._sweep_some(scope, missing[start : start + SWEPT_AT_ONCE], confirm)

    async def _sweep_some(self, scope: str, missing: Sequence[str], confirm: Confirm | None) -> None:
        # What an earlier worker of this run has removed already need not be asked about again.
        stored: dict[str, str] = await self._session.io(self._store.stored_of, scope, missing)
        if confirm is not None:
            answers = await self._session.gather(*(partial(confirm, scope, key) for key in stored))
            stored = {key: digest for (key, digest), gone in zip(stored.items(), answers, strict=True) if gone}
        if stored:
            await self._session.write(self._store.remove, scope, stored, at=self._session.now())
            self._session.count(rows_removed=len(stored))

    async def _write_changed(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str]) -> None:
        hashes = {row.key: content_hash(row.item) for row in rows}
        changed = [row for row in rows if stored.get(row.key) != hashes[row.key]]
        if changed:
            await self._session.write(self._store.put, scope, changed, hashes, stored)
        self._session.count(rows_read=len(rows), rows_written=len(changed))

    def _close(self, scope: str, closed: CompletedScope) -> None:
        self._closed[scope] = closed
        starts = range(0, max(1, len(closed.missing)), KEYS_AT_ONCE)
        parts = [(start, closed.missing[start : start + KEYS_AT_ONCE]) for start in starts]
        entries = [(scope, closed.stored, keys, start, closed.listed) for start, keys in parts]
        self._session.journal(f"{self._dataset}/missing", entries)


def _absent(stored: Iterator[tuple[str, str]], seen: set[str]) -> tuple[int, list[str]]:
    total, missing = 0, []
    for key, _ in stored:
        total += 1
        if key not in seen:
            missing.append(key)
    return total, missing
