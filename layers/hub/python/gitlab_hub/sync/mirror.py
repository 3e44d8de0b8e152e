"""A dataset kept equal to what GitLab lists: write what changed, remove only what a complete reading did not show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from gitlab_hub.sync.breaker import Tally, is_suspicious_scope
from gitlab_hub.sync.hashing import content_hash
from gitlab_hub.sync.ports import Confirm, Row, RowStore

SWEPT_AT_ONCE = 100
"""Rows asked about and removed in one step: an interrupted sweep repeats no more than that."""


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
        """Whether removals must wait for an owner."""


class DatasetMirror:
    """One dataset during one run.

    What was seen (per open scope) and what was missing (per closed scope) is rebuilt from the run's journal when
    another worker carries the run on, so a reading of any length may be interrupted anywhere.
    """

    def __init__(self, dataset: str, store: RowStore, session: MirrorSession) -> None:
        self._dataset, self._store, self._session = dataset, store, session
        self._seen: dict[str, set[str]] = {}
        self._closed: dict[str, tuple[int, list[str]]] = {}

    def recall(self, history: dict[str, list[Any]]) -> None:
        """Take over what earlier workers of this run had noted.

        What was seen stays known for closed scopes too: the worker may have died before its checkpoint said so, and
        then the scope is read again from its last cursor only.
        """
        for scope, keys in history.pop(f"{self._dataset}/seen", []):
            self._seen.setdefault(scope, set()).update(keys)
        for scope, stored, keys in history.pop(f"{self._dataset}/missing", []):
            self._closed[scope] = (stored, keys)

    @property
    def tally(self) -> Tally:
        """All completely read scopes together."""
        return Tally(sum(n for n, _ in self._closed.values()), sum(len(keys) for _, keys in self._closed.values()))

    @property
    def suspicious(self) -> int:
        """Missing rows in scopes that are doubtful on their own."""
        return sum(len(keys) for n, keys in self._closed.values() if is_suspicious_scope(Tally(n, len(keys))))

    async def replace(self, scope: str, rows: Sequence[Row]) -> None:
        """These are all rows of the scope: write what changed, note what is missing."""
        stored = await self._session.io(lambda: dict(self._store.stored(scope)))
        await self._write_changed(scope, rows, stored)
        self._session.count(**{self._dataset: len(rows)})
        kept = {row.key for row in rows}
        self._close(scope, len(stored), [key for key in stored if key not in kept])

    async def upsert(self, scope: str, rows: Sequence[Row]) -> None:
        """These are some rows of the scope: write what changed, note that they were seen."""
        rows = list({row.key: row for row in rows}.values())
        stored = await self._session.io(self._store.stored_of, scope, [row.key for row in rows])
        await self._write_changed(scope, rows, stored)
        seen = self._seen.setdefault(scope, set())
        fresh = [row.key for row in rows if row.key not in seen]
        seen.update(fresh)
        if fresh:
            self._session.count(**{self._dataset: len(fresh)})
            self._session.journal(f"{self._dataset}/seen", [(scope, fresh)])

    async def complete(self, scope: str) -> None:
        """The scope was read to its end through `upsert`: note what is missing."""
        seen = self._seen.get(scope, set())
        stored, missing = await self._session.io(lambda: _absent(self._store.stored(scope), seen))
        self._close(scope, stored, missing)

    async def sweep(self, confirm: Confirm | None = None) -> None:
        """Remove what is missing, unless the breaker refuses.

        `confirm` asks GitLab about one row by its id: a row that slipped between two pages of a shifting list stays.
        """
        if self._session.refuses(self._dataset):
            return
        for scope, (_, missing) in self._closed.items():
            for start in range(0, len(missing), SWEPT_AT_ONCE):
                await self._sweep_some(scope, missing[start : start + SWEPT_AT_ONCE], confirm)

    async def _sweep_some(self, scope: str, missing: Sequence[str], confirm: Confirm | None) -> None:
        # What an earlier worker of this run has removed already need not be asked about again.
        keys = list(await self._session.io(self._store.stored_of, scope, missing))
        if confirm is not None:
            answers = await self._session.gather(*(partial(confirm, scope, key) for key in keys))
            keys = [key for key, gone in zip(keys, answers, strict=True) if gone]
        if keys:
            await self._session.write(self._store.remove, scope, keys, at=self._session.now())
            self._session.count(rows_removed=len(keys))

    async def _write_changed(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str]) -> None:
        hashes = {row.key: content_hash(row.item) for row in rows}
        changed = [row for row in rows if stored.get(row.key) != hashes[row.key]]
        if changed:
            await self._session.write(self._store.put, scope, changed, hashes)
        self._session.count(rows_read=len(rows), rows_written=len(changed))

    def _close(self, scope: str, stored: int, missing: list[str]) -> None:
        self._closed[scope] = (stored, missing)
        self._session.journal(f"{self._dataset}/missing", [(scope, stored, missing)])


def _absent(stored: Iterator[tuple[str, str]], seen: set[str]) -> tuple[int, list[str]]:
    total, missing = 0, []
    for key, _ in stored:
        total += 1
        if key not in seen:
            missing.append(key)
    return total, missing
