"""What is asked of GraphQL, and how an answer becomes the rows that REST would have given. Pure.

Field names, arguments and types: docs.gitlab.com/api/graphql/reference (`Query.groups`, `Query.projects`,
`GroupMember`, `ProjectMember`, `UserCore`). Resources are batched by `groups(ids:)` and `projects(ids:)`, a hundred in
each part of a query. What a part costs is told by `field_complexity` in app/graphql/types/base_field.rb and by
base_resolver.rb in app/graphql/resolvers: one for each field, one for a resolver and one more if it sorts, twice that
for a page of 100.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.access.transform import Nameless, nameless_of
from gitlab_hub.gitlab import graphql_batches as batches
from gitlab_hub.gitlab.fields import mapping, number, part
from gitlab_hub.gitlab.graphql import PAGE, GraphQLQuery, GraphQLReply, number_of
from gitlab_hub.gitlab.graphql_batches import LEAST_LIMIT
from gitlab_hub.gitlab.roles import MINIMAL_ACCESS
from gitlab_hub.inventory.model import ResourceType

_ROLE = "memberRole { id name }"
_MEMBER = "accessLevel { integerValue } createdAt expiresAt createdBy { id }"
_ACCOUNT = "user { id username name state webUrl publicEmail }"
_WHO = "user { id }"
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_DIRECT = "relations: [DIRECT], first: $size, after: $after"
_TYPES = {ResourceType.GROUP: "Group", ResourceType.PROJECT: "Project"}
_MEMBERS = {ResourceType.GROUP: "groupMembers", ResourceType.PROJECT: "projectMembers"}

SCHEMA = GraphQLQuery(
    "SchemaForMembers",
    """
    queryComplexity { limit }
    query: __type(name: $query) { fields { name args { name } } }
    group: __type(name: $group) { fields { name args { name } } }
    groupMember: __type(name: $groupMember) { fields { name } }
    projectMember: __type(name: $projectMember) { fields { name } }
    """,
    "$query: String!, $group: String!, $groupMember: String!, $projectMember: String!",
)
SCHEMA_VALUES = {"query": "Query", "group": "Group", "groupMember": "GroupMember", "projectMember": "ProjectMember"}

_SHARED = f"sharedGroups(first: $size) {{ nodes {{ id }} {_PAGE_INFO} }}"
_PENDING = f"pendingMembers(first: $size) {{ nodes {{ approved }} {_PAGE_INFO} }}"
_MINIMAL = (
    "groupMembers(relations: [DIRECT], accessLevels: [MINIMAL_ACCESS], first: 1) "
    "{ nodes { accessLevel { integerValue } } }"
)
PENDING_BY_PATH = GraphQLQuery(
    "PendingMembers", f"group(fullPath: $path) {{ id {_PENDING} }}", "$path: ID!, $size: Int"
)


@dataclass(frozen=True, slots=True)
class Schema:
    """What this GitLab's GraphQL has of what is of use here: asked for, never told from a version."""

    kinds: frozenset[ResourceType] = frozenset()
    """Resources whose members can be asked for by the batch."""
    roles: bool = False
    """Whether memberships tell their custom roles."""
    pending: bool = False
    """Whether groups at the top tell who waits for approval (an Enterprise Edition since 16.6)."""
    shared: bool = False
    """Whether groups tell which groups they were invited into."""
    levels: bool = False
    """Whether the members of a group can be asked for by their level."""
    limit: int = LEAST_LIMIT
    """What a query of this token may cost."""

    @classmethod
    def of(cls, reply: GraphQLReply) -> "Schema":
        """Read what `SCHEMA` was answered with; what it does not say is not there."""
        if reply.errors:
            return cls()
        query, group = (
            {name: _names(one.get("args")) for name, one in _fields(reply.data.get(type_))}
            for type_ in ("query", "group")
        )
        of_groups, of_projects = (
            {name for name, _ in _fields(reply.data.get(type_))} for type_ in ("groupMember", "projectMember")
        )
        kinds = {
            kind
            for kind in ResourceType
            if "ids" in query.get(kind.collection, ()) and (kind is ResourceType.PROJECT or "groupMembers" in group)
        }
        return cls(
            kinds=frozenset(kinds),
            roles="memberRole" in of_groups & of_projects,
            pending="pendingMembers" in group,
            shared="sharedGroups" in group and ResourceType.GROUP in kinds,
            levels="accessLevels" in group.get("groupMembers", ()),
            limit=max(LEAST_LIMIT, number(part(reply.data, "queryComplexity").get("limit")) or 0),
        )


