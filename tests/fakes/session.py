"""A session without an engine, over a GitLab whose answers are written down: what features' stages are tested with.

The mirrors are the engine's own, so rows are compared, journalled and swept as in a real run. A slice ends where
`stop_after` checkpoints were made; `next_slice` carries the run on with nothing but what would be durable.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync import deletion_guard
from gitlab_hub.sync.mirror import DatasetMirror
from gitlab_hub.sync.ports import Feature, RowStore, Scope, SyncTarget
from tests.fakes.scripted_client import NOW, ScriptedClient

T = TypeVar("T")


class SliceOver(Exception):
    """The worker's time is up."""


@dataclass(kw_only=True)
class Durable:
    """What survives a worker."""

    journal: dict[str, list[Any]] = field(default_factory=dict)
    cursors: dict[str, Any] = field(default_factory=dict)
    done: set[tuple[str, str]] = field(default_factory=set)
    errors: dict[tuple[str, str], GitLabError] = field(default_factory=dict)


class FakeSession:
    """One slice of a run."""

    sync_id, full = "s1", False

    def __init__(
        self,
        target: SyncTarget,
        gitlab: ScriptedClient,
        *,
        stop_after: int | None = None,
        durable: Durable | None = None,
    ) -> None:
        self.target, self.scripted = target, gitlab
        # Stages take the client's type; of a client they use only what the script has.
        self.gitlab = cast("GitLab", gitlab)
        self.durable = durable or Durable()
        self.counts: Counter[str] = Counter()
        self.partials: list[tuple[str, str, str]] = []
        self.asides: list[tuple[str, str, str]] = []
        self.keeps_notes = 0
        self._left = stop_after
        self._mirrors: dict[str, DatasetMirror] = {}

    def next_slice(self, *, stop_after: int | None = None) -> "FakeSession":
        """Give the session of the worker that carries on."""
        return FakeSession(self.target, self.scripted, stop_after=stop_after, durable=self.durable)

    @property
    def failures(self) -> int:
        """How many scopes were not read completely so far."""
        return len(self.durable.errors)

    @property
    def suspected(self) -> dict[str, int]:
        """The datasets whose removals the deletion guard refuses."""
        tallies = {name: mirror.tally for name, mirror in self._mirrors.items()}
        suspicious = {name: mirror.suspicious for name, mirror in self._mirrors.items()}
        return deletion_guard.exceeds_limit(tallies, suspicious, {})

    def fenced(self, table: Table) -> Table:
        """The table itself: nobody else is at work."""
        return table

    def concurrency(self, most: int) -> int:
        """As much at once as anybody wants."""
        return most

    def now(self) -> datetime:
        """A fixed moment."""
        return NOW

    def mirror(self, dataset: str, store: RowStore) -> DatasetMirror:
        """The mirror of a dataset, with what earlier slices noted."""
        if dataset not in self._mirrors:
            self._mirrors[dataset] = DatasetMirror(dataset, store, self)
            self._mirrors[dataset].restore(dict(self.durable.journal))
        return self._mirrors[dataset]

    def journal(self, name: str, entries: Iterable[Any]) -> None:
        """Note something; durable at once."""
        self.durable.journal.setdefault(name, []).extend(_stored(list(entries)))

    def refuses(self, dataset: str) -> bool:
        """Whether removals must wait."""
        return bool(self.suspected)

    def cursor(self, scope: Scope) -> Any:
        """Where the reading of the scope had come to."""
        return self.durable.cursors.get(scope.key)

    async def checkpoint(self, scope: Scope, cursor: Any) -> None:
        """Keep the cursor, and end the slice where it is over."""
        self.durable.cursors[scope.key] = _stored(cursor)
        await self.note_progress()

    async def note_progress(self) -> None:
        """End the slice where it is over."""
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise SliceOver

    async def partial(self, scope: Scope, code: str, reason: str = "", *, rows: Sequence[str] = ()) -> None:
        """Keep what is said of a part that is not known."""
        self.partials.append((scope.key, code, " ".join([reason, *rows])))

    async def aside(self, scope: Scope, status: str, code: str, reason: str = "") -> None:
        """Keep what is said of something that was not read."""
        self.asides.append((scope.key, status, f"{code} {reason}".strip()))

    def keep_notes(self) -> None:
        """Count the stages that read nothing."""
        self.keeps_notes += 1

    async def io(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Read, and let others go on meanwhile."""
        await asyncio.sleep(0)
        return call(*args, **kwargs)

    async def write(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Write, and let others go on meanwhile."""
        await asyncio.sleep(0)
        return call(*args, **kwargs)

    async def gather(self, *jobs: Callable[[], Awaitable[T]]) -> list[T]:
        """Run jobs concurrently."""
        return list(await asyncio.gather(*(job() for job in jobs)))

    def count(self, **amounts: int) -> None:
        """Add to the counters."""
        self.counts.update(amounts)


async def run(feature: Feature, session: FakeSession) -> dict[tuple[str, str], GitLabError]:
    """Run what is left of all stages; the answer is every scope that failed, with its error."""
    durable = session.durable
    for stage in feature.stages(session):
        async for scope in stage.scopes(None):
            place = (stage.name, scope.key)
            if place in durable.done:
                continue
            try:
                await stage.read(scope)
            except GitLabError as error:
                durable.errors[place] = error
            durable.done.add(place)
            durable.cursors.pop(scope.key, None)
    return durable.errors


async def run_in_slices(feature: Feature, session: FakeSession, *, at_most: int = 100) -> FakeSession:
    """Run to the end with workers that live for one checkpoint each; the answer is the last one's session."""
    for _ in range(at_most):
        session = session.next_slice(stop_after=1)
        try:
            await run(feature, session)
        except SliceOver:
            continue
        return session
    raise AssertionError("the run comes to no end")


def _stored(value: Any) -> Any:
    """Give a value as a store gives it back."""
    return json.loads(json.dumps(value))
