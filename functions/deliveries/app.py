"""Works on kept webhooks, and queues those that were kept and not queued."""

from typing import Any

from gitlab_hub.composition import entries


def handler(event: dict[str, Any], context: Any) -> Any:
    """Hand the event to the entry that `composition.entries` builds once per process."""
    return entries.deliveries()(event, context)
