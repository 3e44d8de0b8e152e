"""The table port: what the hub asks of DynamoDB, and no more.

Items are flat dictionaries with string keys `pk` and `sk`; values are `str`, `int`, `bool`, `None`, `bytes`, lists and
dictionaries of these. Floats are not stored: keep them inside packed bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitlab_hub.errors import HubError

Item = dict[str, Any]
Key = tuple[str, str]


class ConditionFailed(Exception):
    """The stored item is not what the writer expected; nothing was written."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the stored item for a write to happen.

    `exists`: None = do not care. `equals`: these attributes have these values (implies that the item exists). `lacks`:
    there are no such attributes (an item that does not exist has none).
    """

    exists: bool | None = None
    equals: Mapping[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


ALWAYS = Condition()
ABSENT = Condition(exists=False)
PRESENT = Condition(exists=True)


@dataclass(frozen=True, slots=True)
class Put:
    """One conditional write of a whole item inside a transaction."""

    item: Item
    condition: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Delete:
    """One conditional removal inside a transaction."""

    key: Key
    condition: Condition = ALWAYS


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on an item that the transaction does not write."""

    key: Key
    condition: Condition


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a query; `last` is the position to continue after, None at the end."""

    items: list[Item]
    last: Key | None


class Table(Protocol):
    """One DynamoDB table, or a fake that passes the same contract test."""

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item, strongly consistent."""

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Read any number of items (missing ones are left out, order is not kept); only `attributes` where named."""

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        """Write one whole item.

        Raises ConditionFailed, except where the stored item already equals `item`: then the write was ours and its
        answer was lost.
        """

    def delete(self, pk: str, sk: str, condition: Condition = ALWAYS) -> None:
        """Remove one item; removing what is not there is no error unless the condition says so."""

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        """Write and remove any number of items without conditions, in batches, until all are done."""

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        """Do at most 100 actions, all or none. Raises ConditionFailed."""

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
        """One page of the items of a partition in the order of `sk`, at most `limit` of them.

        `prefix` keeps the sort keys that start with it; `after` continues strictly behind that sort key in the
        direction of reading; `until` is an inclusive far bound. On `index` (a global secondary index with key
        attributes `<index>_pk`, `<index>_sk`) positions are that index's sort keys, which must be unique.
        """


# The secrets port: what the hub asks of Secrets Manager.


class SecretMissing(Exception):
    """There is no such secret, or no such version of it."""


class SecretExists(Exception):
    """There is such a secret, or such a version, with another value; nothing was written."""


class Secrets(Protocol):
    """Secrets Manager below one name prefix, or a fake that passes the same contract test.

    A secret is one JSON object. `version` is a UUID chosen by the writer (`ClientRequestToken`), so a repeated write
    of the same version has one effect; readers pin the version that their table row points to.
    """

    def create(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Create a secret with its first version; the same version again is no error. Raises SecretExists."""

    def write(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Add a version to an existing secret. Raises SecretMissing or SecretExists."""

    def read(self, name: str, *, version: str | None = None) -> dict[str, Any]:
        """Read one version (the current one where none is named). Raises SecretMissing or StorageRefused."""

    def delete(self, name: str) -> None:
        """Remove a secret at once and for good; a missing one is no error."""


# The objects port: what the hub asks of S3.


class ObjectMissing(Exception):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written into an object: how many bytes, and their SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


class Objects(Protocol):
    """One S3 bucket, or a fake that passes the same contract test.

    An object is there as a whole or not at all: what is being written shows nothing before its end, and what is cut
    short leaves what was there before.
    """

    def write(self, key: str, parts: Iterable[bytes], *, media: str) -> Written:
        """Write an object of any size from its parts as they come, in place of any that is there.

        What the parts raise ends the writing and is raised. Raises StorageUnavailable or StorageRefused.
        """

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of an object, in parts as they are taken. Raises ObjectMissing, StorageUnavailable, StorageRefused.

        A reading that is cut short raises StorageUnavailable; it never ends like a whole one.
        """

    def keys(self, prefix: str, *, limit: int = 1_000, after: str = "") -> list[str]:
        """The first keys that begin so and stand behind `after`, in their order, at most 1,000."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove at most 1,000 objects; one that is not there is no error."""

    def link(self, key: str, *, filename: str, seconds: int) -> str:
        """An address at which whoever has it can read the object for so long, as a file of that name."""


# What storage can say against a call: that it does not answer (try again), or that it never will take this.


class StorageUnavailable(HubError):
    """A table, queue, secret or bucket could not be reached, or was throttled for too long."""

    code = "service_unavailable"
    retryable = True


REFUSED = "DynamoDB refused a row as too large (over 400 KB) or malformed; see the function's log."


class StorageRefused(HubError):
    """AWS answers, and the same call will not work in a moment: the next one needs another row, or a person.

    An item over 400 KB or a malformed one (`ValidationException`, in a transaction as a reason for its end), a role or
    a key that does not permit the call, a table or the master key that is not there, a secret that is no JSON object.
    """

    code = "storage_refused"


# The queue port: what the hub asks of SQS.

MAX_DELAY_SECONDS = 900


class QueueUnavailable(StorageUnavailable):
    """The queue did not take the message; nothing may be marked as sent."""

    def __init__(self, message: str = "The queue is not reachable; try again in a moment.") -> None:
        super().__init__(message, retry_after=5)


class UnknownMessage(Exception):
    """A message of a schema this version does not know: it waits in the dead-letter queue for one that does."""


class UnknownSchema(Exception):
    """A row of a release that this one does not know: it waits for one that does."""


class OutOfTime(Exception):
    """The function has no time left to begin with this message; it comes again."""


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


class FunctionUnavailable(StorageUnavailable):
    """Another function of the hub gave no answer; nobody knows whether it did its work."""

    def __init__(self, message: str = "A part of the hub did not answer; try again in a moment.") -> None:
        super().__init__(message, retry_after=5)


class Function(Protocol):
    """Another function of the hub, or a fake that passes the same contract test."""

    def start(self) -> None:
        """Have it called soon, as its schedule does; nobody waits for it. Raises QueueUnavailable."""

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Have it called with an event, and wait for its answer. It is asked once. Raises FunctionUnavailable."""


class Depth(Protocol):
    """How full one queue is, or a fake that passes the same contract test."""

    @property
    def name(self) -> str:
        """What the queue is called."""

    def waiting(self) -> int:
        """Count the messages that may be received. Raises QueueUnavailable."""


# The port of events: what the hub tells whoever listens.


class Bus(Protocol):
    """One event bus, or a fake that passes the same contract test."""

    def put(self, detail_type: str, message: Mapping[str, Any]) -> None:
        """Put one event on it, as JSON. Raises StorageUnavailable or StorageRefused: then nobody was told."""
