"""What triggers need of the rest of the hub."""

from collections.abc import Collection, Iterator
from typing import Protocol

from gitlab_hub.builds.triggers.model import Trigger


class Named(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str:
        """Its id."""


class Integrations(Protocol):
    """Knows which integrations there are."""

    def exists(self, integration_id: str) -> bool:
        """Say whether there is an integration of this id."""

    def after(self, position: str | None, *, among: frozenset[str] | None = None) -> Iterator[Named]:
        """All integrations behind an id, in order of their ids; `among`: those of these ids, and no others are read."""


class Hooks(Protocol):
    """Knows which webhooks there are."""

    def missing(
        self, integration_id: str, events: Collection[str], *, project_id: int | None, groups: Collection[int]
    ) -> Collection[str]:
        """Those of some events that no webhook brings: of a project, or of whatever lies in these groups."""


# What builds need of others; integrations and the audit log they need as triggers do.

__all__ = ["Hooks", "Integrations", "Triggers"]


class Triggers(Protocol):
    """The triggers that are kept."""

    def get(self, trigger_id: str) -> Trigger | None:
        """One trigger, by its id."""

    def require(self, trigger_id: str) -> Trigger:
        """One trigger, by its id. Raises NotFound."""
