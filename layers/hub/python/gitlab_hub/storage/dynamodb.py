"""The table port over DynamoDB's low-level client."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient, code_of, is_transient
from gitlab_hub.storage.backoff import Backoff
from gitlab_hub.storage.codec import Wire, decode, encode, encode_key
from gitlab_hub.storage.errors import REFUSED, StorageRefused, StorageUnavailable
from gitlab_hub.storage.expressions import Names, condition_arguments, projection
from gitlab_hub.storage.pages import PageRequest
from gitlab_hub.storage.table import ALWAYS, Check, Condition, ConditionFailed, Delete, Item, Key, Put, Rows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

_WRITE_BATCH = 25
_READ_BATCH = 100
_TRANSACTION = 100
INVALID = "ValidationException"
_MAY_PASS = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class DynamoTable:
    """One table. The client is made at first use; every method may be called from any thread."""

    def __init__(
        self, name: str, client: "Callable[[], DynamoDBClient] | None" = None, *, backoff: Backoff | None = None
    ) -> None:
        self._name = name
        self._client: Callable[[], DynamoDBClient] = client or LazyClient("dynamodb")
        self._backoff = backoff or Backoff()

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item, strongly consistent."""
        key = encode_key((pk, sk))
        answer = self._call(lambda: self._client().get_item(TableName=self._name, Key=key, ConsistentRead=True))
        return decode(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Read many items, a hundred at a time."""
        found: list[Item] = []
        for batch in _batches(dict.fromkeys(keys), _READ_BATCH):
            found += self._read_batch(batch, attributes)
        return found

    def put(self, item: Item, condition: Condition = ALWAYS) -> None:
        """Write one item; where the condition fails on what we wrote ourselves, the answer had been lost."""
        wire = encode(item)
        arguments: Any = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD", **condition_arguments(condition)}
        try:
            self._call(lambda: self._client().put_item(TableName=self._name, Item=wire, **arguments))
        except ClientError as error:
            _raise_unless_condition(error)
            if error.response.get("Item") != wire:
                raise ConditionFailed(item["pk"], item["sk"]) from None

    def delete(self, pk: str, sk: str, condition: Condition = ALWAYS) -> None:
        """Remove one item."""
        key, arguments = encode_key((pk, sk)), condition_arguments(condition)
        try:
            self._call(lambda: self._client().delete_item(TableName=self._name, Key=key, **arguments))
        except ClientError as error:
            _raise_unless_condition(error)
            raise ConditionFailed(pk, sk) from None

    def write(self, puts: Iterable[Item] = (), deletes: Iterable[Key] = ()) -> None:
        """Write and remove many items, 25 at a time; of two writes to one key the later counts."""
        writes: Iterable[tuple[Key, Any]] = chain(
            (((item["pk"], item["sk"]), {"PutRequest": {"Item": encode(item)}}) for item in puts),
            ((key, {"DeleteRequest": {"Key": encode_key(key)}}) for key in deletes),
        )
        for batch in _batches(writes, _WRITE_BATCH):
            self._write_batch(list(dict(batch).values()))  # One batch must not name a key twice.

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        """Do all or nothing; conflicts with other transactions are tried again, failed conditions are not."""
        if not 1 <= len(actions) <= _TRANSACTION:
            raise ValueError("A transaction has 1 to 100 actions.")
        wire = [self._action(action) for action in actions]

        def attempt() -> bool | None:
            try:
                self._call(lambda: self._client().transact_write_items(TransactItems=wire))
            except ClientError as error:
                _raise_unless_passing(error)
                return None
            return True

        self._backoff.until_done(attempt)

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
        """Read one page of a partition, strongly consistent except on an index."""
        page = PageRequest(
            pk=pk, prefix=prefix, after=after, until=until, limit=limit, forward=forward, index=index,
            attributes=tuple(attributes),
        )  # fmt: skip
        arguments = page.arguments()
        if arguments is None:
            return Rows([], None)
        answer = self._call(lambda: self._client().query(TableName=self._name, **arguments))
        return page.rows(answer["Items"], answer.get("LastEvaluatedKey"))

    def _action(self, action: Put | Delete | Check) -> Any:
        where = {"TableName": self._name, **condition_arguments(action.condition)}
        if isinstance(action, Put):
            return {"Put": {"Item": encode(action.item), **where}}
        verb = "Delete" if isinstance(action, Delete) else "ConditionCheck"
        return {verb: {"Key": encode_key(action.key), **where}}

    def _read_batch(self, keys: Sequence[Key], attributes: Sequence[str]) -> list[Item]:
        names = Names()
        request = {"ConsistentRead": True, **projection(attributes, names), **names.arguments()}
        waiting: Any = {self._name: {"Keys": [encode_key(key) for key in keys], **request}}
        found: list[Item] = []

        def attempt() -> bool | None:
            nonlocal waiting
            answer = self._call(lambda: self._client().batch_get_item(RequestItems=waiting))
            found.extend(decode(wire) for wire in answer["Responses"].get(self._name, []))
            waiting = answer.get("UnprocessedKeys")
            return None if waiting else True

        self._backoff.until_done(attempt)
        return found

    def _write_batch(self, requests: list[Any]) -> None:
        waiting: Any = {self._name: requests}

        def attempt() -> bool | None:
            nonlocal waiting
            answer = self._call(lambda: self._client().batch_write_item(RequestItems=waiting))
            waiting = answer.get("UnprocessedItems")
            return None if waiting else True

        self._backoff.until_done(attempt)

    def _call(self, send: Callable[[], T]) -> T:
        """Send one request; a conflict with a transaction is tried again, as no SDK does."""

        def attempt() -> T | None:
            try:
                return send()
            except (ClientError, BotoCoreError) as error:
                if isinstance(error, ClientError) and code_of(error) == "TransactionConflictException":
                    return None
                if is_transient(error):
                    raise StorageUnavailable("The table cannot be reached; try again.", retry_after=5) from error
                if isinstance(error, ClientError) and code_of(error) == INVALID:
                    raise StorageRefused(REFUSED) from error
                raise

        return self._backoff.until_done(attempt)


def _batches(elements: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(elements)
    while batch := list(islice(waiting, size)):
        yield batch


def _raise_unless_condition(error: ClientError) -> None:
    if code_of(error) != "ConditionalCheckFailedException":
        raise error


def _raise_unless_passing(error: ClientError) -> None:
    """Sort the reasons of a cancelled transaction; returns where the next try may find none of them."""
    if code_of(error) != "TransactionCanceledException":
        raise error
    reasons: list[Wire] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]  # untyped extra
    codes = {str(reason.get("Code")) for reason in reasons}
    if "ConditionalCheckFailed" in codes:
        raise ConditionFailed(sorted(codes)) from None
    if "ValidationError" in codes:
        raise StorageRefused(REFUSED) from error
    if not codes <= _MAY_PASS:
        raise error
