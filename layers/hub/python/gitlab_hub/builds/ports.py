"""What builds need of others; integrations and the audit log they need as triggers do."""

from typing import Protocol

from gitlab_hub.builds.model import Trigger
from gitlab_hub.builds.trigger_ports import Audit, Hooks, Integrations

__all__ = ["Audit", "Hooks", "Integrations", "Triggers"]


class Triggers(Protocol):
    """The triggers that are kept."""

    def get(self, trigger_id: str) -> Trigger | None:
        """One trigger, by its id."""
