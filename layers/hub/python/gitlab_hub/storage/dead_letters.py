"""Looks at all dead-letter queues at once: one alarm for them all costs a fifth of one alarm for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gitlab_hub.storage.queue import Depth


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """What was found: how many messages wait, by the name of their queue."""

    waiting: Mapping[str, int] = field(default_factory=dict)


class DeadLetterWatch:
    """Counts what nobody will work on by itself."""

    def __init__(self, queues: Sequence[Depth], tell: Callable[[Mapping[str, int]], None]) -> None:
        self._queues, self._tell = queues, tell

    def tick(self) -> DeadLetters:
        """Count, and tell of queues that are not empty. Raises QueueUnavailable."""
        counted = {queue.name: queue.waiting() for queue in self._queues}
        found = {name: waiting for name, waiting in counted.items() if waiting}
        self._tell(found)
        return DeadLetters(found)
