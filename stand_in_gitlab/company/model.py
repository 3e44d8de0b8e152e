"""The company's things as GitLab's database would hold them."""

from dataclasses import dataclass, field
from typing import Literal

SourceKind = Literal["group", "project"]
TokenKind = Literal["personal", "group", "project", "service_account", "oauth"]

MINIMAL, GUEST, PLANNER, REPORTER, SECURITY, DEVELOPER, MAINTAINER, OWNER = 5, 10, 15, 20, 25, 30, 40, 50


@dataclass(slots=True, kw_only=True)
class User:
    """A person or a machine with an account."""

    id: int
    username: str
    name: str
    email: str
    created: float
    state: str = "active"
    is_admin: bool = False
    is_auditor: bool = False
    external: bool = False
    two_factor: bool = False
    bot: bool = False
    last_sign_in: float | None = None
    last_activity_on: str | None = None
    identities: tuple[tuple[str, str], ...] = ()
    public_email: str = ""
    service_account: bool = False
    provisioned_by: int | None = None
    """The top-level group that made it: a service account of its, or a person whom its provider sent."""
    enterprise_group: int | None = None
    """The top-level group whose enterprise user it is."""
    saml: tuple[tuple[int, str], ...] = ()
    """Its names at the SAML providers of groups."""
    scim: tuple[tuple[int, str, bool], ...] = ()
    """Its names at the SCIM providers of groups, and whether each is active."""


@dataclass(slots=True, kw_only=True)
class Share:
    """A group invited into another group or a project, at most at this level."""

    group_id: int
    level: int
    expires_at: str | None = None
    role_id: int | None = None
    """A custom role that it carries."""


@dataclass(slots=True, kw_only=True)
class Group:
    """A group, possibly inside another one."""

    id: int
    name: str
    path: str
    full_name: str
    full_path: str
    parent_id: int | None
    visibility: str
    created: float
    description: str = ""
    shares: list[Share] = field(default_factory=list)
    share_with_group_lock: bool = False
    """Projects of this group are not shared with groups; shares that there are stand still."""
    membership_lock: bool = False
    marked_for_deletion_on: str | None = None
    ldap_synced: bool = False
    """An LDAP group link fills it: nobody else adds or removes members."""
    saml_synced: bool = False
    """It has a SAML group link, which binds only while `lock_memberships_to_saml` is switched on."""
    sharing_only_within: bool = False
    """`prevent_sharing_groups_outside_hierarchy` of a top-level group."""
    fine_grained_only: bool = False
    """A top-level group takes no classic tokens of people."""
    plan: str = "free"
    """What a top-level group pays for: free, premium or ultimate."""
    has_saml: bool = False
    """People sign in to a top-level group by a provider of its own."""


@dataclass(slots=True, kw_only=True)
class Project:
    """A project of a group, or of a user's own namespace when `group_id` is None."""

    id: int
    name: str
    path: str
    full_name: str
    full_path: str
    group_id: int | None
    creator_id: int
    visibility: str
    created: float
    last_activity: float
    default_branch: str | None = "main"
    archived: bool = False
    forked_from: int | None = None
    builds_enabled: bool = True
    builds_members_only: bool = False
    """`builds_access_level: private`: CI/CD is there, for members of the project."""
    has_repository: bool = True
    """Without one there are no pipelines either, whoever asks."""
    public_jobs: bool = True
    environments_enabled: bool = True
    """`environments_access_level`: without it nobody reads environments and deployments."""
    topics: tuple[str, ...] = ()
    shares: list[Share] = field(default_factory=list)
    marked_for_deletion_on: str | None = None


@dataclass(frozen=True, slots=True)
class CustomRole:
    """A role of the company's own on top of a base level."""

    id: int
    name: str
    base_level: int


@dataclass(slots=True, kw_only=True)
class Membership:
    """A direct membership of one user in one group or project."""

    user_id: int
    level: int
    created: float
    created_by: int | None = None
    expires_at: str | None = None
    role: CustomRole | None = None
    awaiting: bool = False
    """Somebody has to approve it first (GitLab Premium, `membership_state: awaiting`)."""
    ldap: bool = False
    """LDAP made it, and sets its level at every synchronization."""
    override: bool = False
    """People may set the level of a membership that LDAP made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMember:
    """A membership somebody asked for that an administrator has to approve before there is one."""

    kind: SourceKind
    source_id: int
    user_id: int
    level: int
    asked_by: int
    expires_at: str | None = None


@dataclass(slots=True, kw_only=True)
class Invitation:
    """Someone asked by email who has not answered yet."""

    id: int
    email: str
    level: int
    created: float
    created_by: str
    created_by_id: int | None = None
    expires_at: str | None = None

    @property
    def token(self) -> str:
        """What the link in the email carries: whoever shows it joins."""
        return f"invite-token-standin-{self.id:08d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A part of what a fine-grained token may do: permissions, as "Project: Read", and what they are held on.

    `access` is one of user, instance, all_memberships, personal_projects and selected_memberships; the last one names a
    group, with all below it, or a project.
    """

    access: str
    permissions: tuple[str, ...]
    group_id: int | None = None
    project_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Token:
    """An access token and what it may do; one from OAuth ends at a moment, the others with a day."""

    id: int
    value: str = field(repr=False)
    name: str
    user_id: int
    scopes: tuple[str, ...]
    created: float
    kind: TokenKind = "personal"
    level: int | None = None
    expires_at: str | None = None
    revoked: bool = False
    family: int = 0
    ends: float | None = None
    refresh: str | None = field(default=None, repr=False)
    client_id: str | None = None
    impersonation: bool = False
    """An administrator made it to act as its user."""
    last_used: float | None = None
    grants: tuple[Grant, ...] | None = None
    """What a fine-grained token was granted; None = a classic one, which its scopes speak for."""
