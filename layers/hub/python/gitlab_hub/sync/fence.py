"""The fence: rows are written and removed by whoever is newest, and by nobody who was overtaken.

A worker may be frozen inside a call and wake when another has finished. No look at a clock helps then, and no condition
on the rows themselves, as the other worker may have found nothing to write. So a number in the feature's table goes up
whenever a worker begins and whenever a run ends, and every write is a transaction with a check of that number. It costs
twice the write units for rows that changed, and nothing where nothing did.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.errors import HubError
from gitlab_hub.storage.ports import (
    ABSENT,
    ALWAYS,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    Rows,
    StorageUnavailable,
    Table,
)
from gitlab_hub.storage.rows import MOST_ACTIONS, MOST_BYTES, Action, batches, is_written, key_of, size_bytes
from gitlab_hub.sync.errors import LeaseLost
from gitlab_hub.sync.ports import Kind

ATTEMPTS = 4


def fence_partition(integration_id: str) -> str:
    """The partition of an integration's fences."""
    return f"{integration_id}#fence"


@dataclass(frozen=True, slots=True)
class Fence:
    """The fence of one kind of sync of an integration, in the feature's table. All calls block."""

    table: Table
    integration_id: str
    kind: Kind

    @property
    def key(self) -> Key:
        """Where it stands."""
        return fence_partition(self.integration_id), str(self.kind)

    def number(self) -> int | None:
        """What it says now; None while no run has begun."""
        item = self.table.get(*self.key)
        return None if item is None else int(item["fence"])

    def advance_to(self, number: int) -> None:
        """Shut out everybody with a lower number. Raises LeaseLost where somebody has a higher one."""
        for _ in range(ATTEMPTS):
            stands = self.number()
            if stands is not None and stands > number:
                raise LeaseLost("a newer worker has begun")
            row = {"pk": self.key[0], "sk": self.key[1], "fence": number, "schema_version": 1}
            if stands == number or is_written(self.table.put, row, self.condition(stands)):
                return
        raise StorageUnavailable("The fence of a sync cannot be raised; try again.", retry_after=5)

    def condition(self, number: int | None) -> Condition:
        """What holds of its item while it says this."""
        return ABSENT if number is None else Condition(equals={"fence": number})


@dataclass(slots=True, eq=False)
class _Request:
    """What one caller wants to have written, all or nothing."""

    actions: Sequence[Action]
    is_done: bool = False
    error: Exception | None = None

    @property
    def keys(self) -> set[Key]:
        return {key_of(action) for action in self.actions}


class FencedTable:
    """A table as one worker may write to it: while its number is the newest.

    Transactions that check the same item stand in each other's way, so they are made one after the other; whatever
    waits meanwhile is written together. Raises LeaseLost once the number is not the newest any more.
    """

    def __init__(self, fence: Fence, number: int | None) -> None:
        self._table, self._fence, self._number = fence.table, fence, number
        self._check = Check(fence.key, fence.condition(number))
        self._waiting: list[_Request] = []
        self._looking, self._turn = threading.Lock(), threading.Lock()

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item."""
        return self._table.get(pk, sk)

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Read many items."""
        return self._table.get_many(keys, attributes=attributes)

    def query(self, pk: str, **how: Any) -> Rows:
        """Read one page of a partition."""
        return self._table.query(pk, **how)

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        """Write one item, with the lost-answer rule of the port."""
        self.transact([Put(item, condition)])

    def delete(self, pk: str, sk: str, condition: Condition = ALWAYS) -> None:
        """Remove one item."""
        self.transact([Delete((pk, sk), condition)])

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        """Write and remove many items; of two writes to one key the later counts."""
        actions: list[Action] = [*map(Put, puts), *map(Delete, deletes)]
        for batch in batches({key_of(action): action for action in actions}.values()):
            self.transact(batch)

    def transact(self, actions: Sequence[Action]) -> None:
        """Do all or nothing."""
        request = _Request(actions)
        with self._looking:
            self._waiting.append(request)
        with self._turn:
            if not request.is_done:
                self._write(self._batch(request))
        if request.error is not None:
            raise request.error

    def _batch(self, mine: _Request) -> list[_Request]:
        """Take a request, and of the others that wait those that fit beside it."""
        with self._looking:
            batch, keys = [mine], mine.keys
            left, count = MOST_BYTES - size_bytes(mine.actions), MOST_ACTIONS - len(mine.actions)
            for one in self._waiting:
                fits = size_bytes(one.actions) <= left and len(one.actions) <= count and keys.isdisjoint(one.keys)
                if one is not mine and fits:
                    batch.append(one)
                    keys |= one.keys
                    left, count = left - size_bytes(one.actions), count - len(one.actions)
            self._waiting = [one for one in self._waiting if one not in batch]
        return batch

    def _write(self, requests: Sequence[_Request]) -> None:
        for one in requests:
            # Should this thread die of something unforeseen, the others know no more than that nothing is certain.
            one.is_done, one.error = True, StorageUnavailable("A write ended with another one.", retry_after=5)
        try:
            self._table.transact([self._check, *(action for one in requests for action in one.actions)])
        except (ConditionFailed, HubError) as error:
            if len(requests) > 1 and not isinstance(error, StorageUnavailable):
                # One of them is the reason: the others do not suffer for it.
                for one in requests:
                    self._write([one])
                return
            for one in requests:
                one.error = self._classify(one, error)
            return
        for one in requests:
            one.error = None

    def _classify(self, request: _Request, error: ConditionFailed | HubError) -> Exception | None:
        if not isinstance(error, ConditionFailed):
            return error
        if self._fence.number() != self._number:
            return LeaseLost("a newer worker has begun, or everything was removed")
        puts = [action.item for action in request.actions if isinstance(action, Put)]
        if len(puts) == len(request.actions) and all(self._table.get(item["pk"], item["sk"]) == item for item in puts):
            return None  # It was ours, and its answer was lost.
        return error
