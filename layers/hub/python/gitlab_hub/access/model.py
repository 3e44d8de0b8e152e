"""What the hub knows about access: accounts, groups, projects and the grants between them.

Times are unix seconds. A date of GitLab's (`…_on`) stays the ISO date it is: a day has no second.
"""

from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypedDict, TypeVar

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.storage.ports import Item

T = TypeVar("T", bound="Account | Resource | Grant")

ROLES = {
    0: "No access",
    5: "Minimal Access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    25: "Security Manager",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
}


class AccountStatus(StrEnum):
    """Whether an account can be used; GitLab's own word for it is the account's `state`."""

    ACTIVE = "active"
    DISABLED = "disabled"
    PENDING = "pending"
    UNKNOWN = "unknown"


class ResourceType(StrEnum):
    """What access is given to."""

    GROUP = "group"
    PROJECT = "project"

    @property
    def collection(self) -> str:
        """The name of all of them, in GitLab's paths and in ours."""
        return f"{self}s"


class Email(TypedDict):
    """An address of an account and where it was read: account, public, or commit."""

    value: str
    source: str
    primary: bool


class Identity(TypedDict):
    """An account's name at an identity provider."""

    provider: str
    extern_uid: str


class Share(TypedDict):
    """A group that was invited into a group or project, with the most its members can get by that."""

    group_id: int
    full_path: str
    access_level: int
    ends_at: int | None
    member_role_id: int | None


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
    external: bool | None = None
    two_factor_enabled: bool | None = None
    last_sign_in_at: int | None = None
    current_sign_in_at: int | None = None
    last_activity_on: str | None = None
    activity_source: str | None = None
    created_at: int | None = None
    web_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A group or a project. A project's `parent_id` is its group, None in a personal namespace."""

    id: int
    full_path: str
    name: str
    parent_id: int | None = None
    visibility: str | None = None
    archived: bool = False
    web_url: str | None = None
    created_at: int | None = None
    default_branch: str | None = None
    shared_with: list[Share] = field(default_factory=list)


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


def role_name(level: int) -> str:
    """Name a level as GitLab does; levels of the future keep their number."""
    return ROLES.get(level, f"Level {level}")


def item_of(value: Account | Resource | Grant) -> Item:
    """Turn a value into the attributes that are stored."""
    return {name: str(content) if isinstance(content, StrEnum) else content for name, content in asdict(value).items()}


def value_of(kind: type[T], item: Item) -> T:
    """Turn stored attributes back into the value; attributes of other versions are left out."""
    known: dict[str, Any] = {part.name: item[part.name] for part in fields(kind) if part.name in item}
    return kind(**known)
