"""The table port: what the hub asks of DynamoDB, and no more.

Items are flat dictionaries with string keys `pk` and `sk`; values are `str`, `int`, `bool`, `None`, `bytes`, lists and
dictionaries of these. Floats are not stored: keep them inside packed bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Item = dict[str, Any]
Key = tuple[str, str]


class ConditionFailed(Exception):
    """The stored item is not what the writer expected; nothing was written."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the stored item for a write to happen.

    `exists`: None = do not care. `equals`: these attributes have these values (implies that the item exists). `lacks`:
    there are no such attributes (an item that does not exist has none).
    """

    exists: bool | None = None
    equals: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


ALWAYS = Condition()
ABSENT = Condition(exists=False)
PRESENT = Condition(exists=True)


@dataclass(frozen=True, slots=True)
class Put:
    """One conditional write of a whole item inside a transaction."""

    item: Item
    condition: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Delete:
    """One conditional removal inside a transaction."""

    key: Key
    condition: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on an item that the transaction does not write."""

    key: Key
    condition: Condition


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a query; `last` is the position to continue after, None at the end."""

    items: list[Item]
    last: Key | None


class Table(Protocol):
    """One DynamoDB table, or a fake that passes the same contract test."""

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item, strongly consistent."""

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Read any number of items (missing ones are left out, order is not kept); only `attributes` where named."""

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        """Write one whole item.

        Raises ConditionFailed, except where the stored item already equals `item`: then the write was ours and its
        answer was lost.
        """

    def delete(self, pk: str, sk: str, condition: Condition = ALWAYS) -> None:
        """Remove one item; removing what is not there is no error unless the condition says so."""

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        """Write and remove any number of items without conditions, in batches, until all are done."""

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        """Do at most 100 actions, all or none. Raises ConditionFailed."""

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        after: str | None = None,
        until: str | None = None,
        limit: int | None = None,
        forward: bool = True,
        index: str | None = None,
        attributes: Sequence[str] = (),
    ) -> Rows:
        """One page of the items of a partition in the order of `sk`, at most `limit` of them.

        `prefix` keeps the sort keys that start with it; `after` continues strictly behind that sort key in the
        direction of reading; `until` is an inclusive far bound. On `index` (a global secondary index with key
        attributes `<index>_pk`, `<index>_sk`) positions are that index's sort keys, which must be unique.
        """
