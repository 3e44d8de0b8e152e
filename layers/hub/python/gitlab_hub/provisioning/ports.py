"""What provisioning needs of others."""

from typing import Protocol


class Refresh(Protocol):
    """Has the mirror read again what has changed."""

    def group(self, integration_id: str, group_id: int) -> None:
        """A group or its members have changed."""

    def project(self, integration_id: str, project_id: int) -> None:
        """A project or its members have changed."""
