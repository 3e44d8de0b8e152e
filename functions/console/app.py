"""Serves the web console; its templates and assets lie beside this file."""

from pathlib import Path
from typing import Any

from gitlab_hub.composition import entries


def handler(event: dict[str, Any], context: Any) -> Any:
    """Hand the event to the entry that `composition.entries` builds once per process."""
    return entries.console_pages(Path(__file__).parent)(event, context)
