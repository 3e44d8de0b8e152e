"""Removing everything that was synced from an integration, in as many slices as it takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.queue import Queue
from gitlab_hub.storage.table import Table
from gitlab_hub.sync.message import purge_message
from gitlab_hub.sync.session import RESERVE_SECONDS

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Purger:
    """Empties the partitions of one integration; a repeated message finds nothing left and has no effect."""

    table: Table
    partitions: Callable[[str], Iterable[str]]
    """All partitions of an integration; those that list others come last."""
    queue: Queue

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Remove rows until all are gone or time is up; then another message carries on."""
        for partition in self.partitions(message["purge"]):
            while keys := [(row["pk"], row["sk"]) for row in self._page(partition)]:
                if remaining() < RESERVE_SECONDS:
                    self.queue.send(purge_message(message["purge"]))
                    return
                self.table.write(deletes=keys)

    def _page(self, partition: str) -> list[dict[str, Any]]:
        return self.table.query(partition, limit=PAGE, attributes=("pk", "sk")).items


@dataclass(frozen=True, slots=True)
class Purgers:
    """Several tables of one integration; where time is up in one, the next message carries on in all of them."""

    each: Sequence[Purger]

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Remove rows until all are gone or time is up."""
        for purger in self.each:
            purger.handle(message, remaining=remaining)
