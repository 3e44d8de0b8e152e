"""What a tick starts, pushes or leaves alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.client import Tokens
from gitlab_hub.storage.queue import QueueUnavailable
from gitlab_hub.storage.table import Item, Key
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.dispatch import LOST_AFTER_SECONDS, Dispatcher, IncompleteTick, Step, decide
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.ports import Kind, Target
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

NOW = 1_000_000
EVERY = 300
NEVER_RUN = Run(integration_id="i1", kind=Kind.ACCESS)
QUEUED = runs.request(NEVER_RUN, sync_id="s1", now=NOW)
CLAIMED = runs.claim(QUEUED, sync_id="s1", worker="w1", now=NOW) or QUEUED
PARKED = runs.park(CLAIMED, until=NOW + 600, now=NOW)


@pytest.mark.parametrize(
    ("run", "now", "step"),
    [
        (NEVER_RUN, NOW, Step.START),
        (runs.finish(CLAIMED, now=NOW), NOW + EVERY - 1, Step.NOTHING),
        (runs.finish(CLAIMED, now=NOW), NOW + EVERY, Step.START),
        (QUEUED, NOW + LOST_AFTER_SECONDS - 1, Step.NOTHING),
        (QUEUED, NOW + LOST_AFTER_SECONDS, Step.NUDGE),
        (CLAIMED, CLAIMED.lease_until - 1, Step.NOTHING),
        (CLAIMED, CLAIMED.lease_until, Step.NUDGE),
        (PARKED, PARKED.parked_until, Step.NOTHING),
        (PARKED, PARKED.parked_until + LOST_AFTER_SECONDS, Step.NUDGE),
        (runs.hand_over(CLAIMED, now=NOW), NOW + 1, Step.NOTHING),
        (runs.hand_over(CLAIMED, now=NOW), NOW + LOST_AFTER_SECONDS, Step.NUDGE),
    ],
)
def test_what_a_tick_does(run: Run, now: int, step: Step) -> None:
    assert decide(run, now=now, every_seconds=EVERY) is step


class OneTarget:
    """Integrations with a single, healthy one among them."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids or ("i1",)

    def due(self) -> Iterator[str]:
        yield from self.ids

    def target(self, integration_id: str) -> Target | None:
        raise AssertionError("a tick reads no target")

    def tokens(self, target: Target) -> Tokens:
        raise AssertionError("a tick needs no token")

    def placed(self, target: Target, *, group_id: int, path: str) -> None:
        """Nobody is limited to a group here."""
        raise NotImplementedError

    def rejected(self, target: Target) -> None:
        raise AssertionError("a tick judges no credential")

    accepted = rejected


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


def statuses(table: MemoryTable, *ids: str) -> list[RunStatus]:
    return [RunStore(table).load(one, Kind.ACCESS).status for one in ids]


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
    RunStore(table).forget("i1")
    assert {row["pk"] for row in table.dump()} == {"INTEGRATION#i2"}


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


def test_a_tick_reads_runs_a_page_at_a_time() -> None:
    class Counting(MemoryTable):
        calls = 0

        def get(self, pk: str, sk: str) -> Item | None:
            raise AssertionError("one read per integration")

        def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
            self.calls += 1
            return super().get_many(keys, attributes=attributes)

    table, ids = Counting(), [f"i{number:04d}" for number in range(250)]
    RunStore(table).save(replace(NEVER_RUN, integration_id=ids[7], finished_at=NOW))
    tick = replace(dispatcher(table, MemoryQueue()), targets=OneTarget(*ids), new_id=lambda: "s").tick()
    assert (tick["started"], tick["seen"], table.calls) == (249, 250, 3)
