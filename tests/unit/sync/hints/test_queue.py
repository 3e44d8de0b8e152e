"""Hints about one thing within seconds become one message, and no mark swallows a hint for long."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.storage.ports import QueueUnavailable, StorageUnavailable
from gitlab_hub.sync.hints.queue import BURST_SECONDS, LOST_AFTER_SECONDS, HintQueue
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, every_call, faulty
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable
from tests.fakes.threads import together

HINT = {"integration_id": "i1", "project_id": 7}


class Boxes:
    """A box, its table and its queue, and a clock that stands still."""

    def __init__(self) -> None:
        self.table, self.queue, self.now = MemoryTable(), MemoryQueue(), 1_000_000.0

    def box(self, **views: Any) -> HintQueue:
        """A sender of its own."""
        ports: dict[str, Any] = {"table": self.table, "queue": self.queue} | views
        return HintQueue(now=lambda: self.now, key=lambda hint: ("hints", str(hint["project_id"])), **ports)

    @property
    def marks(self) -> list[str]:
        return [item["sk"] for item in self.table.dump()]


@pytest.fixture
def boxes() -> Boxes:
    return Boxes()


def test_a_burst_is_one_message_that_waits_for_its_end(boxes: Boxes) -> None:
    for _ in range(9):
        boxes.box().send(HINT)
        boxes.now += 0.5
    [sent] = boxes.queue.sent
    assert (sent.body, sent.delay_seconds) == ({"schema": 1, "hint": HINT}, BURST_SECONDS)


def test_hints_about_two_things_are_two_messages(boxes: Boxes) -> None:
    boxes.box().send(HINT)
    boxes.box().send({**HINT, "project_id": 8})
    assert [body["hint"]["project_id"] for body in boxes.queue.bodies] == [7, 8]


def test_what_happens_after_the_mark_was_taken_is_another_message(boxes: Boxes) -> None:
    boxes.box().send(HINT)
    boxes.box().clear_mark(HINT)
    boxes.box().send(HINT)
    assert len(boxes.queue.sent) == 2


def test_taking_what_is_not_there_is_no_error(boxes: Boxes) -> None:
    boxes.box().clear_mark(HINT)
    assert boxes.marks == []


@pytest.mark.parametrize(("late", "messages"), [(0, 1), (1, 2)])
def test_a_lost_message_blocks_hints_for_a_minute_only(boxes: Boxes, late: int, messages: int) -> None:
    boxes.box().send(HINT)
    boxes.now += BURST_SECONDS + LOST_AFTER_SECONDS + late
    boxes.box().send(HINT)
    assert len(boxes.queue.sent) == messages


def test_a_message_that_was_put_off_is_not_lost_before_it_is_due(boxes: Boxes) -> None:
    boxes.box().send(HINT, delay_seconds=600, tries=3)
    boxes.now += 600
    boxes.box().send(HINT)
    assert boxes.queue.bodies == [{"schema": 1, "hint": HINT, "tries": 3}]


def test_marks_end_by_themselves_and_hold_nothing_but_a_time(boxes: Boxes) -> None:
    boxes.box().send(HINT)
    [mark] = boxes.table.dump()
    assert mark == {
        "pk": "hints", "sk": "7", "due_at": 1_000_005_000, "expires_at": 1_000_005 + 86_400, "schema_version": 1,
    }  # fmt: skip


def test_a_queue_that_is_down_leaves_no_mark(boxes: Boxes) -> None:
    plan = Plan(at=1, error=QueueUnavailable)
    with pytest.raises(QueueUnavailable):
        boxes.box(queue=faulty(boxes.queue, plan)).send(HINT)
    assert boxes.marks == []
    boxes.box().send(HINT)
    assert len(boxes.queue.sent) == 1


def test_many_senders_at_once_send_one_message(boxes: Boxes) -> None:
    moments = itertools.count(1_000_000)
    boxes.box().send(HINT)
    boxes.queue.take()
    boxes.now += 1_000

    def send(_: int) -> None:
        # Each by its own clock: equal marks would count as one writer's, whose answer was lost.
        now = next(moments) / 1000 + 1_001_000
        HintQueue(table=boxes.table, queue=boxes.queue, now=lambda: now, key=lambda _: ("hints", "7")).send(HINT)

    assert together(8, send) == [None] * 8
    assert len(boxes.queue.sent) == 1


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
def test_a_sender_that_dies_anywhere_is_made_good_by_the_next_one(
    error: Callable[[], BaseException], *, applied: bool
) -> None:
    for plan in every_call(error=error, applied=applied):
        boxes = Boxes()
        views = {"table": faulty(boxes.table, plan), "queue": faulty(boxes.queue, plan)}
        with suppress(Crash, StorageUnavailable):
            boxes.box(**views).send(HINT)
        if plan.struck:
            boxes.now += BURST_SECONDS + LOST_AFTER_SECONDS + 1
            boxes.box().send(HINT)
        assert len(boxes.queue.sent) >= 1, plan
    assert plan.at == 4
