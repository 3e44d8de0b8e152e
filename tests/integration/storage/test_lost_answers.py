"""Answers of AWS that get lost on the way, with the SDK's own retries running."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

from gitlab_hub.storage.aws import Backoff
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.ports import ABSENT, Condition, ConditionFailed, Put
from tests.integration.storage.backends import client, emulator, make_table

OPERATIONS = {
    "put": lambda table: table.put({"pk": "p", "sk": "a", "owner": "me"}, ABSENT),
    "delete": lambda table: table.delete("p", "old"),
    "write": lambda table: table.write([{"pk": "p", "sk": "a", "owner": "me"}], [("p", "old")]),
}


class LosesFirstAnswer:
    """Delivers the first request of an operation, and then answers for the server that it failed."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        self.sent += 1
        if self.sent > 1:
            return None
        URLLib3Session().send(request)
        return AWSResponse(str(request.url), 500, HTTPHeaders(), Raw(b'{"__type": "InternalServerError"}'))


@dataclass(frozen=True, slots=True)
class Raw:
    """The body of an answer."""

    data: bytes

    def stream(self) -> list[bytes]:
        return [self.data]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with emulator(tmp_path_factory.mktemp("emulator")) as address:
        make_table(client("dynamodb", address), "lossy")
        yield address


def lossy(endpoint: str) -> tuple[DynamoTable, LosesFirstAnswer]:
    dynamodb = client("dynamodb", endpoint, retries={"total_max_attempts": 3, "mode": "standard"})
    loss = LosesFirstAnswer()
    dynamodb.meta.events.register("before-send.dynamodb.*", loss)
    return DynamoTable("lossy", lambda: dynamodb, backoff=Backoff(sleep=lambda _: None)), loss


@pytest.mark.emulator
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_write_whose_answer_was_lost_is_no_failure(endpoint: str, operation: Callable[[DynamoTable], None]) -> None:
    clean = DynamoTable("lossy", lambda: client("dynamodb", endpoint))
    clean.write([{"pk": "p", "sk": "old"}], [("p", "a")])
    table, loss = lossy(endpoint)
    operation(table)
    assert loss.sent == 2


@pytest.mark.emulator
def test_a_lost_answer_hides_no_other_owner(endpoint: str) -> None:
    clean = DynamoTable("lossy", lambda: client("dynamodb", endpoint))
    clean.put({"pk": "p", "sk": "b", "owner": "other"})
    table, _ = lossy(endpoint)
    with pytest.raises(ConditionFailed):
        table.put({"pk": "p", "sk": "b", "owner": "me"}, ABSENT)


def test_a_transaction_is_sent_again_with_the_same_token() -> None:
    bodies: list[bytes] = []
    dynamodb = client("dynamodb", retries={"total_max_attempts": 3, "mode": "standard"})

    def answer(request: Any, **_: Any) -> AWSResponse:
        bodies.append(request.body)
        return AWSResponse(request.url, 500 if len(bodies) == 1 else 200, HTTPHeaders(), Raw(b"{}"))

    dynamodb.meta.events.register("before-send.dynamodb.TransactWriteItems", answer)
    DynamoTable("any", lambda: dynamodb).transact([Put({"pk": "p", "sk": "a"}, Condition(exists=False))])
    assert json.loads(bodies[0])["ClientRequestToken"]
    assert bodies[0] == bodies[1]
