"""A queue in memory: what was sent, in order."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.queue import MAX_DELAY_SECONDS

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it lies in the queue."""

    body: dict[str, Any]
    delay_seconds: int


class MemoryQueue:
    """Keeps messages as JSON, as SQS does."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def send(self, body: Mapping[str, Any], *, delay_seconds: int = 0) -> None:
        """Enqueue one message."""
        text = json.dumps(dict(body), allow_nan=False)
        if len(text) > MAX_BYTES or delay_seconds < 0:
            raise ValueError("A message has at most 1 MiB and no negative delay.")
        with self._lock:
            self._sent.append((text, min(delay_seconds, MAX_DELAY_SECONDS)))

    @property
    def sent(self) -> list[Sent]:
        """Everything that waits in the queue."""
        with self._lock:
            return [Sent(json.loads(text), delay) for text, delay in self._sent]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The messages alone."""
        return [sent.body for sent in self.sent]

    def take(self) -> list[dict[str, Any]]:
        """Empty the queue and return what was in it."""
        with self._lock:
            taken, self._sent = self._sent, []
        return [json.loads(text) for text, _ in taken]
