"""The queue messages of the engine."""

from collections.abc import Mapping
from typing import Any

from gitlab_hub.sync.run import Run

SCHEMA = 1

Hint = Mapping[str, Any]
"""Something in GitLab may have changed: `integration_id`, and the ids that the feature needs to look."""


class UnknownMessage(Exception):
    """A message of a schema this version does not know: it waits in the dead-letter queue for one that does."""


def work_message(run: Run) -> dict[str, Any]:
    """The message that carries a run on; a stale or repeated one has no effect."""
    return {"schema": SCHEMA, "integration_id": run.integration_id, "kind": str(run.kind), "sync_id": run.sync_id}


def purge_message(integration_id: str) -> dict[str, Any]:
    """The message that removes what an integration left behind; a repeated one has no effect."""
    return {"schema": SCHEMA, "purge": integration_id}


def hint_message(hint: Hint, *, tries: int = 0) -> dict[str, Any]:
    """The message that has something looked at; a repeated one only costs requests.

    `tries`: how often it was put off already.
    """
    message = {"schema": SCHEMA, "hint": dict(hint)}
    return {**message, "tries": tries} if tries else message
