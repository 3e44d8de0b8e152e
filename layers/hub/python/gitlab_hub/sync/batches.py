"""Sharing many writes out over as few transactions as hold them (DynamoDB developer guide, "TransactWriteItems")."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from gitlab_hub.storage.codec import size_of
from gitlab_hub.storage.ports import Check, Delete, Key, Put

MOST_ACTIONS = 99
"""In one transaction, which may have a hundred; one is left for a check."""

MOST_BYTES = 3_000_000
"""In one transaction, which may have 4 MB."""

Action = Put | Delete | Check
Some = TypeVar("Some", bound=Action)


def batches(actions: Iterable[Some]) -> Iterator[list[Some]]:
    """Share actions out over as many transactions as it takes."""
    batch: list[Some] = []
    left = MOST_BYTES
    for action in actions:
        size = size_bytes([action])
        if batch and (len(batch) == MOST_ACTIONS or size > left):
            yield batch
            batch, left = [], MOST_BYTES
        batch.append(action)
        left -= size
    if batch:
        yield batch


def size_bytes(actions: Iterable[Action]) -> int:
    """How many bytes actions bring along."""
    return sum(size_of(action.item) for action in actions if isinstance(action, Put))


def key_of(action: Action) -> Key:
    """Which item an action is about."""
    return (action.item["pk"], action.item["sk"]) if isinstance(action, Put) else action.key
