"""Serves triggers, builds and the log of deliveries."""

from typing import Any

from gitlab_hub.composition import entries


def handler(event: dict[str, Any], context: Any) -> Any:
    """Hand the event to the entry that `composition.entries` builds once per process."""
    return entries.builds_api()(event, context)
