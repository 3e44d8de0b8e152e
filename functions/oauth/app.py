"""Lets people authorize an OAuth application in their browser."""

from typing import Any

from gitlab_hub import bootstrap


def handler(event: dict[str, Any], context: Any) -> Any:
    """Hand the event to the entry that bootstrap builds once per process."""
    return bootstrap.oauth_api()(event, context)
