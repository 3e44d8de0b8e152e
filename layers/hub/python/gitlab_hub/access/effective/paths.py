"""Every way in which an account has access to a group or project: GitLab's own rule, written once. Pure.

GitLab computes access to projects in lib/gitlab/project_authorizations.rb, and to groups in `members_with_parents` of
app/models/group.rb. The level is the highest of all ways:

- a direct membership in the group or project, or in a group above it;
- a group that is invited into a group: its *direct* members, at most at the level of the invitation, reach that group
  and everything below it;
- a group that is invited into a project: everybody with access to that group, at most at the level of the invitation,
  unless the project's group does not allow it (`share_with_group_lock`);
- a project in a personal namespace belongs to the namespace's user.

A membership that waits for approval (`awaiting`) does not count. Minimal Access (5) is access to the one group it was
given in: it is not inherited, and no invitation carries it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gitlab_hub.access.effective.graph import Graph, Node, Place
from gitlab_hub.access.model import Grant, MemberRole
from gitlab_hub.gitlab.roles import MINIMAL_ACCESS, OWNER
from gitlab_hub.inventory.model import ResourceType, Share


class GrantKind(StrEnum):
    """How an account comes by its access; where two ways give the same level, the earlier kind is shown."""

    DIRECT = "direct"
    OWNER = "owner"
    INHERITED = "inherited"
    SHARED = "shared"
    IMPLIED = "implied"


@dataclass(frozen=True, slots=True)
class Edge:
    """What GitLab can take away: a membership in a group or project, or (with `cap`) a group `invited` into it.

    `level` is what gets through it; `ends_at` (unix seconds) the first moment of the day on which GitLab removes it.
    """

    place: Place
    level: int
    cap: int | None = None
    ends_at: int | None = None
    invited: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPath:
    """One way: from the membership to the group or project in question, edge by edge."""

    kind: GrantKind
    level: int
    edges: tuple[Edge, ...] = ()
    member_role: MemberRole | None = None
    since: int | None = None
    granted_by: int | None = None

    @property
    def ends_at(self) -> int | None:
        """When its first edge ends."""
        return min((edge.ends_at for edge in self.edges if edge.ends_at is not None), default=None)


Memberships = Mapping[Place, Grant]
"""The direct memberships of one account."""


def is_active(grant: Grant) -> bool:
    """Whether a membership gives access: it does not while it awaits approval (`membership_state`, GitLab Premium)."""
    return grant.membership_state in {None, "active"} and grant.access_level > 0


def paths(graph: Graph, node: Node, memberships: Memberships, account_id: int) -> list[AccessPath]:
    """All ways of an account to a group or project, the best first.

    `memberships`: at least those in the group or project, in the groups above it, and in those that `places` names.
    """
    if node.place.type is ResourceType.GROUP:
        found = list(_to_group(graph, node.place.id, memberships))
    else:
        found = list(_to_project(graph, node, memberships, account_id))
    order = list(GrantKind)
    return sorted(found, key=lambda path: (-path.level, order.index(path.kind), len(path.edges)))


def places(graph: Graph, node: Node) -> list[Place]:
    """Where a membership can give access to this group or project; groups that were not read are among them."""
    own = [] if node.place.type is ResourceType.GROUP else [node.place]
    groups = [*_group_places(graph, _home(node))]
    for share in _project_shares(graph, node):
        groups += _group_places(graph, share["group_id"])
    return list(dict.fromkeys([*own, *groups]))


def known_places(graph: Graph, node: Node) -> list[Node]:
    """Those of them that were read."""
    return [graph.nodes[place] for place in places(graph, node) if place in graph.nodes]


def is_at_least(graph: Graph, node: Node) -> bool:
    """Whether there may be more access: the token is not shown everything, or a list that counts was not read."""
    return not graph.sees_everything or not all(graph.knows_all(place) for place in places(graph, node))


def _home(node: Node) -> int | None:
    return node.place.id if node.place.type is ResourceType.GROUP else node.parent_id


def _group_places(graph: Graph, group_id: int | None) -> Iterator[Place]:
    top = group_id
    for node in graph.line(group_id):
        yield node.place
        yield from (Place(ResourceType.GROUP, share["group_id"]) for share in _carrying(node.shares))
        top = node.parent_id
    if top is not None:
        yield Place(ResourceType.GROUP, top)


def _project_shares(graph: Graph, node: Node) -> Sequence[Share]:
    """The groups that are invited into a project with effect (`p_ns.share_with_group_lock IS FALSE`)."""
    if node.place.type is ResourceType.GROUP:
        return ()
    parent = None if node.parent_id is None else graph.group(node.parent_id)
    return () if parent is not None and parent.share_lock else _carrying(node.shares)


def _carrying(shares: Sequence[Share]) -> Sequence[Share]:
    """Invitations that carry access: GitLab passes over those of Minimal Access."""
    return [share for share in shares if share["access_level"] > MINIMAL_ACCESS]


def _to_group(graph: Graph, group_id: int, memberships: Memberships) -> Iterator[AccessPath]:
    own = memberships.get(Place(ResourceType.GROUP, group_id))
    if own is not None and is_active(own) and own.access_level <= MINIMAL_ACCESS:
        yield _membership(own, GrantKind.DIRECT)
    yield from _through_groups(graph, group_id, memberships)


def _through_groups(graph: Graph, group_id: int | None, memberships: Memberships) -> Iterator[AccessPath]:
    """Ways to a group that go on to what is below it, and through an invitation of this group into a project."""
    for node in graph.line(group_id):
        if (grant := _of_use(memberships, node.place)) is not None:
            yield _membership(grant, GrantKind.DIRECT if node.place.id == group_id else GrantKind.INHERITED)
        for share in _carrying(node.shares):
            if (invited := _of_use(memberships, Place(ResourceType.GROUP, share["group_id"]))) is not None:
                path = _through(_membership(invited, GrantKind.SHARED), node.place, share)
                yield replace(path, member_role=_role_through(invited, share))


def _to_project(graph: Graph, node: Node, memberships: Memberships, account_id: int) -> Iterator[AccessPath]:
    if node.owner_id == account_id:
        yield AccessPath(kind=GrantKind.OWNER, level=OWNER)
    if (grant := memberships.get(node.place)) is not None and is_active(grant):
        yield _membership(grant, GrantKind.DIRECT)
    for path in _through_groups(graph, node.parent_id, memberships):
        kind = GrantKind.INHERITED if path.kind is GrantKind.DIRECT else path.kind
        yield replace(path, kind=kind)
    for share in _project_shares(graph, node):
        for path in _through_groups(graph, share["group_id"], memberships):
            yield replace(_through(path, node.place, share), member_role=None)


def _of_use(memberships: Memberships, place: Place) -> Grant | None:
    """A membership that reaches further than the group it is in."""
    grant = memberships.get(place)
    return grant if grant is not None and is_active(grant) and grant.access_level > MINIMAL_ACCESS else None


def _membership(grant: Grant, kind: GrantKind) -> AccessPath:
    place = Place(ResourceType(grant.resource_type), grant.resource_id)
    return AccessPath(
        kind=kind,
        level=grant.access_level,
        edges=(Edge(place, grant.access_level, ends_at=grant.ends_at),),
        member_role=grant.member_role,
        since=grant.granted_at,
        granted_by=grant.granted_by,
    )


def _through(path: AccessPath, place: Place, share: Share) -> AccessPath:
    level = min(path.level, share["access_level"])
    invited = Place(ResourceType.GROUP, share["group_id"])
    edge = Edge(place, level, cap=share["access_level"], ends_at=share["ends_at"], invited=invited)
    return replace(path, kind=GrantKind.SHARED, level=level, edges=(*path.edges, edge))


def _role_through(grant: Grant, share: Share) -> MemberRole | None:
    """The custom role behind a group's invitation into a group: that of whichever side sets the level.

    Where both levels are equal, the member's own counts, and only if the invitation carries a role as well
    (ee/app/models/concerns/authz/member_role_in_shared_group.rb).
    """
    own, carried = grant.member_role, share.get("member_role_id")
    if grant.access_level < share["access_level"]:
        return own
    if grant.access_level > share["access_level"]:
        return None if carried is None else MemberRole(id=carried, name=None)
    return own if carried is not None else None
