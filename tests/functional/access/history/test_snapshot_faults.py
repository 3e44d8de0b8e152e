"""Snapshots while workers end, buckets are away and others write: what is kept is whole, and each day once."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from gitlab_hub.access.history.capture import AGAIN_SECONDS
from gitlab_hub.access.history.store import SnapshotStore
from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.sync.fence import Fence
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.functional.access.history.history_hub import HistoryHub, change, kept
from tests.functional.access.history.keeper import ONE


def test_a_state_that_changes_while_it_is_read_is_left_to_the_next_look(hub: HistoryHub) -> None:
    hub.keeper.ended()
    hub.keeper.tick()
    plan = Plan(at=1, only=("write",), meanwhile=lambda: hub.keeper.ended("s2", status=RunStatus.RUNNING))
    hub.keeper.work(hub.keeper.job(objects=faulty(hub.objects, plan)))
    assert (hub.keeper.newest(), hub.objects.dump()) == (None, {})
    assert {one.mark for one in hub.keeper.due()} == {"s1", "s2"}


def test_a_day_that_ends_while_it_is_read_stays_as_it_was(hub: HistoryHub) -> None:
    before = kept(hub)
    change(hub)
    hub.keeper.ended("s2")
    hub.keeper.tick()
    plan = Plan(at=1, only=("write",), meanwhile=hub.next_day)
    hub.keeper.work(hub.keeper.job(objects=faulty(hub.objects, plan)))
    assert hub.keeper.newest() == before
    hub.keeper.tick()
    hub.keeper.work()
    after = hub.keeper.newest()
    assert after is not None
    assert (after.day > before.day, hub.keeper.newest(before.day)) == (True, before)


def test_a_worker_that_was_frozen_until_another_run_began_keeps_nothing(hub: HistoryHub) -> None:
    before = kept(hub)
    change(hub)
    hub.keeper.ended("s2")
    hub.keeper.tick()

    def a_day_and_a_run_later() -> None:
        hub.next_day()
        Fence(hub.table, ONE, Kind.ACCESS).advance_to(7)

    plan = Plan(at=1, only=("transact",), meanwhile=a_day_and_a_run_later)
    hub.keeper.work(hub.keeper.job(faulty(hub.table, plan)))
    assert plan.struck
    assert hub.keeper.newest() == before


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
def test_what_ends_at_any_call_is_made_good(applied: bool, error: Callable[[], BaseException]) -> None:
    at = 0
    while True:
        at += 1
        hub = HistoryHub()
        before = kept(hub)
        hub.reviews.now += 60
        change(hub)
        hub.keeper.ended("s2")
        plan = Plan(at=at, error=error, applied=applied)
        state = faulty(hub.keeper.state, plan)
        with suppress(Crash, StorageUnavailable):
            hub.keeper.tick(state)
            hub.keeper.work(hub.keeper.job(faulty(hub.table, plan), state, faulty(hub.objects, plan)))
        between = hub.keeper.newest()
        assert between is not None
        hub.keeper.content(between)  # What can be found is whole at every moment.
        assert between == before or between.rows["accounts"] == 5, plan.calls
        hub.keeper.queue.receive()
        hub.reviews.now += AGAIN_SECONDS
        hub.keeper.tick()
        hub.keeper.work()
        after = hub.keeper.newest()
        assert after is not None
        assert (after.day, after.rows["accounts"], hub.keeper.due()) == (before.day, 5, []), plan.calls
        assert hub.keeper.incidents() == []
        if not plan.struck:
            break
    assert at > 25


def test_a_bucket_that_is_away_is_named_until_it_is_back(hub: HistoryHub) -> None:
    plan = Plan(at=1, error=lambda: StorageUnavailable("The bucket is away."), repeat=True)
    hub.keeper.ended()
    hub.keeper.tick()
    hub.keeper.work(hub.keeper.job(objects=faulty(hub.objects, plan)))
    assert (hub.keeper.newest(), hub.keeper.incidents(), len(hub.keeper.due())) == (None, ["snapshot_failed"], 1)
    hub.reviews.now += AGAIN_SECONDS
    hub.keeper.tick()
    hub.keeper.work()
    assert hub.keeper.newest() is not None
    assert (hub.keeper.incidents(), hub.keeper.due()) == ([], [])


def test_a_worker_without_time_leaves_nothing_half(hub: HistoryHub) -> None:
    hub.keeper.left = lambda: 0.0
    assert hub.keeper.keep() is None
    assert (hub.objects.dump(), hub.keeper.incidents()) == ({}, ["snapshot_failed"])


def test_of_two_workers_one_keeps_its_snapshot_and_no_past_day_is_written(hub: HistoryHub) -> None:
    store, first = SnapshotStore(hub.table), kept(hub)
    version = store.version(ONE)
    hub.next_day()
    second = kept(hub, "s2")
    assert not store.put(ONE, replace(first, sha256="other"), on_top_of=version)
    assert (store.newest(ONE, first.day), store.newest(ONE)) == (first, second)
    change(hub)
    hub.keeper.ended("s3")
    hub.keeper.tick()
    # The other worker has read the same state, and comes to its end first.
    plan = Plan(
        at=1, only=("transact",), meanwhile=lambda: hub.keeper.job().handle(message(hub), remaining=lambda: 9.0)
    )
    hub.keeper.job(rows=faulty(hub.table, plan)).handle(message(hub), remaining=lambda: 9.0)
    third = hub.keeper.newest()
    assert third is not None
    assert hub.keeper.content(third)["accounts"]
    assert (third.sync_id, third.previous, third.day) == ("s3", second.previous, second.day)


def message(hub: HistoryHub) -> dict[str, Any]:
    """What the tick has sent last."""
    return hub.keeper.queue.sent[-1].body
