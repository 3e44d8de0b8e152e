"""The queue messages of the engine."""

from typing import Any

from gitlab_hub.sync.run import Run

SCHEMA = 1


def work_message(run: Run) -> dict[str, Any]:
    """The message that carries a run on; a stale or repeated one has no effect."""
    return {"schema": SCHEMA, "integration_id": run.integration_id, "kind": str(run.kind), "sync_id": run.sync_id}


def purge_message(integration_id: str) -> dict[str, Any]:
    """The message that removes what an integration left behind; a repeated one has no effect."""
    return {"schema": SCHEMA, "purge": integration_id}
