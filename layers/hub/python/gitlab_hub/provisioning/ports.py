"""What provisioning needs of others."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.listed import Listed


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

    def note_account(self, integration_id: str, account: int | str, *, state: str | None, audit_id: str) -> None:
        """An account, by its id or its new username, is about to be in a state, None for gone."""

    def drop_account(self, integration_id: str, account: int | str, *, state: str | None) -> None:
        """It did not become so."""

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


class Inventory(Protocol):
    """The tokens and keys that the hub has listed. All calls block."""

    def find(self, integration_id: str, kind: CredentialKind, number: int) -> Sequence[Listed]:
        """Those of a kind and an id: a deploy key once for each project."""

    def of_account(self, integration_id: str, account_id: int) -> Sequence[Listed]:
        """Those that act as an account."""

    def ended(self, integration_id: str, listed: Listed) -> None:
        """It opens nothing any more, so that nobody is told until the next sync that it does."""


class HubUsers(Protocol):
    """Whose tokens the hub uses."""

    def besides(self, connection: GitLabConnection) -> frozenset[int]:
        """The users of all other credentials of the hub for the same GitLab."""
