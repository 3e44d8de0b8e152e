"""What a tick starts, pushes or leaves alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.dispatcher import LOST_AFTER_SECONDS, IncompleteTick, RunAction, decide
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable
from tests.unit.sync.dispatching import (
    CLAIMED,
    EVERY,
    NEVER_RUN,
    NOW,
    PARKED,
    QUEUED,
    Counting,
    OneTarget,
    dispatcher,
    statuses,
)


@pytest.mark.parametrize(
    ("run", "now", "step"),
    [
        (NEVER_RUN, NOW, RunAction.START),
        (runs.finish(CLAIMED, now=NOW), NOW + EVERY - 1, RunAction.NOTHING),
        (runs.finish(CLAIMED, now=NOW), NOW + EVERY, RunAction.START),
        (QUEUED, NOW + LOST_AFTER_SECONDS - 1, RunAction.NOTHING),
        (QUEUED, NOW + LOST_AFTER_SECONDS, RunAction.REQUEUE),
        (CLAIMED, CLAIMED.lease_until - 1, RunAction.NOTHING),
        (CLAIMED, CLAIMED.lease_until, RunAction.REQUEUE),
        (PARKED, PARKED.parked_until, RunAction.NOTHING),
        (PARKED, PARKED.parked_until + LOST_AFTER_SECONDS, RunAction.REQUEUE),
        (runs.release(CLAIMED, now=NOW), NOW + 1, RunAction.NOTHING),
        (runs.release(CLAIMED, now=NOW), NOW + LOST_AFTER_SECONDS, RunAction.REQUEUE),
    ],
)
def test_what_a_tick_does(run: Run, now: int, step: RunAction) -> None:
    assert decide(run, now=now, every_seconds=EVERY) is step


def test_two_ticks_start_one_run() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    ticks = [dispatcher(table, queue).tick() for _ in range(2)]
    assert [tick["started"] for tick in ticks] == [1, 0]
    assert len(queue.sent) == 1


def test_a_tick_that_lost_the_race_sends_nothing() -> None:
    class Racing(RunStore):
        """Another tick saves between our load and our save."""

        def load_many(self, integration_ids: Sequence[str], kind: Kind) -> dict[str, Run | UnreadableRun]:
            loaded = super().load_many(integration_ids, kind)
            super().save(replace(super().load("i1", kind), status=RunStatus.QUEUED, sync_id="theirs"))
            return loaded

    table, queue = MemoryTable(), MemoryQueue()
    tick = replace(dispatcher(table, queue), runs=Racing(table)).tick()
    assert (tick["started"], queue.sent) == (0, [])
    assert RunStore(table).load("i1", Kind.ACCESS).sync_id == "theirs"


def test_a_lost_message_is_sent_again_for_the_same_run() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    dispatcher(table, queue).tick()
    first = queue.take()
    dispatcher(table, queue, NOW + LOST_AFTER_SECONDS).tick()
    assert queue.take() == first


ODD = [{"status": "dreaming"}, {"kind": "dreams"}, {"checkpoint": "{"}, {"checkpoint": None}, {"status": None}]


@pytest.mark.parametrize("change", ODD, ids=str)
def test_a_run_that_a_later_release_wrote_holds_up_nobody(
    change: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    table, queue = MemoryTable(), MemoryQueue()
    RunStore(table).save(replace(NEVER_RUN, sync_id="s0"))
    [row] = table.dump()
    table.put({**row, **change})
    tick = replace(dispatcher(table, queue), targets=OneTarget("i1", "i2")).tick()
    assert tick == {"started": 1, "nudged": 0, "seen": 2, "unreadable": 1}
    assert statuses(table, "i2") == [RunStatus.QUEUED]
    assert [vars(record)["integration_id"] for record in caplog.records] == ["i1"]
    with pytest.raises(UnreadableRun):
        RunStore(table).load("i1", Kind.ACCESS)
    RunStore(table).delete("i1")
    assert {row["pk"] for row in table.dump()} == {"INTEGRATION#i2", "DUE#access"}


class Picky(MemoryQueue):
    """A queue that takes no messages about some integrations."""

    def __init__(self, *refused: str) -> None:
        super().__init__()
        self.refused = refused

    def send(self, body: Mapping[str, Any], *, delay_seconds: int = 0) -> None:
        if body["integration_id"] in self.refused:
            raise QueueUnavailable
        super().send(body, delay_seconds=delay_seconds)


def test_an_integration_that_fails_holds_up_nobody_behind_it() -> None:
    table, queue = MemoryTable(), Picky("i1")
    with pytest.raises(IncompleteTick):
        replace(dispatcher(table, queue), targets=OneTarget("i1", "i2", "i3")).tick()
    assert [body["integration_id"] for body in queue.bodies] == ["i2", "i3"]


def test_a_queue_that_is_away_for_all_is_not_asked_for_each() -> None:
    ids = [f"i{number}" for number in range(50)]
    table = MemoryTable()
    with pytest.raises(IncompleteTick):
        replace(dispatcher(table, Picky(*ids)), targets=OneTarget(*ids)).tick()
    assert statuses(table, *ids).count(RunStatus.QUEUED) < 5


def test_a_kind_beside_is_started_and_queued_again_in_its_own_rhythm() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    both = replace(dispatcher(table, queue), beside={Kind.CREDENTIALS: 20 * EVERY})
    both.tick()
    assert [message["kind"] for message in queue.take()] == ["access", "credentials"]
    for later, kinds in ((EVERY, ["access"]), (20 * EVERY, ["access", "credentials"])):
        for run in map(RunStore(table).load, ["i1"] * 2, (Kind.ACCESS, Kind.CREDENTIALS)):
            RunStore(table).save(replace(run, status=RunStatus.IDLE, finished_at=NOW))
        replace(dispatcher(table, queue, NOW + later), beside=both.beside).tick()
        assert sorted(message["kind"] for message in queue.take()) == kinds


def test_a_kind_beside_costs_a_tick_nothing_while_nothing_is_due() -> None:
    table = Counting()
    one = dispatcher(table, MemoryQueue())
    both = replace(one, beside={Kind.CREDENTIALS: 20 * EVERY})
    for kind in Kind:
        RunStore(table).save(replace(NEVER_RUN, kind=kind, finished_at=NOW))
    both.tick()  # The walk writes what is missing.
    table.calls.clear()
    one.tick()
    alone = dict(table.calls)
    table.calls.clear()
    both.tick()
    assert dict(table.calls) == alone
