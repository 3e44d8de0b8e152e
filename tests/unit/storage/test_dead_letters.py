"""Dead letters are told by the name of their queue, and silence means that there are none."""

from collections.abc import Mapping

import pytest

from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.storage.sqs import DeadLetters, DeadLetterWatch
from tests.fakes.queue import MemoryDepth, MemoryQueue


def full(name: str, depth: int) -> MemoryDepth:
    queue = MemoryQueue()
    for number in range(depth):
        queue.send({"n": number})
    return MemoryDepth(name, queue)


@pytest.mark.parametrize(
    ("depths", "found"),
    [({"builds": 0, "syncs": 0}, {}), ({"builds": 0, "syncs": 3}, {"syncs": 3}), ({"a": 1, "b": 2}, {"a": 1, "b": 2})],
)
def test_queues_with_dead_letters_are_told(depths: dict[str, int], found: dict[str, int]) -> None:
    told: list[Mapping[str, int]] = []
    watch = DeadLetterWatch([full(name, depth) for name, depth in depths.items()], told.append)
    assert watch.tick() == DeadLetters(found)
    assert told == [found]


def test_a_queue_that_does_not_answer_fails_the_chore_and_tells_nothing() -> None:
    told: list[Mapping[str, int]] = []
    with pytest.raises(QueueUnavailable):
        DeadLetterWatch([full("syncs", 1), MemoryDepth("builds", MemoryQueue(), is_away=True)], told.append).tick()
    assert told == []
