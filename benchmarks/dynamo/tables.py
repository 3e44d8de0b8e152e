"""The items of a table, as small as they get: JSON texts by partition, in the order of their sort keys."""

import json
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.dynamo.units import write_units

Key = tuple[str, str]


@dataclass(slots=True)
class Partition:
    """Items by sort key."""

    items: dict[str, bytes] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def put(self, sk: str, text: bytes) -> None:
        """Keep an item."""
        if sk not in self.items:
            insort(self.order, sk)
        self.items[sk] = text

    def pop(self, sk: str) -> None:
        """Forget an item, if it is there."""
        if self.items.pop(sk, None) is not None:
            del self.order[bisect_left(self.order, sk)]

    def between(self, low: str | None, high: str | None, *, forward: bool) -> Iterator[str]:
        """The sort keys within two bounds, both included."""
        start = 0 if low is None else bisect_left(self.order, low)
        end = len(self.order) if high is None else bisect_right(self.order, high)
        keys = self.order[start:end]
        return iter(keys) if forward else reversed(keys)


class Table:
    """One table and its bill."""

    def __init__(self) -> None:
        self._partitions: dict[str, Partition] = {}
        self._indexes: dict[str, dict[str, Partition]] = {}
        self.bill: Counter[str] = Counter()

    def partition(self, pk: str) -> Partition:
        """The items of a partition."""
        return self._partitions.get(pk) or Partition()

    def indexed(self, index: str, pk: str) -> Partition:
        """The items of an index's partition; sorted anew when it is read after a write, as most runs read none."""
        if index not in self._indexes:
            self._indexes[index] = self._sorted(index)
        return self._indexes[index].get(pk) or Partition()

    def _sorted(self, index: str) -> dict[str, Partition]:
        partitions: dict[str, Partition] = {}
        for text in (text for partition in self._partitions.values() for text in partition.items.values()):
            wire = json.loads(text)
            pk, sk = (wire.get(f"{index}_{part}", {}).get("S") for part in ("pk", "sk"))
            if pk is not None and sk is not None:
                partitions.setdefault(pk, Partition()).put(sk, text)
        return partitions

    def get(self, key: Key) -> bytes | None:
        """One item's JSON."""
        return self.partition(key[0]).items.get(key[1])

    def set(self, key: Key, text: bytes | None, *, price: int = 1) -> None:
        """Write an item, or remove it where `text` is None; `price` is what a unit costs."""
        self._indexes.clear()
        self.bill["items_written" if text is not None else "items_deleted"] += 1
        self.bill["write_units"] += price * write_units(self.get(key), text)
        if text is None:
            self.partition(key[0]).pop(key[1])
        else:
            self._partitions.setdefault(key[0], Partition()).put(key[1], text)
