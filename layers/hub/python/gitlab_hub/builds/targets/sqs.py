"""A message in an SQS queue: whoever reads it builds, and reports back with PATCH."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.targets.aws import call_aws
from gitlab_hub.builds.targets.base import Started, target_field
from gitlab_hub.storage.aws import LazyClient


class SqsTarget:
    """Sends to plain and FIFO queues."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or LazyClient("sqs")

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Send the build."""
        self._send(build, message)
        return Started()

    def poll(self, build: Build) -> BuildStatus | None:  # noqa: ARG002 - the port's signature
        """Nothing can be looked up there: whoever builds reports."""
        return None

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:
        """Send that it is wanted no more."""
        self._send(build, message)

    def _send(self, build: Build, message: Mapping[str, Any]) -> None:
        url = target_field(build, "queue_url")
        body = json.dumps(message, separators=(",", ":"))
        asking: dict[str, Any] = {"QueueUrl": url, "MessageBody": body}
        if url.endswith(".fifo"):
            asking |= {"MessageGroupId": build.id, "MessageDeduplicationId": message["id"]}
        call_aws(lambda: self._client().send_message(**asking))
