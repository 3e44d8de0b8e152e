"""A table in memory, as strict as DynamoDB where DynamoDB is strict."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from gitlab_hub.storage.codec import Wire, decode, encode, encode_value
from gitlab_hub.storage.ports import (
    ALWAYS,
    REFUSED,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    Rows,
    StorageRefused,
)

MAX_ITEM_BYTES = 400 * 1024
MAX_ACTIONS = 100

HEADS: set[str] = set()
"""The beginnings of all partition keys that any of these tables was asked for: each wants a grant in the template."""


class MemoryTable:
    """Items by key under one lock; what is stored and what is given out are copies."""

    def __init__(self, indexes: Iterable[str] = ("by_account", "by_change"), *, page_bytes: int = 1_000_000) -> None:
        self._indexes = frozenset(indexes)
        self._page_bytes = page_bytes
        self._items: dict[Key, Wire] = {}
        self._lock = threading.RLock()
        self.bill = Counter[str]()
        """How many requests read how many items, for a test to look at (not part of the port)."""

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item."""
        with self._lock:
            wire = self._items.get(_checked((pk, sk)))
            self.bill.update(requests=1, items=int(wire is not None))
            return None if wire is None else decode(wire)

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Read many items; the answer is in no useful order."""
        with self._lock:
            found = [self._items[key] for key in sorted({_checked(key) for key in keys}) if key in self._items]
            self.bill.update(requests=1, items=len(found))
            return [_picked(wire, attributes) for wire in found]

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        """Write one item, with the lost-answer rule of the port."""
        key, wire = _accepted(item)
        with self._lock:
            stored = self._items.get(key)
            if not holds(condition, stored):
                if stored == wire:
                    return
                raise ConditionFailed(key)
            self._items[key] = wire

    def delete(self, pk: str, sk: str, condition: Condition = ALWAYS) -> None:
        """Remove one item."""
        key = _checked((pk, sk))
        with self._lock:
            if not holds(condition, self._items.get(key)):
                raise ConditionFailed(key)
            self._items.pop(key, None)

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        """Write, then remove; each item on its own, as a batch does."""
        for item in puts:
            self.put(item)
        for pk, sk in deletes:
            self.delete(pk, sk)

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        """Do all or nothing."""
        keys = [_key_of(action) for action in actions]
        if not 1 <= len(actions) <= MAX_ACTIONS or len(set(keys)) != len(keys):
            raise ValueError("A transaction has 1 to 100 actions, each on another item.")
        with self._lock:
            if not all(
                holds(action.condition, self._items.get(key)) for key, action in zip(keys, actions, strict=True)
            ):
                raise ConditionFailed(keys)
            for key, action in zip(keys, actions, strict=True):
                self._apply(key, action)

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
        """Read one page in order of the sort key."""
        if limit is not None and limit < 1:
            raise ValueError("A page has at least one item.")
        HEADS.add(_head(pk))
        with self._lock:
            rows = self._partition(pk, index)
        rows.sort(key=lambda row: row[0], reverse=not forward)
        kept = [row for row in rows if row[0].startswith(prefix) and _between(row[0], after, until, forward=forward)]
        page = self._page(kept, limit)
        self.bill.update(requests=1, items=len(page))
        last = (pk, page[-1][0]) if len(page) < len(kept) else None
        return Rows([_picked(wire, attributes) for _, wire in page], last)

    def dump(self, prefix: str = "") -> list[Item]:
        """Everything stored in partitions whose keys begin so, for a test to look at (not part of the port)."""
        with self._lock:
            return [decode(self._items[key]) for key in sorted(self._items) if key[0].startswith(prefix)]

    def snapshot(self) -> dict[Key, Wire]:
        """Everything stored, for `restore`: for tests that begin at one state many times (not part of the port)."""
        with self._lock:
            return dict(self._items)

    def restore(self, snapshot: dict[Key, Wire]) -> None:
        """Store what was stored then, and nothing else (not part of the port)."""
        with self._lock:
            self._items = dict(snapshot)

    def _apply(self, key: Key, action: Put | Delete | Check) -> None:
        if isinstance(action, Put):
            self._items[key] = _accepted(action.item)[1]
        elif isinstance(action, Delete):
            self._items.pop(key, None)

    def _partition(self, pk: str, index: str | None) -> list[tuple[str, Wire]]:
        if index is not None and index not in self._indexes:
            raise ValueError(f"The table has no index {index}.")
        names = ("pk", "sk") if index is None else (f"{index}_pk", f"{index}_sk")
        own = {"S": pk}
        # An index is sparse: an item without both of its key attributes is not in it.
        return [
            (wire[names[1]]["S"], wire)
            for wire in self._items.values()
            if wire.get(names[0]) == own and names[1] in wire
        ]

    def _page(self, rows: list[tuple[str, Wire]], limit: int | None) -> list[tuple[str, Wire]]:
        page: list[tuple[str, Wire]] = []
        room = self._page_bytes
        for row in rows[:limit]:
            page.append(row)
            room -= item_bytes(row[1])
            if room <= 0:
                break
        return page


def holds(condition: Condition, stored: Wire | None) -> bool:
    """Decide a condition; a missing attribute equals nothing, and types count."""
    if condition.exists is not None and condition.exists != (stored is not None):
        return False
    if stored is not None and any(name in stored for name in condition.lacks):
        return False
    return all(
        stored is not None and stored.get(name) == encode_value(value) for name, value in condition.equals.items()
    )


def item_bytes(wire: Wire) -> int:
    """Count an item's size about as DynamoDB does: names and values in UTF-8."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in wire.items())


def _value_bytes(wire: dict[str, Any]) -> int:
    [(kind, value)] = wire.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            return len(value) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_bytes(element) for element in value)
        case "M":
            return 3 + len(value) + item_bytes(value)
    return 1


def _accepted(item: Item) -> tuple[Key, Wire]:
    wire = encode(item)
    for name, value in wire.items():
        if name.endswith(("_pk", "_sk")) and not value.get("S"):
            raise ValueError(f"{name} is an index key: a text that is not empty, or left out.")
    if item_bytes(wire) > MAX_ITEM_BYTES:
        raise StorageRefused(REFUSED)
    return _checked((item.get("pk"), item.get("sk"))), wire


def _checked(key: tuple[Any, Any]) -> Key:
    if not all(isinstance(part, str) and part for part in key):
        raise ValueError("pk and sk are texts that are not empty.")
    if len(key[0].encode()) > 2048 or len(key[1].encode()) > 1024:
        raise ValueError("pk is at most 2048 bytes long, sk 1024.")
    HEADS.add(_head(key[0]))
    return key


def _head(pk: str) -> str:
    return pk.partition("#")[0]


def _key_of(action: Put | Delete | Check) -> Key:
    return _accepted(action.item)[0] if isinstance(action, Put) else _checked(action.key)


def _picked(wire: Wire, attributes: Sequence[str]) -> Item:
    return decode({name: value for name, value in wire.items() if not attributes or name in attributes})


def _between(sk: str, after: str | None, until: str | None, *, forward: bool) -> bool:
    if forward:
        return (after is None or sk > after) and (until is None or sk <= until)
    return (after is None or sk < after) and (until is None or sk >= until)
