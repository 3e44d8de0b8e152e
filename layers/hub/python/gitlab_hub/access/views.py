"""What callers get to see of access: allow-lists, so that a new attribute of a row shows nowhere by itself."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from gitlab_hub.access.model import Account, AccountStatus, MemberRole
from gitlab_hub.access.sources.layers import list_at
from gitlab_hub.access.sources.store import ListState
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.inventory.model import Resource, Share


class EmailAnswer(BaseModel):
    """An address of an account and where GitLab has it."""

    value: str
    source: str
    primary: bool


class IdentityAnswer(BaseModel):
    """An account's name at an identity provider."""

    provider: str
    extern_uid: str


class TellerAnswer(BaseModel):
    """One of GitLab's lists that tells of an account beside `/users` and the members."""

    list: str
    group_id: int | None
    read_at: int | None
    current: bool

    @classmethod
    def of(cls, place: str, states: Mapping[str, ListState]) -> "TellerAnswer":
        """Show a list and how fresh it is."""
        name, group_id = list_at(place)
        state = states.get(place)
        return cls(
            list=name,
            group_id=group_id,
            read_at=None if state is None else state.read_at,
            current=state is not None and state.is_current,
        )


class AccountAnswer(BaseModel):
    """An account. Null is what the integration's token may not see; `last_activity_on` is a date."""

    id: int
    username: str
    name: str
    kind: AccountKind
    status: AccountStatus
    state: str | None
    emails: list[EmailAnswer]
    identities: list[IdentityAnswer]
    is_admin: bool | None
    is_auditor: bool | None
    external: bool | None
    two_factor_enabled: bool | None
    last_sign_in_at: int | None
    current_sign_in_at: int | None
    last_activity_on: str | None
    activity_source: str | None
    created_at: int | None
    web_url: str | None
    sources: dict[str, str]
    told_by: list[TellerAnswer]

    @classmethod
    def of(cls, account: Account, states: Mapping[str, ListState]) -> "AccountAnswer":
        """Show an account; `states`: how GitLab's lists of accounts were last read, by their places."""
        told_by = [TellerAnswer.of(place, states) for place in account.told_by]
        return cls.model_validate({**asdict(account), "told_by": told_by})


class MemberRoleAnswer(BaseModel):
    """A custom role on top of a level."""

    id: int
    name: str | None

    @classmethod
    def of(cls, role: MemberRole | None) -> "MemberRoleAnswer | None":
        """Show a custom role, if there is one."""
        return cls(**role) if role else None


class ShareAnswer(BaseModel):
    """A group invited into a group or project, and the most its members get by that."""

    group_id: int
    full_path: str
    access_level: int
    role: str
    member_role_id: int | None
    member_role: MemberRoleAnswer | None
    expires_at: int | None

    @classmethod
    def of(cls, share: Share, roles: Mapping[int, str]) -> "ShareAnswer":
        """Show a share; GitLab tells the id of its custom role only, `roles` has names by ids."""
        role_id = share["member_role_id"]
        return cls(
            group_id=share["group_id"],
            full_path=share["full_path"],
            access_level=share["access_level"],
            role=role_name(share["access_level"]),
            member_role_id=role_id,
            member_role=None if role_id is None else MemberRoleAnswer(id=role_id, name=roles.get(role_id)),
            expires_at=share["ends_at"],
        )


class GroupAnswer(BaseModel):
    """A group."""

    id: int
    full_path: str
    name: str
    parent_id: int | None
    visibility: str | None
    archived: bool
    web_url: str | None
    created_at: int | None
    shared_with: list[ShareAnswer]
    share_with_group_lock: bool | None
    membership_lock: bool | None
    marked_for_deletion_on: str | None

    @classmethod
    def of(cls, group: Resource, roles: Mapping[int, str]) -> "GroupAnswer":
        """Show a group."""
        return cls(**_shown(group, roles))


class ProjectAnswer(GroupAnswer):
    """A project; `parent_id` is its group, null in a personal namespace. GitLab has no locks of single projects."""

    default_branch: str | None
    owner_id: int | None

    @classmethod
    def of(cls, project: Resource, roles: Mapping[int, str]) -> "ProjectAnswer":
        """Show a project."""
        return cls(default_branch=project.default_branch, owner_id=project.owner_id, **_shown(project, roles))


class AccountEnvelope(BaseModel):
    """One account."""

    account: AccountAnswer


class AccountList(BaseModel):
    """A page of accounts."""

    accounts: list[AccountAnswer]
    next_cursor: str | None


class GroupEnvelope(BaseModel):
    """One group."""

    group: GroupAnswer


class ProjectEnvelope(BaseModel):
    """One project."""

    project: ProjectAnswer


class GroupList(BaseModel):
    """A page of groups."""

    groups: list[GroupAnswer]
    next_cursor: str | None


class ProjectList(BaseModel):
    """A page of projects."""

    projects: list[ProjectAnswer]
    next_cursor: str | None


def _shown(resource: Resource, roles: Mapping[int, str]) -> dict[str, Any]:
    shown = {name: getattr(resource, name) for name in GroupAnswer.model_fields}
    return {**shown, "shared_with": [ShareAnswer.of(share, roles) for share in resource.shared_with]}
