"""What DynamoDB may answer beside success, said by a scripted client."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from gitlab_hub.storage.aws import Backoff
from gitlab_hub.storage.codec import encode
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.ports import ABSENT, ConditionFailed, Put, StorageRefused, StorageUnavailable

ITEM = {"pk": "p", "sk": "a", "owner": "me"}


class Scripted:
    """A client that answers every call with the next answer of the script."""

    def __init__(self, *script: Any) -> None:
        self._script = list(script)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            answer = self._script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def table_of(*script: Any) -> tuple[DynamoTable, Scripted, list[float]]:
    client, slept = Scripted(*script), list[float]()
    backoff = Backoff(tries=4, sleep=slept.append, random=lambda: 1.0)
    return DynamoTable("t", lambda: client, backoff=backoff), client, slept  # type: ignore[arg-type,return-value]  # a stand-in


def failure(code: str, status: int = 400, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "Operation")


def cancelled(*codes: str) -> ClientError:
    return failure("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def test_what_a_batch_left_over_is_written_after_a_pause() -> None:
    left = {"t": [{"PutRequest": {"Item": encode(ITEM)}}]}
    table, client, slept = table_of({"UnprocessedItems": left}, {"UnprocessedItems": left}, {"UnprocessedItems": {}})
    table.write([ITEM])
    assert [arguments["RequestItems"] for _, arguments in client.calls] == [left] * 3
    assert slept == [0.1, 0.2]


def test_a_batch_that_is_never_done_ends() -> None:
    left = {"t": [{"PutRequest": {"Item": encode(ITEM)}}]}
    table, client, _ = table_of(*[{"UnprocessedItems": left}] * 9)
    with pytest.raises(StorageUnavailable):
        table.write([ITEM])
    assert len(client.calls) == 4


def test_keys_that_a_batch_left_over_are_read_again() -> None:
    left = {"t": {"Keys": [encode({"pk": "p", "sk": "b"})], "ConsistentRead": True}}
    other = {"pk": "p", "sk": "b"}
    table, client, _ = table_of(
        {"Responses": {"t": [encode(ITEM)]}, "UnprocessedKeys": left}, {"Responses": {"t": [encode(other)]}}
    )
    assert table.get_many([("p", "a"), ("p", "b"), ("p", "a")]) == [ITEM, other]
    assert client.calls[1][1]["RequestItems"] == left
    assert len(client.calls[0][1]["RequestItems"]["t"]["Keys"]) == 2


def test_batches_keep_to_their_sizes() -> None:
    table, client, _ = table_of(*[{}] * 3, *[{"Responses": {}}] * 2)
    table.write([{"pk": "p", "sk": str(n)} for n in range(60)])
    table.get_many([("p", str(n)) for n in range(150)])
    sizes = [len(arguments["RequestItems"]["t"]) for name, arguments in client.calls if name == "batch_write_item"]
    assert sizes == [25, 25, 10]
    reads = [arguments["RequestItems"]["t"]["Keys"] for name, arguments in client.calls if name == "batch_get_item"]
    assert [len(keys) for keys in reads] == [100, 50]


def test_a_conflict_of_transactions_is_tried_again() -> None:
    table, client, slept = table_of(cancelled("None", "TransactionConflict"), {})
    table.transact([Put(ITEM)])
    assert (len(client.calls), len(slept)) == (2, 1)


def test_conflicts_without_end_are_given_up() -> None:
    table, client, _ = table_of(*[cancelled("TransactionConflict")] * 9)
    with pytest.raises(StorageUnavailable):
        table.transact([Put(ITEM)])
    assert len(client.calls) == 4


def test_a_failed_condition_is_final_even_beside_a_conflict() -> None:
    table, client, _ = table_of(cancelled("TransactionConflict", "ConditionalCheckFailed"))
    with pytest.raises(ConditionFailed):
        table.transact([Put(ITEM, ABSENT)])
    assert len(client.calls) == 1


@pytest.mark.parametrize("reason", ["AccessDenied", "ItemCollectionSizeLimitExceeded"])
def test_a_transaction_that_is_cancelled_for_another_reason_is_refused_for_good(reason: str) -> None:
    table, client, _ = table_of(*[cancelled(reason)] * 2)
    with pytest.raises(StorageRefused):
        table.transact([Put(ITEM)])
    assert len(client.calls) == 1


def test_what_dynamodb_never_takes_is_refused_for_good() -> None:
    table, client, _ = table_of(cancelled("None", "ValidationError"), *[failure("ValidationException")] * 2)
    with pytest.raises(StorageRefused):
        table.transact([Put(ITEM)])
    with pytest.raises(StorageRefused):
        table.put(ITEM)
    with pytest.raises(StorageRefused):
        table.write([ITEM])
    assert len(client.calls) == 3, "once is enough"


def test_a_write_that_meets_a_transaction_is_tried_again() -> None:
    table, client, slept = table_of(failure("TransactionConflictException"), {})
    table.put(ITEM)
    assert (len(client.calls), len(slept)) == (2, 1)


@pytest.mark.parametrize("stored", [None, {"pk": "p", "sk": "a", "owner": "other"}, {"pk": "p", "sk": "a"}])
def test_a_failed_condition_is_ours_only_where_the_whole_item_is(stored: dict[str, Any] | None) -> None:
    more: dict[str, Any] = {} if stored is None else {"Item": encode(stored)}
    table, _, _ = table_of(failure("ConditionalCheckFailedException", **more))
    with pytest.raises(ConditionFailed):
        table.put(ITEM, ABSENT)


@pytest.mark.parametrize(
    "error",
    [
        failure("ProvisionedThroughputExceededException"),
        failure("ThrottlingException"),
        failure("InternalServerError", 500),
        failure("Anything", 503),
        ConnectTimeoutError(endpoint_url="http://example.com"),
    ],
)
def test_what_may_pass_is_unavailable(error: Exception) -> None:
    table, _, _ = table_of(error)
    with pytest.raises(StorageUnavailable):
        table.get("p", "a")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException", "KMSAccessDeniedException"])
def test_what_will_not_pass_is_refused_and_named(code: str) -> None:
    table, client, _ = table_of(*[failure(code)] * 2)
    with pytest.raises(StorageRefused, match=code):
        table.get("p", "a")
    assert len(client.calls) == 1


def test_no_reserved_word_is_ever_spelled_out() -> None:
    table, client, _ = table_of({}, {"Items": []})
    table.put({**ITEM, "size": 1}, ABSENT)
    table.query("p", prefix="x", attributes=["name", "size"])
    assert client.calls[0][1]["ConditionExpression"] == "attribute_not_exists(#n0)"
    assert client.calls[1][1]["ProjectionExpression"] == "#n2, #n3, #n1"


def test_no_client_is_made_before_the_first_call() -> None:
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return Scripted({})

    table = DynamoTable("t", make)
    assert made == []
    table.get("p", "a")
    assert made == [1]
