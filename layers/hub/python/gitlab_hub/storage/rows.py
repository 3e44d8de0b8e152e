"""What stores do again and again: read a partition to its end, and write where nobody else has."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from enum import StrEnum
from hashlib import blake2b
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack

from gitlab_hub.storage.codec import size_of
from gitlab_hub.storage.ports import (
    ABSENT,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    Table,
    UnknownSchema,
)

P = ParamSpec("P")
Value = TypeVar("Value")
Word = TypeVar("Word", bound=StrEnum)


class Range(TypedDict, total=False):
    """Which items of a partition, as `Table.query` takes it; `limit` is the size of a page."""

    prefix: str
    after: str | None
    until: str | None
    limit: int | None
    forward: bool
    index: str | None
    attributes: Sequence[str]


def query_pages(table: Table, pk: str, **wanted: Unpack[Range]) -> Iterator[list[Item]]:
    """The items of a partition page by page, as they are asked for; a page may be empty."""
    while True:
        rows = table.query(pk, **wanted)
        yield rows.items
        if rows.last is None:
            return
        wanted["after"] = rows.last[1]


def query_all(table: Table, pk: str, **wanted: Unpack[Range]) -> Iterator[Item]:
    """The items of a partition, read page by page as they are asked for."""
    for page in query_pages(table, pk, **wanted):
        yield from page


def at_version(version: int) -> Condition:
    """What holds of a row as long as its version is this one; 0 = there is none."""
    return Condition(equals={"version": version}) if version else ABSENT


def is_written(write: Callable[P, None], *args: P.args, **more: P.kwargs) -> bool:
    """Make a conditional write; False where what is stored is not what the writer expected."""
    try:
        write(*args, **more)
    except ConditionFailed:
        return False
    return True


# A dataclass as the attributes of a row.


def item_of(value: Any) -> Item:
    """Turn the value of a dataclass into the attributes that are stored."""
    return {name: str(content) if isinstance(content, StrEnum) else content for name, content in asdict(value).items()}


def value_of(kind: type[Value], item: Item) -> Value:
    """Turn stored attributes back into the value; attributes of other versions are left out."""
    known: dict[str, Any] = {part.name: item[part.name] for part in fields(kind) if part.name in item}  # type: ignore[arg-type]
    return kind(**known)


def member_of(kind: type[Word], stored: str) -> Word:
    """A stored word as one of an enum's. Raises UnknownSchema for one of a release to come."""
    try:
        return kind(stored)
    except ValueError:
        raise UnknownSchema(f"This version does not know this {kind.__name__}.") from None


# The content hash that decides whether a row is written.


def content_hash(item: Item) -> str:
    """A short digest of a row's attributes, independent of their order."""
    text = json.dumps(item, sort_keys=True, separators=(",", ":"), default=_plain)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"a row cannot hold {type(value).__name__}")


# Sharing many writes out over as few transactions as hold them (DynamoDB developer guide, "TransactWriteItems").

MOST_ACTIONS = 99
"""In one transaction, which may have a hundred; one is left for a check."""

MOST_BYTES = 3_000_000
"""In one transaction, which may have 4 MB."""

Action = Put | Delete | Check
Some = TypeVar("Some", bound=Action)


def batches(actions: Iterable[Some], *, most: int = MOST_ACTIONS) -> Iterator[list[Some]]:
    """Share actions out over as many transactions as it takes."""
    batch: list[Some] = []
    left = MOST_BYTES
    for action in actions:
        size = size_bytes([action])
        if batch and (len(batch) == most or size > left):
            yield batch
            batch, left = [], MOST_BYTES
        batch.append(action)
        left -= size
    if batch:
        yield batch


def size_bytes(actions: Iterable[Action]) -> int:
    """How many bytes actions bring along."""
    return sum(size_of(action.item) for action in actions if isinstance(action, Put))


def fit_together(actions: Sequence[Action]) -> bool:
    """Whether one transaction takes them all."""
    return len(actions) <= MOST_ACTIONS and size_bytes(actions) <= MOST_BYTES


def key_of(action: Action) -> Key:
    """Which item an action is about."""
    return (action.item["pk"], action.item["sk"]) if isinstance(action, Put) else action.key
