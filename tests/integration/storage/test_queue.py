import pytest

from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.storage.sqs import SqsDepth, SqsOrderedQueue, SqsQueue
from tests.integration.storage.backends import Stores, client


def test_messages_arrive(stores: Stores) -> None:
    stores.queue.send({"n": 1, "text": "ä"})
    stores.queue.send({"n": 2}, delay_seconds=0)
    assert sorted(stores.received()) == ["1", "2"]


def test_a_delay_is_capped_instead_of_refused(stores: Stores) -> None:
    stores.queue.send({"n": 1}, delay_seconds=5000)
    assert stores.received() in (["1"], [])  # The memory queue does not wait, the others do.


def test_what_is_no_json_is_refused(stores: Stores) -> None:
    with pytest.raises(ValueError, match="JSON"):
        stores.queue.send({"n": float("nan")})


def test_a_queue_that_does_not_answer_is_unavailable() -> None:
    nobody = client("sqs", "http://127.0.0.1:9", retries={"total_max_attempts": 1})
    queue = SqsQueue("http://127.0.0.1:9/queue", lambda: nobody)
    with pytest.raises(QueueUnavailable):
        queue.send({"n": 1})


def test_a_group_keeps_its_order_and_takes_no_message_twice(stores: Stores) -> None:
    for number in (1, 2, 2, 3, 1):
        stores.ordered.send({"n": number}, group="hook#1/main", once=f"d{number}")
    assert stores.received_in_order() == ["1", "2", "3"]


def test_an_ordered_queue_that_does_not_answer_is_unavailable() -> None:
    nobody = client("sqs", "http://127.0.0.1:9", retries={"total_max_attempts": 1})
    queue = SqsOrderedQueue("http://127.0.0.1:9/queue.fifo", lambda: nobody)
    with pytest.raises(QueueUnavailable):
        queue.send({"n": 1}, group="g", once="1")


def test_the_depth_counts_what_waits(stores: Stores) -> None:
    assert stores.depth.waiting() == 0
    for number in range(3):
        stores.queue.send({"n": number})
    assert stores.depth.waiting() == 3
    assert stores.depth.name.startswith("stores-")


def test_the_depth_of_a_queue_that_does_not_answer_is_unknown() -> None:
    nobody = client("sqs", "http://127.0.0.1:9", retries={"total_max_attempts": 1})
    with pytest.raises(QueueUnavailable):
        SqsDepth("http://127.0.0.1:9/queue", lambda: nobody).waiting()