@dataclass(frozen=True, slots=True)
class MembersQuery:
    """How the direct members of groups, or of projects, are asked for.

    `roles`: with custom roles; `accounts`: with what else than its id is told of a member's account.
    """

    kind: ResourceType
    roles: bool = False
    accounts: bool = False

    def within(self, limit: int) -> int:
        """How many resources one query may ask for that may cost so much; at least one part is tried."""
        members = 2 * (len(re.findall(r"\w+", f"nodes {self._member} {_PAGE_INFO}")) + 1)
        return PAGE * max(1, limit // (2 * (members + 4)))

    def query(self, count: int) -> GraphQLQuery:
        """Ask for a page of the members of each of so many resources."""
        members = f"{_MEMBERS[self.kind]}({_DIRECT}) {{ nodes {{ {self._member} }} {_PAGE_INFO} }}"
        return parts_query(f"DirectMembersOf{type_of(self.kind)}s", self.kind, members, count, after=True)

    @property
    def _member(self) -> str:
        return " ".join([_MEMBER, _ACCOUNT if self.accounts else _WHO, *([_ROLE] if self.roles else [])])


def outline_query(count: int, *, shared: bool, pending: bool, minimal: bool = False) -> GraphQLQuery:
    """Ask so many groups where they were invited, who waits for approval in them, and for one with Minimal Access."""
    parts = ((_SHARED, shared), (_PENDING, pending), (_MINIMAL, minimal))
    wanted = " ".join(text for text, is_wanted in parts if is_wanted)
    return parts_query("OutlinesOfGroups", ResourceType.GROUP, wanted, count)


OUTLINES = 2 * PAGE
"""Groups whose outlines are asked for at once: a part costs 75 at most."""


def parts_query(name: str, kind: ResourceType, wanted: str, count: int, *, after: bool = False) -> GraphQLQuery:
    """A query about so many resources, in parts of a hundred: `values_of` gives its variables."""
    variables = ["$size: Int", *(["$after: String"] * after)]
    return batches.parts_query(name, kind.collection, wanted, count, variables=variables)


def values_of(kind: ResourceType, numbers: Sequence[int], **more: Any) -> dict[str, Any]:
    """The variables of such a query."""
    return batches.values_of(type_of(kind), numbers, size=PAGE, **more)


def nodes_of(reply: GraphQLReply, kind: ResourceType) -> dict[int, Mapping[str, Any]]:
    """The groups or projects of an answer's parts that no error lies on, by their ids."""
    return batches.nodes_of(reply, type_of(kind))


def type_of(kind: ResourceType) -> str:
    """Name the type that is in a resource's Global ID."""
    return _TYPES[kind]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """A page of one resource's direct members, as rows of `…/members`; `next` is where the list goes on."""

    rows: list[dict[str, Any]] = field(repr=False)
    next: str | None
    nameless: tuple[Nameless, ...] = ()
    """Members without an account: who was invited by email, and perhaps accounts that are not shown."""


def member_pages(reply: GraphQLReply, kind: ResourceType, state: str | None) -> dict[int, MemberPage]:
    """The pages that came whole, by the ids of their resources. What is not among them is for REST to tell.

    `state`: what REST says of every membership that does not wait for approval, as GraphQL says nothing of it.
    """
    pages = {number: _page(part(node, _MEMBERS[kind]), state) for number, node in nodes_of(reply, kind).items()}
    return {number: page for number, page in pages.items() if page is not None}


def invited_into(groups: Iterable[Mapping[str, Any]]) -> set[int] | None:
    """The groups that any of these groups was invited into; None where one does not tell it whole."""
    found: set[int] = set()
    for group in groups:
        shared = _all_nodes(part(group, "sharedGroups"))
        ids = [number_of(mapping(one).get("id"), "Group") for one in shared or ()]
        if shared is None or None in ids:
            return None
        found |= {one for one in ids if one is not None}
    return found


def shows_minimal_access(groups: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any of these groups shows a member with Minimal Access, so that this release does not hide them."""
    nodes = (part(group, "groupMembers").get("nodes") for group in groups)
    shown = (mapping(one) for some in nodes if isinstance(some, list) for one in some)
    return any(part(one, "accessLevel").get("integerValue") == MINIMAL_ACCESS for one in shown)


def nobody_waits(group: Any) -> bool:
    """Whether a group at the top tells that no membership in it or below it waits for approval.

    `pendingMembers` is null to all but its Owners and administrators, and lists invitations by email too
    (`PendingGroupMembersResolver` in GitLab's ee/app/graphql).
    """
    waiting = _all_nodes(mapping(mapping(group).get("pendingMembers")))
    return waiting is not None and all(mapping(one).get("approved") is True for one in waiting)


def _page(connection: Mapping[str, Any], state: str | None) -> MemberPage | None:
    nodes, info = connection.get("nodes"), mapping(connection.get("pageInfo"))
    more, end = info.get("hasNextPage"), info.get("endCursor")
    if not isinstance(nodes, list) or not isinstance(more, bool) or (more and not (isinstance(end, str) and end)):
        return None
    # Whoever was invited by email has no user, and is in no list of REST's (`connected_to_user` there).
    without = [isinstance(node, Mapping) and node.get("user", 0) is None for node in nodes]
    rows = [_member_row(mapping(node), state) for node, has_none in zip(nodes, without, strict=True) if not has_none]
    nameless = [_nameless(node) for node, has_none in zip(nodes, without, strict=True) if has_none]
    whole, told = [row for row in rows if row is not None], [one for one in nameless if one is not None]
    if len(whole) < len(rows) or len(told) < len(nameless):
        return None
    return MemberPage(whole, str(end) if more else None, tuple(told))


def _nameless(node: Mapping[str, Any]) -> Nameless | None:
    level = number(mapping(node.get("accessLevel")).get("integerValue"))
    if level is None or not {"createdAt", "expiresAt"} <= node.keys():
        return None
    return nameless_of(level, node["createdAt"], node["expiresAt"])


def _member_row(node: Mapping[str, Any], state: str | None) -> dict[str, Any] | None:
    """A membership as REST tells it (lib/api/entities/member.rb), of what the hub keeps; None where it is not whole."""
    user, creator, role = (node.get(name) for name in ("user", "createdBy", "memberRole"))
    user_id, level = (
        number_of(mapping(user).get("id"), "User"),
        number(mapping(node.get("accessLevel")).get("integerValue")),
    )
    created_by = number_of(mapping(creator).get("id"), "User")
    role_id = number_of(mapping(role).get("id"), "MemberRole")
    is_whole = {"createdAt", "expiresAt", "createdBy"} <= node.keys()
    if not is_whole or user_id is None or level is None:
        return None
    if (creator is not None and created_by is None) or (role is not None and role_id is None):
        return None
    return {
        "id": user_id,
        **{name: mapping(user)[ours] for ours, name in _TOLD.items() if ours in mapping(user)},
        "access_level": level,
        "created_at": node["createdAt"],
        "expires_at": node["expiresAt"],
        **({} if created_by is None else {"created_by": {"id": created_by}}),
        **({} if state is None else {"membership_state": state}),
        **({} if role is None else {"member_role": {"id": role_id, "name": mapping(role).get("name")}}),
    }


_TOLD = {
    "username": "username",
    "name": "name",
    "state": "state",
    "webUrl": "web_url",
    "publicEmail": "public_email",
}
"""What GraphQL tells of a member's account, and what REST calls it."""


def _all_nodes(connection: Mapping[str, Any]) -> list[Any] | None:
    """The nodes of a connection that is over with its first page; None where it is not, or not whole."""
    nodes = connection.get("nodes")
    is_all = mapping(connection.get("pageInfo")).get("hasNextPage") is False
    return nodes if isinstance(nodes, list) and is_all else None


def _fields(value: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    found = mapping(value).get("fields")
    return [(str(mapping(one).get("name")), mapping(one)) for one in found] if isinstance(found, list) else []


def _names(value: Any) -> frozenset[str]:
    return frozenset(str(mapping(one).get("name")) for one in value) if isinstance(value, list) else frozenset()
