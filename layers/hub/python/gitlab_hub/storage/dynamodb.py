"""The table port over DynamoDB's low-level client."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import Backoff, LazyClient, code_of, is_transient, refusal
from gitlab_hub.storage.codec import Names, Wire, condition_arguments, decode, encode, encode_key, projection, span_of
from gitlab_hub.storage.ports import (
    ALWAYS,
    REFUSED,
    Check,
    Condition,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Put,
    Rows,
    StorageRefused,
    StorageUnavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# One page of a query: its arguments, and what to make of the answer; pure.


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What the table port's `query` was asked for."""

    pk: str
    prefix: str
    after: str | None
    until: str | None
    limit: int | None
    forward: bool
    index: str | None
    attributes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError("A page has at least one item.")

    @property
    def sk_name(self) -> str:
        """The attribute that the page is sorted by."""
        return "sk" if self.index is None else f"{self.index}_sk"

    def arguments(self) -> dict[str, Any] | None:
        """Spell the query; None where no key can lie within the bounds (DynamoDB refuses such)."""
        span = span_of(self.prefix, self.after, self.until, forward=self.forward)
        if span.is_empty:
            return None
        names = Names()
        pk_name = "pk" if self.index is None else f"{self.index}_pk"
        terms = [f"{names.name(pk_name)} = {names.value(self.pk)}", *span.terms(self.sk_name, names)]
        # The sort key is needed to go on from, whether or not the caller wants to see it.
        wanted = (*self.attributes, self.sk_name) if self.attributes else ()
        arguments = {"KeyConditionExpression": " AND ".join(terms), "ScanIndexForward": self.forward}
        arguments |= {"ConsistentRead": True} if self.index is None else {"IndexName": self.index}
        arguments |= {} if self.limit is None else {"Limit": self.limit + 1 + self._reads_after}
        return {**arguments, **projection(wanted, names), **names.arguments()}

    def rows(self, wires: Sequence[Mapping[str, Any]], last: Mapping[str, Any] | None) -> Rows:
        """Cut the answer to the page; one item more than asked for was read to know whether there is more."""
        items = [item for item in map(decode, wires) if item[self.sk_name] != self.after]
        page = items[: self.limit]
        if last is None and len(page) == len(items):
            position = None
        else:
            position = page[-1][self.sk_name] if page else str((last or {})[self.sk_name]["S"])
        return Rows([self._picked(item) for item in page], None if position is None else (self.pk, position))

    @property
    def _reads_after(self) -> bool:
        """Say whether the item at `after` is read along: backwards no bound leaves out exactly that one."""
        return self.after is not None and not self.forward

    def _picked(self, item: Item) -> Item:
        return {name: value for name, value in item.items() if not self.attributes or name in self.attributes}


T = TypeVar("T")

_WRITE_BATCH = 25
_READ_BATCH = 100
_TRANSACTION = 100
INVALID = "ValidationException"
_CONDITION, _CANCELED = "ConditionalCheckFailedException", "TransactionCanceledException"
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
                if isinstance(error, BotoCoreError) or is_transient(error):
                    raise StorageUnavailable("The table cannot be reached; try again.", retry_after=5) from error
                if code_of(error) in {_CONDITION, _CANCELED}:
                    raise  # What these mean is for the caller to say.
                raise (StorageRefused(REFUSED) if code_of(error) == INVALID else refusal(error)) from error

        return self._backoff.until_done(attempt)


def _batches(elements: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(elements)
    while batch := list(islice(waiting, size)):
        yield batch


def _raise_unless_condition(error: ClientError) -> None:
    if code_of(error) != _CONDITION:
        raise error


def _raise_unless_passing(error: ClientError) -> None:
    """Sort the reasons of a cancelled transaction; returns where the next try may find none of them."""
    if code_of(error) != _CANCELED:
        raise error
    reasons: list[Wire] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]  # untyped extra
    codes = {str(reason.get("Code")) for reason in reasons}
    if "ConditionalCheckFailed" in codes:
        raise ConditionFailed(sorted(codes)) from None
    if not codes <= _MAY_PASS:
        raise StorageRefused(REFUSED) from error
