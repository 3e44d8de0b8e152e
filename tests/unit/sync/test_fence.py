"""Writing behind a fence: all of it while the number is the newest, and nothing afterwards."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gitlab_hub.storage.ports import ABSENT, PRESENT, Check, ConditionFailed, Delete, Item, Put, StorageUnavailable
from gitlab_hub.storage.rows import MOST_ACTIONS, MOST_BYTES, batches
from gitlab_hub.sync.errors import LeaseLost
from gitlab_hub.sync.fence import Fence, FencedTable
from gitlab_hub.sync.ports import Kind
from tests.fakes.table import MemoryTable
from tests.fakes.threads import together

PATIENCE_SECONDS = 60


def row(sk: str, **more: Any) -> Item:
    return {"pk": "p", "sk": sk, **more}


@pytest.fixture
def table() -> MemoryTable:
    return MemoryTable()


@pytest.fixture
def fence(table: MemoryTable) -> Fence:
    fence = Fence(table, "i1", Kind.ACCESS)
    fence.advance_to(5)
    return fence


WRITES: list[Callable[[FencedTable], None]] = [
    lambda mine: mine.put(row("a", n=2)),
    lambda mine: mine.put(row("b"), ABSENT),
    lambda mine: mine.delete("p", "a"),
    lambda mine: mine.write([row("a", n=2), row("b")], [("p", "a")]),
    lambda mine: mine.transact([Put(row("a", n=2), PRESENT)]),
]


@pytest.mark.parametrize("write", WRITES)
def test_whoever_was_overtaken_writes_nothing(
    table: MemoryTable, fence: Fence, write: Callable[[FencedTable], None]
) -> None:
    table.put(row("a", n=1))
    mine = FencedTable(fence, 5)
    fence.advance_to(6)
    before = table.dump()
    with pytest.raises(LeaseLost):
        write(mine)
    assert table.dump() == before


@pytest.mark.parametrize("write", WRITES)
def test_whoever_is_the_newest_writes_as_to_any_table(
    table: MemoryTable, fence: Fence, write: Callable[[FencedTable], None]
) -> None:
    plain: Any = MemoryTable()
    for one in (table, plain):
        one.put(row("a", n=1))
    write(FencedTable(fence, 5))
    write(plain)
    assert [item for item in table.dump() if item["pk"] == "p"] == plain.dump()


def test_a_fence_never_goes_down(fence: Fence) -> None:
    fence.advance_to(5)
    fence.advance_to(8)
    with pytest.raises(LeaseLost):
        fence.advance_to(7)
    assert fence.number() == 8


def test_a_fence_that_was_removed_lets_nobody_through(table: MemoryTable, fence: Fence) -> None:
    mine = FencedTable(fence, 5)
    table.delete(*fence.key)
    with pytest.raises(LeaseLost):
        mine.put(row("a"))


def test_before_the_first_run_whoever_processes_a_hint_may_write(table: MemoryTable) -> None:
    fence = Fence(table, "i1", Kind.ACCESS)
    mine = FencedTable(fence, fence.number())
    mine.put(row("a"))
    fence.advance_to(1)
    with pytest.raises(LeaseLost):
        mine.put(row("b"))


def test_a_condition_of_the_row_itself_fails_as_ever(fence: Fence) -> None:
    mine = FencedTable(fence, 5)
    mine.put(row("a", n=1), ABSENT)
    mine.put(row("a", n=1), ABSENT)  # Taken for a repetition whose answer was lost.
    with pytest.raises(ConditionFailed):
        mine.put(row("a", n=2), ABSENT)


class Slow(MemoryTable):
    """A table that keeps its first transaction waiting, and notes all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions: list[int] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        self.transactions.append(len(actions))
        self.begun.set()
        self.go.wait(PATIENCE_SECONDS)
        super().transact(actions)


def slowly(table: Slow, mine: FencedTable, work: Callable[[int], None], writers: int) -> list[Exception | None]:
    """Let many write while the first one's transaction takes as long as it takes them to wait for it."""
    first = threading.Thread(target=lambda: mine.put(row("first")))
    first.start()
    table.begun.wait(PATIENCE_SECONDS)

    def go() -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while len(mine._waiting) < writers and time.monotonic() < until:
            time.sleep(0.01)
        table.go.set()

    threading.Thread(target=go).start()
    results = together(writers, work)
    first.join()
    return results


def test_what_waits_is_written_together() -> None:
    table = Slow()
    fence = Fence(table, "i1", Kind.ACCESS)
    fence.advance_to(1)
    mine = FencedTable(fence, 1)
    assert slowly(table, mine, lambda n: mine.put(row(f"r{n}")), 12) == [None] * 12
    assert len([item for item in table.dump() if item["pk"] == "p"]) == 13
    assert table.transactions == [2, 13], "each with its check"


def test_one_that_is_refused_spoils_no_other() -> None:
    table = Slow()
    fence = Fence(table, "i1", Kind.ACCESS)
    fence.advance_to(1)
    mine = FencedTable(fence, 1)
    results = slowly(table, mine, lambda n: mine.put(row(f"r{n}"), PRESENT if n == 3 else ABSENT), 8)
    assert [type(result) for n, result in enumerate(results) if n != 3] == [type(None)] * 7
    assert isinstance(results[3], ConditionFailed)


def test_a_store_that_is_away_is_away_for_all() -> None:
    class Away(MemoryTable):
        def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
            raise StorageUnavailable("later")

    fence = Fence(Away(), "i1", Kind.ACCESS)
    fence.advance_to(1)
    mine = FencedTable(fence, 1)
    results = together(5, lambda n: mine.put(row(f"r{n}")))
    assert [type(result) for result in results] == [StorageUnavailable] * 5


def test_many_writes_are_shared_out() -> None:
    small = [Put(row(f"r{n}")) for n in range(250)]
    assert [len(portion) for portion in batches(small)] == [MOST_ACTIONS, MOST_ACTIONS, 52]
    large = [Put(row(f"r{n}", data=b"x" * 300_000)) for n in range(25)]
    assert all(sum(len(put.item["data"]) for put in portion) <= MOST_BYTES for portion in batches(large))
    assert sum(len(portion) for portion in batches(large)) == 25
    assert list(batches([])) == []
