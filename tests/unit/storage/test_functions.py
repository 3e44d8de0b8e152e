"""Starting another function of the hub, and asking one."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from gitlab_hub.storage.functions import LambdaFunction
from gitlab_hub.storage.ports import FunctionUnavailable, QueueUnavailable


class Client:
    """Lambda, as far as the adapter calls it."""

    def __init__(self, error: Exception | None = None, payload: bytes = b"", **more: Any) -> None:
        self.error, self.calls = error, list[dict[str, Any]]()
        self.payload, self.more = payload, more

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        return {"StatusCode": 202, "Payload": io.BytesIO(self.payload), **self.more}


def test_it_is_called_on_its_own_with_an_empty_event() -> None:
    client = Client()
    LambdaFunction("hub-provisioner", lambda: client).start()  # type: ignore[arg-type,return-value] # all it calls
    assert client.calls == [{"FunctionName": "hub-provisioner", "InvocationType": "Event", "Payload": b"{}"}]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        EndpointConnectionError(endpoint_url="https://lambda.example"),
    ],
    ids=["throttled", "away"],
)
def test_whatever_aws_says_against_it_it_was_not_started(error: Exception) -> None:
    client = Client(error)
    with pytest.raises(QueueUnavailable):
        LambdaFunction("hub-provisioner", lambda: client).start()  # type: ignore[arg-type,return-value] # all it calls


def test_whoever_asks_gets_the_answer_of_one_call() -> None:
    client = Client(payload=b'{"statusCode": 200}')
    function = LambdaFunction("hub-access", lambda: client)  # type: ignore[arg-type,return-value] # all it calls
    assert function.ask({"rawPath": "/v1/\u00e9"}) == {"statusCode": 200}
    assert client.calls == [{"FunctionName": "hub-access", "Payload": b'{"rawPath": "/v1/\\u00e9"}'}]


@pytest.mark.parametrize(
    "client",
    [
        Client(ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")),
        Client(ReadTimeoutError(endpoint_url="https://lambda.example")),
        Client(payload=b'{"errorMessage": "Task timed out after 29.00 seconds"}', FunctionError="Unhandled"),
        Client(payload=b"cut sho"),
        Client(payload=b"null"),
    ],
    ids=["throttled", "slow", "crashed", "cut", "nothing"],
)
def test_without_an_answer_nobody_knows_and_nobody_asks_again(client: Client) -> None:
    function = LambdaFunction("hub-access", lambda: client)  # type: ignore[arg-type,return-value] # all it calls
    with pytest.raises(FunctionUnavailable):
        function.ask({})
    assert len(client.calls) == 1
