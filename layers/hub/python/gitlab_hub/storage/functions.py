"""The port for another function of the hub, over Lambda."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient
from gitlab_hub.storage.ports import QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaFunction:
    """One function. The client is made at first use; it may be used from any thread."""

    def __init__(self, name: str, client: "Callable[[], LambdaClient] | None" = None) -> None:
        self._name = name
        self._client: Callable[[], Any] = client or LazyClient("lambda")

    def start(self) -> None:
        """Have Lambda call the function soon, with an empty event (Lambda API, Invoke, `InvocationType: Event`)."""
        try:
            self._client().invoke(FunctionName=self._name, InvocationType="Event", Payload=b"{}")
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable from error
