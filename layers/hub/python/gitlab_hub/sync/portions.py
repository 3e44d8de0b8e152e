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


def portions(actions: Iterable[Some]) -> Iterator[list[Some]]:
    """Share actions out over as many transactions as it takes."""
    portion: list[Some] = []
    room = MOST_BYTES
    for action in actions:
        size = weight([action])
        if portion and (len(portion) == MOST_ACTIONS or size > room):
            yield portion
            portion, room = [], MOST_BYTES
        portion.append(action)
        room -= size
    if portion:
        yield portion


def weight(actions: Iterable[Action]) -> int:
    """How many bytes actions bring along."""
    return sum(size_of(action.item) for action in actions if isinstance(action, Put))


def key_of(action: Action) -> Key:
    """Which item an action is about."""
    return (action.item["pk"], action.item["sk"]) if isinstance(action, Put) else action.key
