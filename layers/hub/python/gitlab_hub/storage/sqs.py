"""The queue ports over SQS."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient
from gitlab_hub.storage.ports import MAX_DELAY_SECONDS, Depth, QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueue:
    """One queue. The client is made at first use; it may be used from any thread."""

    def __init__(self, url: str, client: "Callable[[], SQSClient] | None" = None) -> None:
        self._url = url
        self._client: Callable[[], SQSClient] = client or LazyClient("sqs")

    def send(self, body: Mapping[str, Any], *, delay_seconds: int = 0) -> None:
        """Enqueue one message; whatever AWS says against it, the message was not taken."""
        delay = min(delay_seconds, MAX_DELAY_SECONDS)
        _send(self._client, self._url, body, DelaySeconds=delay)


class SqsOrderedQueue:
    """One FIFO queue. The client is made at first use; it may be used from any thread."""

    def __init__(self, url: str, client: "Callable[[], SQSClient] | None" = None) -> None:
        self._url = url
        self._client: Callable[[], SQSClient] = client or LazyClient("sqs")

    def send(self, body: Mapping[str, Any], *, group: str, once: str) -> None:
        """Enqueue one message; whatever AWS says against it, the message was not taken."""
        _send(self._client, self._url, body, MessageGroupId=group, MessageDeduplicationId=once)


class SqsDepth:
    """How many messages lie in one queue. The client is made at first use; it may be used from any thread."""

    def __init__(self, url: str, client: "Callable[[], SQSClient] | None" = None) -> None:
        self._url = url
        self._client: Callable[[], SQSClient] = client or LazyClient("sqs")

    @property
    def name(self) -> str:
        """What the queue is called: the last part of its address."""
        return self._url.rpartition("/")[2]

    def waiting(self) -> int:
        """Count, about as exactly as SQS does, what may be received."""
        asked: Any = ["ApproximateNumberOfMessages"]
        try:
            answer = self._client().get_queue_attributes(QueueUrl=self._url, AttributeNames=asked)
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailable from error
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _send(client: "Callable[[], SQSClient]", url: str, body: Mapping[str, Any], **how: Any) -> None:
    text = json.dumps(dict(body), allow_nan=False, separators=(",", ":"))
    try:
        client().send_message(QueueUrl=url, MessageBody=text, **how)
    except (ClientError, BotoCoreError) as error:
        raise QueueUnavailable from error


# Looks at all dead-letter queues at once: one alarm for them all costs a fifth of one alarm for each.


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """What was found: how many messages wait, by the name of their queue."""

    waiting: Mapping[str, int] = field(default_factory=dict)


class DeadLetterWatch:
    """Counts what nobody will work on by itself."""

    def __init__(self, queues: Sequence[Depth], tell: Callable[[Mapping[str, int]], None]) -> None:
        self._queues, self._tell = queues, tell

    def tick(self) -> DeadLetters:
        """Count, and tell of queues that are not empty. Raises QueueUnavailable."""
        counted = {queue.name: queue.waiting() for queue in self._queues}
        found = {name: waiting for name, waiting in counted.items() if waiting}
        self._tell(found)
        return DeadLetters(found)
