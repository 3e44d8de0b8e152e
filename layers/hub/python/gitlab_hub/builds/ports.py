"""What builds need of others."""

from collections.abc import Iterable
from typing import Protocol

from gitlab_hub.builds.model import Trigger


class Triggers(Protocol):
    """The triggers that are kept."""

    def get(self, trigger_id: str) -> Trigger | None:
        """One trigger, by its id."""


class Integrations(Protocol):
    """The integrations that there are."""

    def exists(self, integration_id: str) -> bool:
        """Say whether there is an integration of this id."""

    def ids(self) -> Iterable[str]:
        """The ids of all of them."""
