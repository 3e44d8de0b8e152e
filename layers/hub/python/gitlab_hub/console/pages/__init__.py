"""The screens of the console, a file for each part of it."""

from collections.abc import Sequence

from gitlab_hub.console.pages import changes, home, people, plans, why
from gitlab_hub.console.screens import Screen


def screens() -> Sequence[Screen]:
    """All screens there are."""
    return [screen for part in (home, people, why, changes, plans) for screen in part.screens()]
