"""Events of the hub's own on an EventBridge bus, for whoever has a rule for them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient, is_transient, refusal
from gitlab_hub.storage.ports import StorageUnavailable

SOURCE = "gitlab-hub"


def put_event(client: Any, bus: str, detail_type: str, message: Mapping[str, Any]) -> None:
    """Put one event on a bus. Raises what botocore raises, ClientError also for an event that the bus did not take.

    PutEvents answers 200 where it took nothing, with the code in the entry (EventBridge API reference, "PutEvents").
    """
    detail = json.dumps(message, separators=(",", ":"))
    entry = {"EventBusName": bus, "Source": SOURCE, "DetailType": detail_type, "Detail": detail}
    answer = client.put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        raise ClientError({"Error": {"Code": str(answer["Entries"][0].get("ErrorCode", ""))}}, "PutEvents")


class EventBridgeBus:
    """One bus. The client is made at first use; it may be used from any thread."""

    def __init__(self, name: str, client: Callable[[], Any] | None = None) -> None:
        self._name = name
        self._client = client or LazyClient("events")

    def put(self, detail_type: str, message: Mapping[str, Any]) -> None:
        """Put one event on it. Raises StorageUnavailable or StorageRefused: then nobody was told."""
        try:
            put_event(self._client(), self._name, detail_type, message)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and not is_transient(error):
                raise refusal(error) from None
            raise StorageUnavailable("The event bus did not take an event; the hub tries again.") from None
