"""A queue in memory: what was sent, in order, with what Lambda counts of it."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.storage.ports import MAX_DELAY_SECONDS, FunctionUnavailable, QueueUnavailable
from tests.fakes.lineage import Lineage, carried

MAX_BYTES = 1024 * 1024
MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it lies in the queue."""

    body: dict[str, Any]
    delay_seconds: int
    lineage: Lineage = field(default_factory=dict)


class MemoryQueue:
    """Keeps messages as JSON, as SQS does."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, int, Lineage]] = []
        self._lock = threading.Lock()

    def send(self, body: Mapping[str, Any], *, delay_seconds: int = 0) -> None:
        """Enqueue one message."""
        text = json.dumps(dict(body), allow_nan=False)
        if len(text) > MAX_BYTES or delay_seconds < 0:
            raise ValueError("A message has at most 1 MiB and no negative delay.")
        with self._lock:
            self._sent.append((text, min(delay_seconds, MAX_DELAY_SECONDS), carried()))

    @property
    def sent(self) -> list[Sent]:
        """Everything that waits in the queue."""
        with self._lock:
            return [_sent(*one) for one in self._sent]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The messages alone."""
        return [sent.body for sent in self.sent]

    def take(self) -> list[dict[str, Any]]:
        """Empty the queue and return the messages that were in it."""
        return [sent.body for sent in self.receive()]

    def receive(self) -> list[Sent]:
        """Empty the queue and return what was in it."""
        with self._lock:
            taken, self._sent = self._sent, []
        return [_sent(*one) for one in taken]

    def put_back(self, sent: Sent) -> None:
        """Let a message that was received wait on, as it was sent."""
        with self._lock:
            self._sent.append((json.dumps(sent.body), sent.delay_seconds, sent.lineage))


def _sent(text: str, delay_seconds: int, lineage: Lineage) -> Sent:
    return Sent(json.loads(text), delay_seconds, lineage)


class MemoryFunction:
    """A function whose starts are counted; whoever asks it is answered by `answer`, or nobody is there."""

    def __init__(self, answer: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None) -> None:
        self.started = 0
        self.answer = answer

    def start(self) -> None:
        """Start it."""
        self.started += 1

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Ask it, with what JSON can carry."""
        if self.answer is None:
            raise FunctionUnavailable
        answer: dict[str, Any] = json.loads(json.dumps(self.answer(json.loads(json.dumps(event)))))
        return answer


@dataclass(frozen=True, slots=True)
class Ordered:
    """One message of a FIFO queue."""

    body: dict[str, Any]
    group: str
    once: str
    lineage: Lineage = field(default_factory=dict)


class MemoryOrderedQueue:
    """A FIFO queue: refuses what SQS refuses, and takes no message twice (its five minutes never end)."""

    def __init__(self) -> None:
        self._sent: list[Ordered] = []
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def send(self, body: Mapping[str, Any], *, group: str, once: str) -> None:
        """Enqueue one message."""
        text = json.dumps(dict(body), allow_nan=False)
        if len(text) > MAX_BYTES or not all(_is_fifo_name(name) for name in (group, once)):
            raise ValueError("A message has at most 1 MiB, a group and an id of at most 128 characters without blanks.")
        with self._lock:
            if once not in self._known:
                self._known.add(once)
                self._sent.append(Ordered(json.loads(text), group, once, carried()))

    @property
    def sent(self) -> list[Ordered]:
        """Everything that waits in the queue, in order."""
        with self._lock:
            return list(self._sent)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The messages alone."""
        return [sent.body for sent in self.sent]

    def take(self) -> list[Ordered]:
        """Empty the queue and return what was in it."""
        with self._lock:
            taken, self._sent = self._sent, []
        return taken

    def expire_ids(self) -> None:
        """Let five minutes pass: what was sent before may be sent again."""
        with self._lock:
            self._known.clear()


@dataclass(frozen=True, slots=True)
class MemoryDepth:
    """How full a queue in memory is."""

    name: str
    queue: MemoryQueue
    is_away: bool = False

    def waiting(self) -> int:
        """Count what waits."""
        if self.is_away:
            raise QueueUnavailable
        return len(self.queue.sent)


def _is_fifo_name(name: str) -> bool:
    return 1 <= len(name) <= MAX_NAME and name.isascii() and name.isprintable() and " " not in name
