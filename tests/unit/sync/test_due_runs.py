"""When a tick looks at an integration: it reads what is due, a page at a time, and forgets nobody."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import pytest

from gitlab_hub.storage.due import AT_ONCE, PAGE, WALK_SECONDS, Due
from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.dispatcher import LOST_AFTER_SECONDS
from gitlab_hub.sync.due import rows_at_once
from gitlab_hub.sync.ports import Kind, Scheduled
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable
from tests.unit.sync.dispatching import (
    EVERY,
    NOW,
    PARKED,
    Counting,
    OneTarget,
    Targets,
    at_rest,
    dispatcher,
    next_checks,
    numbered,
)


def test_a_tick_reads_runs_a_page_at_a_time() -> None:
    table, ids = Counting(), numbered(250)
    at_rest(table, ids[7:8])
    table.calls.clear()
    tick = replace(dispatcher(table, MemoryQueue()), targets=OneTarget(*ids), new_id=lambda: "s").tick()
    assert (tick["started"], tick["seen"]) == (249, 249)
    # The walk reads the runs and the rows of three pages, the look the runs of three; nothing is read one by one.
    assert (table.calls["get"], table.calls["get_many"]) == (1, 9)


@pytest.mark.parametrize("number", [0, 1, 300])
def test_a_tick_reads_nothing_of_integrations_that_are_not_due(number: int) -> None:
    table, queue, targets = Counting(), MemoryQueue(), Targets(*numbered(number) or ["-"])
    at_rest(table, targets.ids)
    replace(dispatcher(table, queue), targets=targets).tick()
    table.calls.clear()
    targets.asked = 0
    tick = replace(dispatcher(table, queue, NOW + 60), targets=targets).tick()
    assert (tick, queue.sent, targets.asked) == ({"started": 0, "nudged": 0, "seen": 0, "unreadable": 0}, [], 0)
    assert table.calls == {"get": 1, "query": 1}


def test_a_run_is_looked_at_again_when_it_is_due() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    at_rest(table, ["i1"])
    ticks = [dispatcher(table, queue, NOW + after).tick()["seen"] for after in (0, EVERY - 1, EVERY)]
    assert (ticks, len(queue.sent)) == ([0, 0, 1], 1)


def test_a_run_that_a_person_asks_for_is_carried_on_although_it_was_not_due() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    at_rest(table, ["i1"])
    dispatcher(table, queue).tick()
    asked = runs.request(RunStore(table).load("i1", Kind.ACCESS), sync_id="asked", now=NOW + 10)
    RunStore(table).save_all([asked])
    tick = dispatcher(table, queue, NOW + 10 + LOST_AFTER_SECONDS).tick()
    assert (tick["nudged"], [body["sync_id"] for body in queue.bodies]) == (1, ["asked"])


def test_a_worker_that_died_is_noticed_when_its_lease_ends() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    dispatcher(table, queue).tick()
    queued = RunStore(table).load("i1", Kind.ACCESS)
    RunStore(table).save(runs.claim(queued, sync_id=queued.sync_id, worker="w1", now=NOW + 1) or queued)
    nudged = [dispatcher(table, queue, NOW + 1 + after).tick()["nudged"] for after in (59, LEASE_SECONDS)]
    assert nudged == [0, 1]


def test_what_is_left_to_the_tick_is_taken_up_by_the_next_one() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    RunStore(table).save(replace(PARKED, version=0))
    dispatcher(table, queue).tick()
    parked = RunStore(table).load("i1", Kind.ACCESS)
    RunStore(table).save_all([replace(parked, left_to_tick=True, parked_until=NOW + 5)])
    assert [dispatcher(table, queue, NOW + after).tick()["nudged"] for after in (4, 5)] == [0, 1]


def test_an_integration_that_may_not_sync_is_not_come_back_to() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    at_rest(table, ["i1"])
    dispatcher(table, queue).tick()
    tick = replace(dispatcher(table, queue, NOW + EVERY), targets=OneTarget("i2")).tick()
    assert (tick["seen"], queue.sent, next_checks(table)) == (0, [], {})


def test_a_look_that_was_asked_for_during_a_tick_is_not_lost() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    RunStore(table).due(Kind.ACCESS).add([Due("i1", AT_ONCE, "integration 1")])

    class Resumed(OneTarget):
        """Somebody resumes the integration just after it was found to be paused."""

        def scheduled(self, ids: Iterable[str]) -> set[str]:
            table.write(puts=rows_at_once(table, "i1", 2))
            return set()

        def scheduled_page(self, after: str | None) -> Scheduled:
            return Scheduled([], None)

    replace(dispatcher(table, queue), targets=Resumed()).tick()
    assert next_checks(table) == {"i1": AT_ONCE, "i1@credentials": AT_ONCE}
    assert dispatcher(table, queue).tick()["started"] == 1


def test_a_row_that_is_missing_comes_back_within_an_hour() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    at_rest(table, ["i1"])
    dispatcher(table, queue).tick()
    table.delete("DUE#access", f"{NOW + EVERY:010d}#i1")
    started = [dispatcher(table, queue, NOW + after).tick()["started"] for after in (WALK_SECONDS - 1, WALK_SECONDS)]
    assert started == [0, 1]


def test_the_walk_goes_on_where_it_was_broken_off() -> None:
    class Away(Targets):
        """The list of integrations cannot be read behind its first page, once."""

        broken = True

        def scheduled_page(self, after: str | None) -> Scheduled:
            if after is not None and self.broken:
                self.broken = False
                raise QueueUnavailable
            return super().scheduled_page(after)

    table, targets = MemoryTable(), Away(*numbered(150))
    at_rest(table, targets.ids)
    with pytest.raises(QueueUnavailable):
        replace(dispatcher(table, MemoryQueue()), targets=targets).tick()
    assert len(next_checks(table)) == PAGE
    replace(dispatcher(table, MemoryQueue()), targets=targets).tick()
    assert (len(next_checks(table)), targets.asked) == (150, 150)


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 8))
def test_a_tick_that_ends_anywhere_forgets_no_run(at: int, applied: bool) -> None:
    table, queue = MemoryTable(), MemoryQueue()
    at_rest(table, ["i1"])
    dispatcher(table, queue).tick()  # The walk is done, and does not come again while this test goes on.
    plan = Plan(at=at, applied=applied)
    with suppress(Crash):
        replace(dispatcher(table, queue, NOW + EVERY), runs=RunStore(faulty(table, plan))).tick()
    for after in (0, LOST_AFTER_SECONDS):
        dispatcher(table, queue, NOW + EVERY + after).tick()
    assert RunStore(table).load("i1", Kind.ACCESS).status is RunStatus.QUEUED
    assert queue.sent
    assert next_checks(table)
