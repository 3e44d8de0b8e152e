"""The queue port: what the hub asks of SQS."""

from collections.abc import Mapping
from typing import Any, Protocol

from gitlab_hub.storage.errors import StorageUnavailable

MAX_DELAY_SECONDS = 900


class QueueUnavailable(StorageUnavailable):
    """The queue did not take the message; nothing may be marked as sent."""

    def __init__(self, message: str = "The queue is not reachable; try again in a moment.") -> None:
        super().__init__(message, retry_after=5)


class Queue(Protocol):
    """One SQS queue, or a fake that passes the same contract test."""

    def send(self, body: Mapping[str, Any], *, delay_seconds: int = 0) -> None:
        """Enqueue one JSON message; `delay_seconds` is capped at 900. Raises QueueUnavailable."""


class OrderedQueue(Protocol):
    """One FIFO queue, or a fake that passes the same contract test."""

    def send(self, body: Mapping[str, Any], *, group: str, once: str) -> None:
        """Enqueue one JSON message behind the others of its group. Raises QueueUnavailable.

        A message with the same `once` (at most 128 letters, digits or punctuation) within five minutes is not taken
        again. SQS keeps groups apart: what is stuck in one does not hold up another.
        """


class Depth(Protocol):
    """How full one queue is, or a fake that passes the same contract test."""

    @property
    def name(self) -> str:
        """What the queue is called."""

    def waiting(self) -> int:
        """Count the messages that may be received. Raises QueueUnavailable."""
