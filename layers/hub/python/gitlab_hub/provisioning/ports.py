"""What provisioning needs of others."""

from collections.abc import Collection, Mapping
from typing import Protocol

from gitlab_hub.inventory.model import ResourceType


class OwnChanges(Protocol):
    """Where the change feed looks whether the hub itself has changed something."""

    def note(
        self,
        integration_id: str,
        kind: ResourceType,
        number: int,
        holder: int,
        *,
        is_group: bool = False,
        level: int | None,
        audit_id: str,
    ) -> None:
        """An account, or an invited group, is about to have a level in a group or project, None for nothing."""

    def drop(
        self, integration_id: str, kind: ResourceType, number: int, holder: int, *, is_group: bool = False
    ) -> None:
        """Nothing was changed."""


class Refresh(Protocol):
    """Has the mirror read again what has changed."""

    def group(self, integration_id: str, group_id: int) -> None:
        """A group or its members have changed."""

    def project(self, integration_id: str, project_id: int) -> None:
        """A project or its members have changed."""


class Addresses(Protocol):
    """Whose an address is, as far as any list of accounts has told the hub."""

    def holders(self, integration_id: str, addresses: Collection[str]) -> Mapping[str, str]:
        """The usernames of the accounts that some addresses (in lower case) belong to; without the unknown ones."""
