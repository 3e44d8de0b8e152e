"""Questions about effective access: why an account has what it has, and who has what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import NamedTuple, Protocol

from gitlab_hub.access.effective.answer import IMPLIED, EffectiveAccess
from gitlab_hub.access.effective.graph import Graph, Node, Place
from gitlab_hub.access.effective.loading import GraphReader, by_place
from gitlab_hub.access.effective.paths import GrantKind, Memberships, is_at_least, known_places, paths
from gitlab_hub.access.effective.reach import reached
from gitlab_hub.access.model import Account, Grant
from gitlab_hub.access.pages import MAX_READ, Page
from gitlab_hub.access.wanted import WHENEVER, Ending
from gitlab_hub.gitlab.roles import OWNER

RESOURCES_READ = 50
"""Groups and projects looked into for one page of everybody's access to everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveGrant:
    """What an account has in a group or project. `at_least`: it may have more, by what the hub cannot read."""

    account_id: int
    node: Node
    graph: Graph
    access: EffectiveAccess
    at_least: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveFilter:
    """Which effective grants to list; None does not filter."""

    min_access_level: int | None = None
    kind: GrantKind | None = None
    ending: Ending = WHENEVER

    def keeps(self, access: EffectiveAccess) -> bool:
        """Say whether there is access, and of the kind that is asked for, judged by the way that gives the level."""
        if not access.paths:
            return False
        best = access.paths[0]
        return (
            best.level >= (self.min_access_level or 0)
            and self.kind in {None, best.kind}
            and self.ending.keeps(best.ends_at)
        )


class EffectiveReader:
    """Answers about effective access from stored rows. All calls block."""

    def __init__(self, graphs: GraphReader, *, now: Callable[[], float]) -> None:
        self._graphs, self.now = graphs, now

    def explain(self, integration_id: str, account: Account, place: Place) -> EffectiveGrant | None:
        """Find all ways of an account to a group or project; None where the hub knows no such group or project."""
        node = self._graphs.node(integration_id, place)
        if node is None:
            return None
        graph = self._graphs.around(integration_id, node)
        memberships = self._graphs.memberships(integration_id, account.id, known_places(graph, node))
        access = _access(graph, node, account.id, memberships, is_admin=account.is_admin is True)
        return _grant(graph, node, account.id, access, incomplete=is_at_least(graph, node))

    def of_resource(
        self, integration_id: str, place: Place, wanted: EffectiveFilter, *, after: int | None, limit: int
    ) -> Page[EffectiveGrant]:
        """List who has access to a group or project, in order of account ids; the lists of members are read along."""
        node = self._graphs.node(integration_id, place)
        if node is None:
            return Page([], None)
        return self._of_node(integration_id, node, wanted, after=after, limit=limit)

    def of_account(
        self, integration_id: str, account: Account, wanted: EffectiveFilter, *, after: Place | None, limit: int
    ) -> Page[EffectiveGrant]:
        """List what an account has access to: groups, then projects, in order of ids."""
        graph, is_admin = self._graphs.stored_whole(integration_id), account.is_admin is True
        memberships = self._graphs.all_memberships(integration_id, account.id, graph)
        found: list[EffectiveGrant] = []
        for place in graph.nodes if is_admin else reached(graph, memberships, account.id):
            node = graph.nodes.get(place)
            if node is None or node.outside or (after is not None and place <= after):
                continue
            access = _access(graph, node, account.id, memberships, is_admin=is_admin)
            if wanted.keeps(access):
                if len(found) == limit:
                    return Page(found, _position(found[-1].node.place))
                found.append(_grant(graph, node, account.id, access, incomplete=is_at_least(graph, node)))
        return Page(found, None)

    def of_everything(
        self, integration_id: str, wanted: EffectiveFilter, *, after: tuple[Place, int | None] | None, limit: int
    ) -> Page[EffectiveGrant]:
        """List everybody's access to everything: by group, then by project, each in order of account ids."""
        start, account_id = after or (None, None)
        found: list[EffectiveGrant] = []
        for read, node in enumerate(self._graphs.nodes_from(integration_id, start), 1):
            behind = account_id if node.place == start else None
            page = self._of_node(integration_id, node, wanted, after=behind, limit=limit - len(found))
            found += page.values
            if page.next is not None or len(found) == limit or read == RESOURCES_READ:
                return Page(found, _position(node.place, page.next or LAST))
        return Page(found, None)

    def _of_node(
        self, integration_id: str, node: Node, wanted: EffectiveFilter, *, after: int | None, limit: int
    ) -> Page[EffectiveGrant]:
        graph = self._graphs.around(integration_id, node)
        found: list[EffectiveGrant] = []
        come_to = after
        for read, grant in enumerate(grants_in(self._graphs, integration_id, graph, node, after)):
            if len(found) == limit or read == MAX_READ:
                return Page(found, str(come_to))
            come_to = grant.account_id
            if wanted.keeps(grant.access):
                found.append(grant)
        return Page(found, None)


