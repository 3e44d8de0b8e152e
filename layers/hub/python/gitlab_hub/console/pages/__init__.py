"""The screens of the console, a file for each part of it."""

from collections.abc import Sequence

from gitlab_hub.console.pages import (
    builds,
    changes,
    connect,
    credentials,
    deliveries,
    figures,
    home,
    people,
    pipelines,
    plans,
    requests,
    reviews,
    why,
)
from gitlab_hub.console.screens import Screen

PARTS = (
    home,
    connect,
    people,
    why,
    changes,
    plans,
    requests,
    reviews,
    credentials,
    figures,
    pipelines,
    deliveries,
    builds,
)


def screens() -> Sequence[Screen]:
    """All screens there are."""
    return [screen for part in PARTS for screen in part.screens()]
