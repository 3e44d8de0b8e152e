"""Makes exports: writes what is stored into files."""

from typing import Any

from gitlab_hub.composition import entries


def handler(event: dict[str, Any], context: Any) -> Any:
    """Hand the event to the entry that `composition.entries` builds once per process."""
    return entries.exporter()(event, context)
