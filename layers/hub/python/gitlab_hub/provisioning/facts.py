"""What GitLab says, at the moment of deciding, about what an operation touches."""

from dataclasses import dataclass

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.granular import GRANULAR
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.states import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Who makes the change, the token's user, and when.

    `scopes` as the token was last seen; `today` is a day in UTC (ISO), `now` the moment in unix seconds. `other_users`:
    those whose tokens the hub uses besides, for the same GitLab; known where a token, a key or an account is to be
    ended. `group`: full path of the group that the integration is limited to, as it was last seen.
    """

    account_id: int
    is_admin: bool
    scopes: tuple[str, ...]
    today: str
    on_gitlab_com: bool = False
    now: int = 0
    other_users: frozenset[int] = frozenset()
    group: str | None = None

    @property
    def may_write(self) -> bool:
        """Whether the token's scopes allow changes; what a fine-grained one may, GitLab says."""
        return "api" in self.scopes or GRANULAR in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account. `is_admin` None = the token is not shown it, as GitLab shows it to administrators only.

    `addresses`: those that the token is shown, in lower case. `seen_on`: the day (ISO) of the last activity or sign-in.
    """

    id: int
    username: str
    name: str
    state: str
    kind: AccountKind
    is_admin: bool | None = None
    seen_on: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What people call it."""
        return self.name or f"@{self.username}"

    @property
    def counts_as_owner(self) -> bool:
        """Whether it can look after a group: GitLab counts blocked owners (Group#last_owner?), and they cannot."""
        return self.state == "active" and self.kind is AccountKind.HUMAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A direct membership with what GitLab tells beside it.

    `is_ldap`: LDAP made it and keeps it; `is_saml`: the account signs in here by SAML, which may keep it.
    """

    membership: Membership
    is_awaiting: bool = False
    is_ldap: bool = False
    is_saml: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A group or project.

    `owner_id`: whose personal namespace a project is in; `is_locked`: whether its group keeps members out of its
    projects, `locks_shares`: other groups; `keeps_inside`: whether a top-level group lets its tree be shared with none
    outside of it. `syncs_ldap`, `syncs_saml`: whether links to directory groups manage its members.
    """

    type: ResourceType
    id: int
    full_path: str
    parent_id: int | None = None
    owner_id: int | None = None
    is_locked: bool = False
    locks_shares: bool = False
    keeps_inside: bool = False
    syncs_ldap: bool = False
    syncs_saml: bool = False

    @property
    def is_top_level(self) -> bool:
        """Whether it is a group without a parent: the one that must never be without an owner."""
        return self.type is ResourceType.GROUP and self.parent_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """The highest membership in a group above, and which group that is."""

    level: int
    full_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a change of a membership is decided by.

    `owners`: others who can look after a top-level group, as far as it takes to know that there is one, and those whom
    earlier operations of the same plan make Owner. `own_level`: that of the token's user in this place. `has_access`:
    whether the account reaches the place in any way, as far as that was asked. `is_fresh`: whether the hub's own mirror
    is fit to decide by, and covers the place.
    """

    person: Person | None
    place: Place | None
    member: Member | None = None
    inherited: Inherited | None = None
    owners: frozenset[int] = frozenset()
    own_level: int = 0
    has_access: bool = False
    member_count: int = 0
    is_fresh: bool = True