# Everybody at one group or project.


class MemberLists(Protocol):
    """What knows direct members, and who administers."""

    def members(self, integration_id: str, node: Node, after: int | None) -> Iterator[Grant]:
        """The direct members of a group or project behind an account's id, in order of ids."""

    def administrators(self, integration_id: str, after: int | None) -> Iterator[int]:
        """The ids of administrators behind an id, in order."""


def grants_in(
    lists: MemberLists, integration_id: str, graph: Graph, node: Node, after: int | None = None
) -> Iterator[EffectiveGrant]:
    """What everybody who may have access to a group or project has there, in order of ids; some have nothing."""
    incomplete = is_at_least(graph, node)
    for account_id, memberships, is_admin in _people(lists, integration_id, graph, node, after):
        access = _access(graph, node, account_id, memberships, is_admin=is_admin)
        yield _grant(graph, node, account_id, access, incomplete=incomplete)


def _people(
    lists: MemberLists, integration_id: str, graph: Graph, node: Node, after: int | None
) -> Iterator[tuple[int, Memberships, bool]]:
    """Everybody who may have access here, in order of ids: (account, its memberships, whether an administrator)."""
    members = [lists.members(integration_id, place, after) for place in known_places(graph, node)]
    owner = [] if node.owner_id is None or node.owner_id <= (after or 0) else [_Sign(node.owner_id)]
    admins = (_Sign(number, is_admin=True) for number in lists.administrators(integration_id, after))
    signs = merge(*(_signs(grants) for grants in members), owner, admins, key=_account_of)
    for account_id, mine in groupby(signs, key=_account_of):
        known = list(mine)
        grants = [one.grant for one in known if one.grant is not None]
        yield account_id, by_place(grants), any(one.is_admin for one in known)


class _Sign(NamedTuple):
    """A reason to look at an account."""

    account_id: int
    grant: Grant | None = None
    is_admin: bool = False


def _signs(grants: Iterator[Grant]) -> Iterator[_Sign]:
    return (_Sign(grant.account_id, grant) for grant in grants)


def _account_of(sign: _Sign) -> int:
    return sign.account_id


def _access(graph: Graph, node: Node, account_id: int, memberships: Memberships, *, is_admin: bool) -> EffectiveAccess:
    ways = [*paths(graph, node, memberships, account_id), *([IMPLIED] if is_admin else [])]
    return EffectiveAccess(sorted(ways, key=lambda path: -path.level))


def _grant(graph: Graph, node: Node, account_id: int, access: EffectiveAccess, *, incomplete: bool) -> EffectiveGrant:
    at_least = incomplete and access.level < OWNER
    return EffectiveGrant(account_id=account_id, node=node, graph=graph, access=access, at_least=at_least)


# Where a page ends, as text.

LAST = "9" * 13
"""Behind every account of a group or project."""


def _position(place: Place, account_id: str = "") -> str:
    return f"{place.type}:{place.id}:{account_id}"
