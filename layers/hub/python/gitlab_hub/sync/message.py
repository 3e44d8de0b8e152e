"""The queue messages of the engine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitlab_hub.sync.run import Run

SCHEMA = 1

MOST_HOPS = 8
"""How often work is handed straight on before the schedule's tick has to take it up.

Lambda counts how often it has invoked a function for what one event led to, over SQS, SNS, S3 and direct calls; the
SDK carries that count in the trace header of whatever it sends. After about 16 invocations Lambda invokes the function
no more and drops the message (Lambda developer guide, "Use Lambda recursive loop detection"; botocore's handler
`add_recursion_detection_header`). A tick is an event of its own, so what it sends is counted from the start. Half of
the 16 are left to whatever comes before the first message: a webhook, its delivery, a call of the API.
"""

Hint = Mapping[str, Any]
"""Something in GitLab may have changed: `integration_id`, and the ids that the feature needs to look."""


def work_message(run: "Run", *, hops: int = 0) -> dict[str, Any]:
    """The message that carries a run on; a stale or repeated one has no effect.

    `hops`: how many workers have handed the work straight on since a tick or a person sent it.
    """
    message = {"schema": SCHEMA, "integration_id": run.integration_id, "kind": str(run.kind), "sync_id": run.sync_id}
    return {**message, "hops": hops} if hops else message


def purge_message(integration_id: str, *, hops: int = 0) -> dict[str, Any]:
    """The message that removes what an integration left behind; a repeated one has no effect."""
    message = {"schema": SCHEMA, "purge": integration_id}
    return {**message, "hops": hops} if hops else message


def hops_of(message: Mapping[str, Any]) -> int:
    """How many workers have handed this work straight on."""
    return int(message.get("hops", 0))


def hint_message(hint: Hint, *, tries: int = 0) -> dict[str, Any]:
    """The message that has something looked at; a repeated one only costs requests.

    `tries`: how often it was postponed already.
    """
    message = {"schema": SCHEMA, "hint": dict(hint)}
    return {**message, "tries": tries} if tries else message
