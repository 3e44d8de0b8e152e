"""What a tick starts, pushes or leaves alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.client import Tokens
from gitlab_hub.storage.due import AT_ONCE, PAGE, WALK_SECONDS, Due
from gitlab_hub.storage.ports import ALWAYS, Condition, Item, Key, QueueUnavailable, Rows
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.dispatcher import LOST_AFTER_SECONDS, Dispatcher, IncompleteTick, RunAction, decide
from gitlab_hub.sync.due import rows_at_once
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.ports import Kind, Scheduled, SyncTarget
from gitlab_hub.sync.run import LEASE_SECONDS, Run, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

NOW = 1_000_000
EVERY = 300
NEVER_RUN = Run(integration_id="i1", kind=Kind.ACCESS)
QUEUED = runs.request(NEVER_RUN, sync_id="s1", now=NOW)
CLAIMED = runs.claim(QUEUED, sync_id="s1", worker="w1", now=NOW) or QUEUED
PARKED = runs.defer(CLAIMED, until=NOW + 600, now=NOW)


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


def next_checks(table: MemoryTable) -> dict[str, int]:
    """When the runs are to be looked at, by their integrations."""
    pages = RunStore(table).due(Kind.ACCESS).pages(2 * NOW)
    return {one.subject: one.at for page in pages for one in page}


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
    assert (next_checks(table), dispatcher(table, queue).tick()["started"]) == ({"i1": AT_ONCE}, 1)


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
