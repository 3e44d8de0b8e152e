import contextlib
from typing import Any

import pytest

from gitlab_hub.storage.ports import Item, QueueUnavailable, Rows, StorageUnavailable
from gitlab_hub.webhooks.deliveries.feature import DeliveriesFeature
from gitlab_hub.webhooks.deliveries.model import MAX_ATTEMPTS, MAX_SENDS
from gitlab_hub.webhooks.deliveries.worker import GAVE_UP, MOST_PER_TICK
from tests.fakes.faults import Crash, Plan, faulty
from tests.fakes.table import MemoryTable
from tests.functional.webhooks.deliveries_hub import PUSH, Post, a_hook

HOOK = a_hook()
MINUTE = 60


@pytest.fixture
def post() -> Post:
    """One delivery that was kept and never sent."""
    made = Post()
    made.use(made.table, faulty(made.queue, Plan(at=1, error=QueueUnavailable)))
    assert made(HOOK, PUSH)[0] == 503
    made.use(made.table, made.queue)
    return made


def test_a_delivery_that_was_never_sent_is_sent_after_two_minutes(post: Post) -> None:
    post.now += 119
    assert post.sweeper.tick() == 0
    post.now += 1
    assert post.sweeper.tick() == 1
    post.work()
    assert [row["status"] for row in post.rows()] == ["handled"]
    assert post.notices.seen["sent again"] == 1
    post.now += 100_000
    assert post.sweeper.tick() == 0


def test_it_is_sent_less_and_less_often_and_at_last_given_up(post: Post) -> None:
    sent = []
    for minute in range(400):
        post.queue.forget()
        if post.sweeper.tick():
            sent.append(minute)
        post.now += MINUTE
    assert sent == [2, 6, 14, 30, 62, 126]
    assert len(sent) == MAX_SENDS - 1
    [row] = post.rows()
    assert (row["status"], row["reasons"], row["processed_at"]) == ("failed", [GAVE_UP], None)
    assert "pending_pk" not in row
    assert post.notices.seen["gave up"] == 1


def test_a_poison_delivery_is_given_up_when_its_queue_has_given_up(post: Post) -> None:
    post.now += 121
    post.sweeper.tick()
    post.builds.error = ValueError("x")
    post.work()
    assert post.rows()[0]["attempts"] == MAX_ATTEMPTS
    post.now += 241
    assert post.sweeper.tick() == 0
    assert (post.rows()[0]["status"], post.notices.seen["gave up"]) == ("failed", 1)


def test_what_was_given_up_is_done_when_its_message_is_redriven(post: Post) -> None:
    test_a_poison_delivery_is_given_up_when_its_queue_has_given_up(post)
    post.builds.error = None
    assert post.deliver(*post.dead) == []
    assert [row["status"] for row in post.rows()] == ["handled"]


def test_what_was_given_up_begins_anew_when_gitlab_sends_it_again(post: Post) -> None:
    test_a_poison_delivery_is_given_up_when_its_queue_has_given_up(post)
    post.builds.error = None
    assert post(HOOK, PUSH)[1]["duplicate"] is True
    post.work()
    assert [row["status"] for row in post.rows()] == ["handled"]


def test_a_queue_that_is_down_uses_up_no_chances(post: Post) -> None:
    post.use(post.table, faulty(post.queue, Plan(at=1, error=QueueUnavailable, repeat=True)))
    for _ in range(100):
        post.now += MINUTE
        if post.now >= post.rows()[0]["due_at"] / 1000:
            with pytest.raises(QueueUnavailable):
                post.sweeper.tick()
    assert (post.rows()[0]["status"], post.rows()[0]["sends"]) == ("pending", 1)


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Crash, lambda: StorageUnavailable("x")], ids=["crash", "unavailable"])
@pytest.mark.parametrize("at", range(1, 6))
def test_a_sweep_that_ends_anywhere_loses_and_doubles_nothing(post: Post, at: int, error: Any, applied: bool) -> None:
    plan = Plan(at=at, error=error, applied=applied)
    post.use(faulty(post.table, plan), faulty(post.queue, plan))
    post.now += 121
    with contextlib.suppress(Crash, StorageUnavailable):
        post.sweeper.tick()
    post.use(post.table, post.queue)
    post.now += 10 * MINUTE
    post.sweeper.tick()
    post.work()
    assert [row["status"] for row in post.rows()] == ["handled"]
    assert len(post.builds.made) == 1


def test_one_tick_is_bounded_and_the_next_goes_on() -> None:
    post = Post()
    post.use(post.table, faulty(post.queue, Plan(at=1, error=QueueUnavailable, repeat=True)))
    for number in range(MOST_PER_TICK + 20):
        post(HOOK, PUSH | {"user_id": number + 1})
    post.use(post.table, post.queue)
    post.now += 121
    assert [post.sweeper.tick() for _ in range(3)] == [MOST_PER_TICK, 20, 0]


def test_what_its_worker_finishes_during_a_sweep_stays_finished(post: Post) -> None:
    class Finishing:
        """The queue hands the message to a worker before the sweeper writes."""

        def send(self, body: Any, *, group: str, once: str) -> None:
            post.queue.send(body, group=group, once=once)
            post.deliver(*post.queue.take())

    post.use(post.table, Finishing())
    post.now += 121
    post.sweeper.tick()
    assert [(row["status"], row["sends"]) for row in post.rows()] == [("handled", 1)]


def test_an_index_that_lags_behind_has_nothing_sent(post: Post) -> None:
    class Lagging(MemoryTable):
        """Its index still shows what was finished a moment ago."""

        def query(self, *args: Any, **more: Any) -> Rows:
            rows = post.table.query(*args, **more)
            assert post(HOOK, PUSH)[0] == 200
            post.work()
            post.queue.forget()
            return rows

        def get(self, pk: str, sk: str) -> Item | None:
            return post.table.get(pk, sk)

    post.now += 121
    sweeper = DeliveriesFeature(table=Lagging(), queue=post.queue, now=lambda: post.now).sweeper(post.notices)
    assert sweeper.tick() == 0
    assert post.queue.sent == []
