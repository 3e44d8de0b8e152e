"""Several workers write one feed at once, and somebody reads it meanwhile: each change is told once, in its place."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gitlab_hub.access.changes.feed import KEPT_SECONDS, ChangeFeed, Step
from gitlab_hub.access.changes.model import Change, ChangeKind
from gitlab_hub.access.changes.reader import ChangeFilter, ChangeReader
from gitlab_hub.storage.ports import ABSENT, Condition, ConditionFailed, Put, Rows, Table
from gitlab_hub.sync.errors import Overtaken
from tests.fakes.interleaving import Interleaving
from tests.fakes.table import MemoryTable
from tests.functional.access.changes.replay import told

SCHEDULES = some.lists(some.integers(0, 2), max_size=60)
NOW = 1_790_000_000


def feed_over(table: Table, *, now: float = NOW, beside_runs: bool = False) -> ChangeFeed:
    return ChangeFeed(table, "i1", sync_id="s1", now=lambda: now, beside_runs=beside_runs)


def begun() -> MemoryTable:
    table = MemoryTable()
    feed_over(table).begin([])
    return table


def step(number: int, *, entries: int = 1, condition: Condition = ABSENT) -> Step:
    changes = [Change(kind=ChangeKind.ACCOUNT_ADDED, account_id=number, after={}) for _ in range(entries)]
    return Step(Put({"pk": "i1#accounts", "sk": f"{number:04d}", "hash": "h"}, condition), changes)


@settings(max_examples=100, deadline=None)
@given(SCHEDULES)
def test_a_reader_who_goes_on_behind_what_he_has_read_sees_each_change_once(schedule: list[int]) -> None:
    table = begun()
    turns = Interleaving(schedule)
    feeds = [feed_over(turns.wrapped(table), now=NOW + clock, beside_runs=True) for clock in (0, -5)]
    reader = ChangeReader(turns.wrapped(table))
    seen: list[int | None] = []

    def write(worker: int) -> None:
        for number in range(5):
            feeds[worker].write([step(100 * worker + number, entries=1 + number % 2)])

    position = 0

    def read() -> None:
        nonlocal position
        for _ in range(12):
            page = reader.page("i1", ChangeFilter(), after=position, limit=2)
            seen.extend(entry.change.account_id for entry in page.entries)
            position = page.position

    assert turns.run(lambda: write(0), lambda: write(1), read) == [None] * 3
    seen.extend(entry.change.account_id for entry in told(table, after=position))
    entries = told(table)
    assert [entry.number for entry in entries] == list(range(1, 15))
    assert seen == [entry.change.account_id for entry in entries]
    for worker in (0, 1):
        mine = [number for number in seen if number is not None and number // 100 == worker]
        assert mine == [100 * worker + n for n in (0, 1, 1, 2, 3, 3, 4)]
    times = [entry.noticed_at for entry in entries]
    assert times == sorted(times)


def test_a_row_that_is_not_what_it_was_is_told_of_by_whoever_came_first() -> None:
    table = begun()
    first, second = feed_over(table), feed_over(table)
    first.write([step(1)])
    with pytest.raises(Overtaken):
        second.write([step(1)])
    second.write([step(2)])
    assert [entry.change.account_id for entry in told(table)] == [1, 2]


def test_a_number_that_others_always_take_is_asked_for_a_bounded_number_of_times() -> None:
    table = begun()

    class Busy(MemoryTable):
        def transact(self, actions: Any) -> None:
            other.write([step(500 + len(told(table)))])
            raise ConditionFailed

        def get(self, pk: str, sk: str) -> Any:
            return table.get(pk, sk)

        def query(self, pk: str, **how: Any) -> Rows:
            return table.query(pk, **how)

    other = feed_over(table)
    with pytest.raises(Overtaken):
        feed_over(Busy()).write([step(1)])
    assert 1 not in [entry.change.account_id for entry in told(table)]


def test_whatever_a_hint_writes_while_the_feed_begins_is_read_again() -> None:
    table = MemoryTable()
    hint = feed_over(table, beside_runs=True)
    assert not hint.has_begun
    hint.write([step(1)])
    feed_over(table).begin(["project#000000000008"])
    with pytest.raises(Overtaken):
        hint.write([step(2)])
    assert hint.has_begun
    assert hint.first_reading("project#000000000008") is not None
    hint.write([step(2)])
    assert [entry.change.account_id for entry in told(table)] == [2]


def test_a_first_reading_that_somebody_else_has_done_meanwhile_is_done_again() -> None:
    table = MemoryTable()
    feed_over(table).begin(["project#000000000008"])
    feed, other = feed_over(table), feed_over(table)
    mark = feed.first_reading("project#000000000008")
    other.was_read("project#000000000008")
    quiet = Step(step(1).action, [], mark)
    with pytest.raises(Overtaken):
        feed.write([quiet])
    assert feed.first_reading("project#000000000008") is None


def test_marks_of_a_beginning_that_came_to_no_end_are_put_right() -> None:
    table = MemoryTable()
    table.put({"pk": "i1#feed", "sk": "unread#project#000000000007"})
    feed = feed_over(table)
    assert (feed.has_begun, feed.first_reading("project#000000000007")) == (False, None)
    feed.begin(["project#000000000008"])
    feed.begin(["project#000000000009"])
    marks = [row["sk"] for row in table.dump() if row["pk"] == "i1#feed"]
    assert marks == ["state", "unread#project#000000000008"]


def test_entries_are_kept_for_400_days_and_a_feed_without_its_beginning_is_read_from_what_is_there() -> None:
    table = begun()
    feed = feed_over(table)
    for number in range(1, 6):
        feed.write([step(number, entries=2)])
    items = [row for row in table.dump() if row["pk"] == "i1#changes"]
    assert {item["expires_at"] for item in items} == {NOW + KEPT_SECONDS}
    assert KEPT_SECONDS == 400 * 86_400
    for item in items[:3]:
        table.delete(item["pk"], item["sk"])
    page = ChangeReader(table).page("i1", ChangeFilter(since=1), after=None, limit=50)
    assert [entry.number for entry in page.entries] == [7, 8, 9, 10]
    assert ChangeReader(table).page("i1", ChangeFilter(), after=3, limit=1).entries[0].number == 7
