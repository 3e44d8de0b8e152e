"""Removing everything that was synced from an integration, in as many slices as it takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.queue import Queue
from gitlab_hub.storage.table import Table
from gitlab_hub.sync.message import MOST_HOPS, hops_of, purge_message
from gitlab_hub.sync.purge_book import SENT_AGAIN_SECONDS, PurgeBook
from gitlab_hub.sync.session import RESERVE_SECONDS

PAGE = 500


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

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Remove rows until all are gone or time is up; then another message carries on, or the next tick."""
        integration_id, hops = message["purge"], hops_of(message)
        if all(self._emptied(area, integration_id, remaining) for area in self.areas):
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
