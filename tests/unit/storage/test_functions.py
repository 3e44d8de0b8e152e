"""Starting another function of the hub."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from gitlab_hub.storage.functions import LambdaFunction
from gitlab_hub.storage.ports import QueueUnavailable


class Client:
    """Lambda, as far as the adapter calls it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error, list[dict[str, Any]]()

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        return {"StatusCode": 202}


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
