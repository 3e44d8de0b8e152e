import contextlib
from typing import Any

import pytest

from gitlab_hub.storage.ports import Item, QueueUnavailable, Rows, StorageUnavailable
from gitlab_hub.webhooks.deliveries.feature import DeliveriesFeature
from gitlab_hub.webhooks.deliveries.model import MAX_ATTEMPTS, MAX_SENDS
from gitlab_hub.webhooks.deliveries.worker import GAVE_UP, MOST_PER_TICK
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, faulty
from tests.fakes.table import MemoryTable
from tests.functional.webhooks.deliveries_hub import PUSH, DeliveriesHub, a_hook

HOOK = a_hook()
MINUTE = 60


@pytest.fixture
def hub() -> DeliveriesHub:
    """One delivery that was kept and never sent."""
    made = DeliveriesHub()
    made.use(made.table, faulty(made.queue, Plan(at=1, error=QueueUnavailable)))
    assert made(HOOK, PUSH)[0] == 503
    made.use(made.table, made.queue)
    return made


def test_a_delivery_that_was_never_sent_is_sent_after_two_minutes(hub: DeliveriesHub) -> None:
    hub.now += 119
    assert hub.requeue_job.tick() == 0
    hub.now += 1
    assert hub.requeue_job.tick() == 1
    hub.work()
    assert [row["status"] for row in hub.rows()] == ["handled"]
    assert hub.metrics.seen["sent again"] == 1
    hub.now += 100_000
    assert hub.requeue_job.tick() == 0


def test_it_is_sent_less_and_less_often_and_at_last_given_up(hub: DeliveriesHub) -> None:
    sent = []
    for minute in range(400):
        hub.queue.expire_ids()
        if hub.requeue_job.tick():
            sent.append(minute)
        hub.now += MINUTE
    assert sent == [2, 6, 14, 30, 62, 126]
    assert len(sent) == MAX_SENDS - 1
    [row] = hub.rows()
    assert (row["status"], row["reasons"], row["processed_at"]) == ("failed", [GAVE_UP], None)
    assert "pending_pk" not in row
    assert hub.metrics.seen["gave up"] == 1


def test_a_poison_delivery_is_given_up_when_its_queue_has_given_up(hub: DeliveriesHub) -> None:
    hub.now += 121
    hub.requeue_job.tick()
    hub.builds.error = ValueError("x")
    hub.work()
    assert hub.rows()[0]["attempts"] == MAX_ATTEMPTS
    hub.now += 241
    assert hub.requeue_job.tick() == 0
    assert (hub.rows()[0]["status"], hub.metrics.seen["gave up"]) == ("failed", 1)


def test_what_was_given_up_is_done_when_its_message_is_redriven(hub: DeliveriesHub) -> None:
    test_a_poison_delivery_is_given_up_when_its_queue_has_given_up(hub)
    hub.builds.error = None
    assert hub.deliver(*hub.dead) == []
    assert [row["status"] for row in hub.rows()] == ["handled"]


def test_what_was_given_up_begins_anew_when_gitlab_sends_it_again(hub: DeliveriesHub) -> None:
    test_a_poison_delivery_is_given_up_when_its_queue_has_given_up(hub)
    hub.builds.error = None
    assert hub(HOOK, PUSH)[1]["duplicate"] is True
    hub.work()
    assert [row["status"] for row in hub.rows()] == ["handled"]


def test_a_queue_that_is_down_uses_up_no_chances(hub: DeliveriesHub) -> None:
    hub.use(hub.table, faulty(hub.queue, Plan(at=1, error=QueueUnavailable, repeat=True)))
    for _ in range(100):
        hub.now += MINUTE
        if hub.now >= hub.rows()[0]["due_at"] / 1000:
            with pytest.raises(QueueUnavailable):
                hub.requeue_job.tick()
    assert (hub.rows()[0]["status"], hub.rows()[0]["sends"]) == ("pending", 1)


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
@pytest.mark.parametrize("at", range(1, 6))
def test_a_sweep_that_ends_anywhere_loses_and_doubles_nothing(
    hub: DeliveriesHub, at: int, error: Any, applied: bool
) -> None:
    plan = Plan(at=at, error=error, applied=applied)
    hub.use(faulty(hub.table, plan), faulty(hub.queue, plan))
    hub.now += 121
    with contextlib.suppress(Crash, StorageUnavailable):
        hub.requeue_job.tick()
    hub.use(hub.table, hub.queue)
    hub.now += 10 * MINUTE
    hub.requeue_job.tick()
    hub.work()
    assert [row["status"] for row in hub.rows()] == ["handled"]
    assert len(hub.builds.made) == 1


def test_one_tick_is_bounded_and_the_next_goes_on() -> None:
    hub = DeliveriesHub()
    hub.use(hub.table, faulty(hub.queue, Plan(at=1, error=QueueUnavailable, repeat=True)))
    for number in range(MOST_PER_TICK + 20):
        hub(HOOK, PUSH | {"user_id": number + 1})
    hub.use(hub.table, hub.queue)
    hub.now += 121
    assert [hub.requeue_job.tick() for _ in range(3)] == [MOST_PER_TICK, 20, 0]


def test_what_its_worker_finishes_during_a_sweep_stays_finished(hub: DeliveriesHub) -> None:
    class Finishing:
        """The queue hands the message to a worker before the requeue job writes."""

        def send(self, body: Any, *, group: str, once: str) -> None:
            hub.queue.send(body, group=group, once=once)
            hub.deliver(*hub.queue.take())

    hub.use(hub.table, Finishing())
    hub.now += 121
    hub.requeue_job.tick()
    assert [(row["status"], row["sends"]) for row in hub.rows()] == [("handled", 1)]


def test_an_index_that_lags_behind_has_nothing_sent(hub: DeliveriesHub) -> None:
    class Lagging(MemoryTable):
        """Its index still shows what was finished a moment ago."""

        def query(self, *args: Any, **more: Any) -> Rows:
            rows = hub.table.query(*args, **more)
            assert hub(HOOK, PUSH)[0] == 200
            hub.work()
            hub.queue.expire_ids()
            return rows

        def get(self, pk: str, sk: str) -> Item | None:
            return hub.table.get(pk, sk)

    hub.now += 121
    requeue_job = DeliveriesFeature(table=Lagging(), queue=hub.queue, now=lambda: hub.now).requeue_job(hub.metrics)
    assert requeue_job.tick() == 0
    assert hub.queue.sent == []
