"""The port for another function of the hub, over Lambda."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient
from gitlab_hub.storage.ports import FunctionUnavailable, QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


_ANSWERED = LazyClient(
    "lambda",
    # The answer takes as long as the function; asked again after a lost one, it would do its work twice.
    config=Config(
        connect_timeout=2,
        read_timeout=28,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=16,
    ),
)


class LambdaFunction:
    """One function. The client is made at first use; it may be used from any thread."""

    def __init__(self, name: str, client: "Callable[[], LambdaClient] | None" = None) -> None:
        self._name = name
        self._client: Callable[[], Any] = client or LazyClient("lambda")
        self._answered: Callable[[], Any] = client or _ANSWERED

    def start(self) -> None:
        """Have Lambda call the function soon, with an empty event (Lambda API, Invoke, `InvocationType: Event`)."""
        try:
            self._client().invoke(FunctionName=self._name, InvocationType="Event", Payload=b"{}")
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable from error

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Have Lambda call the function and wait for what it answers (Invoke, `InvocationType: RequestResponse`)."""
        try:
            response = self._answered().invoke(FunctionName=self._name, Payload=json.dumps(event).encode())
            answer = json.loads(response["Payload"].read())
        except (ClientError, BotoCoreError, ValueError) as error:
            raise FunctionUnavailable from error
        # A function that crashed or ran out of time answers 200 with this field, and a payload of Lambda's own.
        if "FunctionError" in response or not isinstance(answer, dict):
            raise FunctionUnavailable
        return answer
