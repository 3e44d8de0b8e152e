"""What callers get to see of grants: as they were given, as they take effect, and why."""

from typing import Any

from pydantic import BaseModel

from gitlab_hub.access.effective.graph import Node, Place
from gitlab_hub.access.effective.paths import AccessPath, Edge, GrantKind
from gitlab_hub.access.effective.reader import EffectiveGrant
from gitlab_hub.access.effective.sentence import sentence
from gitlab_hub.access.model import Account, AccountStatus, Grant
from gitlab_hub.access.views import MemberRoleAnswer
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.inventory.model import ResourceType


class ResourceAnswer(BaseModel):
    """A group or project. The path is null while the resource itself has not been read."""

    type: ResourceType
    id: int
    full_path: str | None


class PlaceAnswer(ResourceAnswer):
    """A membership to take away, and its level."""

    level: int


class EdgeAnswer(PlaceAnswer):
    """A step of a way: a membership in a group or project, or a group `invited` into it (`cap` is the most that gives).

    `level` is what gets through.
    """

    cap: int | None = None
    expires_at: int | None = None
    invited: ResourceAnswer | None = None


class GrantAnswer(BaseModel):
    """What one account may do in one group or project, why, and which memberships to remove to end it."""

    account_id: int
    resource: ResourceAnswer
    access_level: int
    role: str
    member_role: MemberRoleAnswer | None
    expires_at: int | None
    overdue: bool
    since: int | None
    granted_by: int | None
    kind: GrantKind
    path: list[EdgeAnswer]
    revoke_at: list[PlaceAnswer]
    at_least: bool
    membership_state: str | None

    @classmethod
    def of_direct(cls, grant: Grant, full_path: str | None, *, now: float) -> "GrantAnswer":
        """Show a direct membership: its way is the resource itself, and there it is taken away."""
        resource = ResourceAnswer(type=grant.resource_type, id=grant.resource_id, full_path=full_path)
        place = {**resource.model_dump(), "level": grant.access_level}
        return cls(
            account_id=grant.account_id,
            resource=resource,
            access_level=grant.access_level,
            role=role_name(grant.access_level),
            member_role=MemberRoleAnswer.of(grant.member_role),
            expires_at=grant.ends_at,
            overdue=_is_over(grant.ends_at, now),
            since=grant.granted_at,
            granted_by=grant.granted_by,
            kind=GrantKind.DIRECT,
            path=[EdgeAnswer(expires_at=grant.ends_at, **place)],
            revoke_at=[PlaceAnswer(**place)],
            at_least=False,
            membership_state=grant.membership_state,
        )

    @classmethod
    def of_effective(cls, grant: EffectiveGrant, *, now: float) -> "GrantAnswer":
        """Show what an account has in all, by the way that gives the most. Its ways must not be none."""
        best = grant.access.paths[0]
        return cls(
            account_id=grant.account_id,
            resource=_resource(grant.node),
            access_level=best.level,
            role=role_name(best.level),
            member_role=MemberRoleAnswer.of(best.member_role),
            expires_at=best.ends_at,
            overdue=_is_over(best.ends_at, now),
            since=best.since,
            granted_by=best.granted_by,
            kind=best.kind,
            path=[_edge(edge, grant) for edge in best.edges],
            revoke_at=_revoke_at(grant),
            at_least=grant.at_least,
            membership_state=None,
        )


class GrantList(BaseModel):
    """A page of grants."""

    grants: list[GrantAnswer]
    next_cursor: str | None


class ExplainedAccount(BaseModel):
    """Whose access is explained. An account that is not active keeps its memberships and cannot use them."""

    id: int
    username: str
    name: str
    kind: AccountKind
    status: AccountStatus


class PathAnswer(BaseModel):
    """One way to the access, from the membership to the group or project, with what makes it end."""

    kind: GrantKind
    level: int
    role: str
    member_role: MemberRoleAnswer | None
    edges: list[EdgeAnswer]
    expires_at: int | None
    overdue: bool
    since: int | None
    granted_by: int | None

    @classmethod
    def of(cls, path: AccessPath, grant: EffectiveGrant, *, now: float) -> "PathAnswer":
        """Show one way."""
        return cls(
            kind=path.kind,
            level=path.level,
            role=role_name(path.level),
            member_role=MemberRoleAnswer.of(path.member_role),
            edges=[_edge(edge, grant) for edge in path.edges],
            expires_at=path.ends_at,
            overdue=_is_over(path.ends_at, now),
            since=path.since,
            granted_by=path.granted_by,
        )


class Explanation(BaseModel):
    """Why an account has what it has in a group or project: every way, the best first, and what would end it.

    `next_change_at` is the day (its first second) on which the level changes by itself. `at_least`: it may be more.
    """

    account: ExplainedAccount
    resource: ResourceAnswer
    access_level: int
    role: str
    at_least: bool
    next_change_at: int | None
    paths: list[PathAnswer]
    revoke_at: list[PlaceAnswer]
    sentence: str

    @classmethod
    def of(cls, account: Account, grant: EffectiveGrant, *, now: float) -> "Explanation":
        """Explain."""
        return cls(
            account=ExplainedAccount.model_validate(account, from_attributes=True),
            resource=_resource(grant.node),
            access_level=grant.access.level,
            role=role_name(grant.access.level),
            at_least=grant.at_least,
            next_change_at=grant.access.next_change_at(now),
            paths=[PathAnswer.of(path, grant, now=now) for path in grant.access.paths],
            revoke_at=_revoke_at(grant),
            sentence=sentence(account, grant, now=now),
        )


def _resource(node: Node) -> ResourceAnswer:
    return ResourceAnswer(type=node.place.type, id=node.place.id, full_path=node.full_path)


def _edge(edge: Edge, grant: EffectiveGrant) -> EdgeAnswer:
    invited = None if edge.invited is None else ResourceAnswer(**_named(edge.invited, grant))
    return EdgeAnswer(
        level=edge.level, cap=edge.cap, expires_at=edge.ends_at, invited=invited, **_named(edge.place, grant)
    )


def _named(place: Place, grant: EffectiveGrant) -> dict[str, Any]:
    node = grant.graph.nodes.get(place)
    return {"type": place.type, "id": place.id, "full_path": None if node is None else node.full_path}


def _revoke_at(grant: EffectiveGrant) -> list[PlaceAnswer]:
    return [PlaceAnswer(level=edge.level, **_named(edge.place, grant)) for edge in grant.access.revoke_at]


def _is_over(ends_at: int | None, now: float) -> bool:
    return ends_at is not None and ends_at <= now
