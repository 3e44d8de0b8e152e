"""The screens of the console, a file for each part of it."""

from collections.abc import Sequence

from gitlab_hub.console.pages import (
    applications,
    builds,
    changes,
    connect,
    credentials,
    deliveries,
    exports,
    figures,
    home,
    hooks,
    people,
    pipelines,
    plans,
    replays,
    requests,
    reviews,
    settings,
    trigger_form,
    triggers,
    why,
)
from gitlab_hub.console.screens import Screen

PARTS = (
    home,
    connect,
    applications,
    people,
    why,
    changes,
    plans,
    requests,
    reviews,
    credentials,
    figures,
    pipelines,
    exports,
    deliveries,
    replays,
    builds,
    settings,
    hooks,
    triggers,
    trigger_form,
)


def screens() -> Sequence[Screen]:
    """All screens there are."""
    return [screen for part in PARTS for screen in part.screens()]
