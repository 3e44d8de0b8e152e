"""What the hub knows about access: accounts, and what they were granted in groups and projects.

Times are unix seconds. A date of GitLab's (`…_on`) stays the ISO date it is: a day has no second.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import ResourceType


class AccountStatus(StrEnum):
    """Whether an account can be used; GitLab's own word for it is the account's `state`."""

    ACTIVE = "active"
    DISABLED = "disabled"
    PENDING = "pending"
    UNKNOWN = "unknown"


_STATUSES = {
    "active": AccountStatus.ACTIVE,
    **dict.fromkeys(("blocked", "deactivated", "banned", "ldap_blocked"), AccountStatus.DISABLED),
    "blocked_pending_approval": AccountStatus.PENDING,
}


def status_of(state: str | None) -> AccountStatus:
    """Say whether an account can be used; a state nobody knows yet is not guessed at (app/models/user.rb)."""
    return _STATUSES.get(state or "", AccountStatus.UNKNOWN)


class Email(TypedDict):
    """An address of an account and where it was read.

    `account`: what it signs in with (GitLab's `email`), which is the primary one; `public`: what it shows on its
    profile (`public_email`); `commit`: what its commits on GitLab's pages carry (`commit_email`). Of lists that do not
    say which of these they show, the source is the list's name, as `billable_members`.
    """

    value: str
    source: str
    primary: bool


class Identity(TypedDict):
    """An account's name at an identity provider."""

    provider: str
    extern_uid: str


class MemberRole(TypedDict):
    """A custom role on top of a level."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Someone or something that can sign in to the GitLab. None = the token may not see it."""

    id: int
    username: str = ""
    name: str = ""
    kind: AccountKind = AccountKind.UNKNOWN
    status: AccountStatus = AccountStatus.UNKNOWN
    state: str | None = None
    emails: list[Email] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    is_admin: bool | None = None
    is_auditor: bool | None = None
    external: bool | None = None
    two_factor_enabled: bool | None = None
    last_sign_in_at: int | None = None
    current_sign_in_at: int | None = None
    last_activity_on: str | None = None
    activity_source: str | None = None
    created_at: int | None = None
    web_url: str | None = None
    told_by: list[str] = field(default_factory=list)
    """The lists beside `/users` and the members that tell of it (`place_of` in `sources/layers.py`)."""
    sources: dict[str, str] = field(default_factory=dict)
    """The fields that such a list has filled, each with its name."""
    beneath: dict[str, Any] = field(default_factory=dict)
    """What `/users` and the members alone tell, of the fields in which that is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A direct membership: what an account was given in one group or project itself.

    `ends_at` is the first moment without access. It is not called `expires_at`, because the table's time-to-live
    attribute is: GitLab decides when a membership is over, not our table.
    """

    account_id: int
    resource_type: ResourceType
    resource_id: int
    access_level: int
    member_role: MemberRole | None = None
    ends_at: int | None = None
    granted_at: int | None = None
    granted_by: int | None = None
    membership_state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Someone asked by email to join a group or project, who has not answered. There is no account yet.

    `created_by` is a name, as GitLab tells no id. `ends_at` is the first moment without the access that is offered.
    """

    email: str
    resource_type: ResourceType
    resource_id: int
    access_level: int
    ends_at: int | None = None
    created_at: int | None = None
    created_by: str | None = None
