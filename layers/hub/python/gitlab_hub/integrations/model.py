"""What an integration and its credentials are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gitlab_hub.gitlab.account_kinds import AccountKind


class AuthMode(StrEnum):
    """How the hub proves itself to GitLab."""

    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - the name of a mode
    OAUTH_APP = "oauth_app"


class IntegrationStatus(StrEnum):
    """Whether an integration works. Stored as text: rows of a later release may name others."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ERROR = "error"
    PAUSED = "paused"


class CredentialStatus(StrEnum):
    """Whether GitLab takes a credential. `expiring` and `expired` follow from the clock and are never stored."""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REFRESH_FAILED = "refresh_failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLabUser:
    """The GitLab user that a token acts as."""

    id: int
    username: str
    kind: str
    is_admin: bool = False


NOBODY = GitLabUser(id=0, username="", kind=AccountKind.UNKNOWN)
"""In the place of the user of an integration that nobody has authorized yet. GitLab counts from 1."""


class CredentialKind(StrEnum):
    """How a credential came to be, and so how it is renewed."""

    ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a kind
    OAUTH = "oauth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What the hub may do beyond reading. Each needs the `api` scope, so none is on unless asked for."""

    manage_webhooks: bool = False
    report_statuses: bool = False
    provisioning: bool = False

    @property
    def write(self) -> bool:
        """Whether any of them changes something in GitLab."""
        return bool(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are on and that exist."""
        return tuple(name for name in ("manage_webhooks", "report_statuses", "provisioning") if getattr(self, name))

    def changed(self, chosen: Mapping[str, bool]) -> "Features":
        """These with what was chosen; what was not stays."""
        return replace(self, **chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One connected GitLab. Fields about the token are those of its primary credential."""

    id: str
    host_url: str
    auth_mode: str
    status: str
    paused: bool
    display_name: str
    gitlab_version: str | None
    group: str | None
    """Full path, when it was last seen, of the group it is limited to; None = everything the token reaches."""
    features: Features
    account: GitLabUser
    credential_status: str
    scopes: tuple[str, ...]
    token_expires_at: int | None
    secret_version: str
    """The version of the secret that holds the credentials; readers pin it."""
    identity: str
    """What no two integrations have in common: GitLab, user and group."""
    created_by: str
    created_at: int
    updated_at: int
    version: int = 1
    """Grows with every write; writers name the one they read."""
    client_id: str | None = None
    """Of the OAuth application; its secret is in the secret."""
    wanted_scopes: tuple[str, ...] = ()
    """What is asked for when somebody authorizes the application."""
    group_id: int | None = None
    """Which group that is, however it is called by now; None = it was not looked up yet, or there is none."""

    @property
    def group_key(self) -> int | str | None:
        """What GitLab is asked for its group by."""
        return self.group if self.group_id is None else self.group_id

    @property
    def identities(self) -> tuple[str, ...]:
        """Its identity, and the one that a release which knew groups by their paths would have given it."""
        if self.group_id is None:
            return (self.identity,)
        return (self.identity, identity_of(self.host_url, self.account.id, self.group))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One token of an integration, without the token."""

    id: str
    integration_id: str
    label: str
    account: GitLabUser
    status: str
    scopes: tuple[str, ...]
    token_expires_at: int | None
    expiration_date: int | None
    """When its owner said it would expire; GitLab's own word is `token_expires_at`."""
    api_base_url: str | None
    token_version: str
    """Changes with the token, and with nothing else."""
    created_at: int
    updated_at: int
    kind: str = CredentialKind.ACCESS_TOKEN
    generation: int = 0
    """How many tokens this one had before; a successor's version of the secret is named after it."""
    disabled_at: int | None = None
    deleted_at: int | None = None

    @property
    def live(self) -> bool:
        """Whether it is still there to be used."""
        return self.deleted_at is None and self.disabled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationWithCredentials:
    """An integration with its credentials, all read at the same version."""

    integration: Integration
    credentials: tuple[Credential, ...] = field(default=())

    def credential(self, credential_id: str) -> Credential | None:
        """The credential of that id that has not been deleted."""
        return next((one for one in self.credentials if one.id == credential_id and one.deleted_at is None), None)


def unauthorized_identity(integration_id: str) -> str:
    """The identity of an integration of which nobody knows yet what it will connect: its own."""
    return hashlib.sha256(f"unauthorized\n{integration_id}".encode()).hexdigest()


def identity_of(host_url: str, user_id: int, group: str | None, group_id: int | None = None) -> str:
    """Name what an integration connects, so that the same thing is not connected twice.

    A group is its id; by its path goes only one whose id nobody has looked up. No path has a `#`.
    """
    named = (group or "").lower() if group_id is None else f"#{group_id}"
    return hashlib.sha256(f"{host_url}\n{user_id}\n{named}".encode()).hexdigest()
