"""What a queue message asks for: carrying a run on, processing a hint, removing what an integration left, and more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from gitlab_hub.storage.ports import Queue, Table, UnknownMessage
from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.hints.handler import HintHandler
from gitlab_hub.sync.message import MOST_HOPS, SCHEMA, hops_of, purge_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.session import RESERVE_SECONDS

# Removals of integrations that have not come to their end: none is forgotten, and none depends on one message.

SENT_AGAIN_SECONDS = 1_800
"""When a removal whose end nobody has noted is asked for again: its message has come back from its worker by then."""

MOST_PER_TICK = 100


class PurgeBook:
    """Removals that have not come to their end, of one kind: their messages may be lost, or have led too far."""

    def __init__(self, table: Table, kind: Kind) -> None:
        self._table, self._pk = table, f"SYNC#PURGES#{kind}"

    def note(self, integration_id: str, *, due_at: int) -> None:
        """Have a removal asked for by the first tick from `due_at` (unix seconds) on."""
        self._table.put({"pk": self._pk, "sk": integration_id, "due_at": due_at, "schema_version": 1})

    def done(self, integration_id: str) -> None:
        """Nothing is left to be removed."""
        self._table.delete(self._pk, integration_id)

    def due(self, now: int) -> Iterator[str]:
        """Removals to ask for now, a bounded number at a time."""
        return islice(self._due(now), MOST_PER_TICK)

    def _due(self, now: int) -> Iterator[str]:
        after: str | None = None
        while True:
            rows = self._table.query(self._pk, after=after)
            yield from (row["sk"] for row in rows.items if row["due_at"] <= now)
            if rows.last is None:
                return
            after = rows.last[1]


# Removing everything that was synced from an integration, in as many slices as it takes.

PAGE = 500

EmptiedBeside = Callable[[str, Callable[[], float]], bool]
"""(integration, remaining seconds) → whether nothing is left of it where there are no tables."""


@dataclass(frozen=True, slots=True)
class Area:
    """A table, and all partitions of an integration in it; those that list others come last."""

    table: Table
    partitions: Callable[[str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purger:
    """Empties what belongs to one integration; a repeated message finds nothing left and has no effect."""

    areas: Sequence[Area]
    queue: Queue
    book: PurgeBook
    now: Callable[[], float]
    beside: Sequence[EmptiedBeside] = ()

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Remove rows until all are gone or time is up; then another message carries on, or the next tick."""
        integration_id, hops = message["purge"], hops_of(message)
        if all(self._emptied(area, integration_id, remaining) for area in self.areas) and all(
            is_emptied(integration_id, remaining) for is_emptied in self.beside
        ):
            self.book.done(integration_id)
        elif hops < MOST_HOPS:
            self.queue.send(purge_message(integration_id, hops=hops + 1))
        else:
            self.book.note(integration_id, due_at=int(self.now()))

    def tick(self) -> int:
        """Ask again for removals that were left; the answer says for how many."""
        now = int(self.now())
        due = list(self.book.due(now))
        for integration_id in due:
            self.book.note(integration_id, due_at=now + SENT_AGAIN_SECONDS)
            self.queue.send(purge_message(integration_id))
        return len(due)

    def _emptied(self, area: Area, integration_id: str, remaining: Callable[[], float]) -> bool:
        for partition in area.partitions(integration_id):
            while keys := _page(area.table, partition):
                if remaining() < RESERVE_SECONDS:
                    return False
                area.table.write(deletes=keys)
        return True


def _page(table: Table, partition: str) -> list[tuple[str, str]]:
    rows = table.query(partition, limit=PAGE, attributes=("pk", "sk")).items
    return [(row["pk"], row["sk"]) for row in rows]


class MessageHandler(Protocol):
    """Works on one kind of message."""

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Do what the message asks for, within `remaining()` seconds; a repeated one has no other effect."""


@dataclass(frozen=True, slots=True)
class Worker:
    """The consumer of one work queue."""

    engine: Engine
    purger: Purger
    hints: HintHandler | None = None
    beside: Mapping[str, Engine] = field(default_factory=dict)
    """The engines of further kinds that the function works on."""
    others: Mapping[str, MessageHandler] = field(default_factory=dict)
    """Who works on other messages of the queue, by the field that such a message has."""

    def __call__(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Do what the message asks for, within `remaining()` seconds. Raises UnknownMessage."""
        if message.get("schema") != SCHEMA:
            raise UnknownMessage(f"This version understands schema {SCHEMA} only.")
        other = next((handler for name, handler in self.others.items() if name in message), None)
        if "purge" in message:
            self.purger.handle(message, remaining=remaining)
        elif other is not None:
            other.handle(message, remaining=remaining)
        elif "hint" not in message:
            self.beside.get(message.get("kind", ""), self.engine).handle(message, remaining=remaining)
        elif self.hints is None:
            raise UnknownMessage("This worker processes no hints.")
        else:
            self.hints.handle(message, remaining=remaining)
