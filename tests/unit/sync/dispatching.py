"""Dispatchers over tables and queues in memory, and the integrations that they look at."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from gitlab_hub.gitlab.client import Tokens
from gitlab_hub.storage.due import PAGE
from gitlab_hub.storage.ports import ALWAYS, Condition, Item, Key, Rows
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.dispatcher import Dispatcher
from gitlab_hub.sync.ports import Kind, Scheduled, SyncTarget
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

NOW = 1_000_000
EVERY = 300
NEVER_RUN = Run(integration_id="i1", kind=Kind.ACCESS)
QUEUED = runs.request(NEVER_RUN, sync_id="s1", now=NOW)
CLAIMED = runs.claim(QUEUED, sync_id="s1", worker="w1", now=NOW) or QUEUED
PARKED = runs.defer(CLAIMED, until=NOW + 600, now=NOW)


class OneTarget:
    """Integrations with a single, healthy one among them."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids or ("i1",)

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        return set(self.ids) & set(ids)

    def scheduled_page(self, after: str | None) -> Scheduled:
        behind = [one for one in self.ids if one > (after or "")]
        return Scheduled(behind[:PAGE], behind[PAGE - 1] if len(behind) > PAGE else None)

    def target(self, integration_id: str) -> SyncTarget | None:
        raise AssertionError("a tick reads no target")

    def tokens(self, target: SyncTarget) -> Tokens:
        raise AssertionError("a tick needs no token")

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """Nobody is limited to a group here."""
        raise NotImplementedError

    def mark_rejected(self, target: SyncTarget) -> None:
        raise AssertionError("a tick judges no credential")

    mark_valid = mark_rejected


def dispatcher(table: MemoryTable, queue: MemoryQueue, now: float = NOW) -> Dispatcher:
    ids = iter(f"s{n}" for n in range(100))
    return Dispatcher(
        kind=Kind.ACCESS,
        runs=RunStore(table),
        targets=OneTarget(),
        queue=queue,
        every_seconds=EVERY,
        now=lambda: now,
        new_id=lambda: next(ids),
    )


def statuses(table: MemoryTable, *ids: str) -> list[RunStatus]:
    return [RunStore(table).load(one, Kind.ACCESS).status for one in ids]


class Counting(MemoryTable):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def get(self, pk: str, sk: str) -> Item | None:
        self.calls["get"] += 1
        return super().get(pk, sk)

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        self.calls["get_many"] += 1
        return super().get_many(keys, attributes=attributes)

    def query(self, pk: str, **options: Any) -> Rows:
        self.calls["query"] += 1
        return super().query(pk, **options)

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        self.calls["put"] += 1
        super().put(item, condition)


class Targets(OneTarget):
    """Says how many integrations were asked for, too."""

    asked = 0

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        found = super().scheduled(ids)
        self.asked += len(found)
        return found

    def scheduled_page(self, after: str | None) -> Scheduled:
        page = super().scheduled_page(after)
        self.asked += len(page.ids)
        return page


def numbered(number: int) -> list[str]:
    return [f"i{one:04d}" for one in range(number)]


def at_rest(table: MemoryTable, ids: Sequence[str], finished_at: int = NOW) -> None:
    for one in ids:
        RunStore(table).save(replace(NEVER_RUN, integration_id=one, finished_at=finished_at))


def next_checks(table: MemoryTable) -> dict[str, int]:
    """When the runs are to be looked at, by their integrations."""
    pages = RunStore(table).due(Kind.ACCESS).pages(2 * NOW)
    return {one.subject: one.at for page in pages for one in page}
