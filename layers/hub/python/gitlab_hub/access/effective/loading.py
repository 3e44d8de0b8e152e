"""Reading what a question about effective access needs from the table: what lies around one resource, or everything."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gitlab_hub.access.effective.graph import ATTRIBUTES, Graph, Node, Place
from gitlab_hub.access.effective.paths import Memberships
from gitlab_hub.access.effective.stored_graph import StoredGraph
from gitlab_hub.access.keys import (
    ADMINISTRATORS,
    BY_ACCOUNT,
    GRANTS,
    OUTSIDE_GRANTS,
    OUTSIDE_GROUPS,
    READINGS,
    account_partition,
    grants_scope,
    members_stage,
)
from gitlab_hub.access.model import Grant
from gitlab_hub.access.shards import ShardReader, Shards
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all, value_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.scope_list import ScopeList

_PAGE = 200


class GraphReader:
    """The stored groups, projects and grants of integrations, as effective access needs them. All calls block."""

    def __init__(self, table: Table, scopes: ScopeList) -> None:
        self._table, self._scopes, self._shards = table, scopes, ShardReader(table)

    def node(self, integration_id: str, place: Place) -> Node | None:
        """Read one group or project."""
        item = self._table.get(partition(integration_id, place.type.collection), padded(place.id))
        return None if item is None else Node.of(place.type, item)

    def around(self, integration_id: str, node: Node) -> Graph:
        """Read the groups that access to one group or project comes through.

        These are the groups above it, the groups invited into any of these, and, for a project, the groups invited into
        it with all that is above and invited into those. One request per level of the hierarchy, however many groups.
        """
        nodes, asked = {node.place: node}, set[int]()
        lines, invited = _ends(node)
        while wanted := (lines | invited) - asked:
            asked |= wanted
            nodes |= {found.place: found for found in self._groups(integration_id, wanted)}
            lines, invited = _expanded(nodes, lines, invited)
        return Graph(nodes, self._unread(integration_id, list(nodes)), self._administrators(integration_id) is not None)

    def nodes_from(self, integration_id: str, start: Place | None, *, page: int | None = _PAGE) -> Iterator[Node]:
        """Every group, then every project, in order of ids, from one on; read page by page, as they are taken."""
        for kind in ResourceType:
            if start is None or kind >= start.type:
                after = padded(start.id - 1) if start is not None and kind is start.type and start.id else None
                pk = partition(integration_id, kind.collection)
                rows = query_all(self._table, pk, after=after, limit=page, attributes=ATTRIBUTES)
                yield from (Node.of(kind, item) for item in rows)

    def whole(self, integration_id: str) -> Graph:
        """Read every group and project of an integration."""
        return self._with_outside(
            integration_id, {node.place: node for node in self.nodes_from(integration_id, None, page=None)}
        )

    def stored_whole(self, integration_id: str) -> Graph:
        """All groups and projects of an integration in a few reads, where the sync has stored them so."""
        nodes = StoredGraph(self._table, integration_id).nodes()
        return self.whole(integration_id) if nodes is None else self._with_outside(integration_id, nodes)

    def _with_outside(self, integration_id: str, nodes: dict[Place, Node]) -> Graph:
        pk = partition(integration_id, OUTSIDE_GROUPS)
        rows = query_all(self._table, pk, attributes=ATTRIBUTES)
        outside = {node.place: node for node in (Node.of(ResourceType.GROUP, item) for item in rows)}
        beyond = {place: node for place, node in outside.items() if place not in nodes}
        unread = self._unread(integration_id, None)
        return Graph(nodes | beyond, unread, self._administrators(integration_id) is not None)

    def memberships(self, integration_id: str, account_id: int, nodes: Iterable[Node]) -> Memberships:
        """Read which of these groups and projects an account is a direct member of."""
        key, pk = padded(account_id), partition(integration_id, OUTSIDE_GRANTS)
        known = list(nodes)
        covered = [(_scope(node), key) for node in known if not node.outside]
        outside = [(pk, f"{_scope(node)}#{key}") for node in known if node.outside]
        return _stored(self._shards.get_many(Shards(integration_id, GRANTS), covered, outside))

    def all_memberships(self, integration_id: str, account_id: int, graph: Graph) -> Memberships:
        """Read everything an account is a direct member of, of what is in the graph."""
        items = query_all(self._table, account_partition(integration_id, account_id), index=BY_ACCOUNT)
        found = ((item, graph.nodes.get(Place(item["resource_type"], item["resource_id"]))) for item in items)
        outside, shards = partition(integration_id, OUTSIDE_GRANTS), Shards(integration_id, GRANTS)
        return _stored(
            item
            for item, node in found
            if node and (item["pk"] == outside if node.outside else shards.holds(item["pk"]))
        )

    def members(self, integration_id: str, node: Node, after: int | None) -> Iterator[Grant]:
        """The direct members of a group or project behind an account's id, in order of ids, read as they are taken."""
        scope = _scope(node)
        start = None if after is None else f"{scope}#{padded(after)}"
        if node.outside:
            pk = partition(integration_id, OUTSIDE_GRANTS)
            rows = query_all(self._table, pk, prefix=f"{scope}#", after=start, limit=_PAGE)
        else:
            rows = self._shards.of_scope(Shards(integration_id, GRANTS), scope, after=start, limit=_PAGE)
        return (value_of(Grant, item) for item in rows)

    def administrators(self, integration_id: str, after: int | None) -> Iterator[int]:
        """The ids of administrators behind an id, in order; none where the token is not shown who they are."""
        ids = self._administrators(integration_id) or ()
        return (number for number in ids if after is None or number > after)

    def _administrators(self, integration_id: str) -> list[int] | None:
        """The ids of administrators, None where the token is not shown who they are."""
        noted = self._table.get(partition(integration_id, READINGS), ADMINISTRATORS)
        return None if noted is None else noted["ids"]

    def _unread(self, integration_id: str, places: Sequence[Place] | None) -> frozenset[Place]:
        """Those of some places, or of all where None, whose members the sync could not read completely."""
        scopes = [
            (stage, padded(place.id)) for place in places or () for stage, kind in _STAGES.items() if kind is place.type
        ]
        return unread_of(self._scopes.incomplete(integration_id, Kind.ACCESS, None if places is None else scopes))

    def _groups(self, integration_id: str, ids: Iterable[int]) -> Iterator[Node]:
        keys = [
            (partition(integration_id, collection), padded(number))
            for number in sorted(ids)
            for collection in (OUTSIDE_GROUPS, ResourceType.GROUP.collection)
        ]
        items = self._table.get_many(keys, attributes=("pk", *ATTRIBUTES))
        # A group that the integration covers by now is no longer outside, whatever the last run has left.
        outside = partition(integration_id, OUTSIDE_GROUPS)
        return (Node.of(ResourceType.GROUP, item) for item in sorted(items, key=lambda item: item["pk"] != outside))


_STAGES = {members_stage(kind): kind for kind in ResourceType} | {OUTSIDE_GROUPS: ResourceType.GROUP}
"""The stages that read direct members, and of what."""


def unread_of(noted: Iterable[tuple[str, str]]) -> frozenset[Place]:
    """Whose members could not be read completely, by what was noted: (stage, key)."""
    return frozenset(Place(_STAGES[stage], int(key)) for stage, key in noted if stage in _STAGES and key.isdigit())


def _ends(node: Node) -> tuple[set[int], set[int]]:
    """Where to begin: groups whose ancestors count, too, and groups of which only the direct members count."""
    invited = _invited(node)
    return (_above(node), invited) if node.place.type is ResourceType.GROUP else (_above(node) | invited, set())


def _expanded(nodes: Mapping[Place, Node], lines: set[int], invited: set[int]) -> tuple[set[int], set[int]]:
    """Take in what the groups that were read name, until nothing is added: one may lie above another that was there."""
    while True:
        groups = [group for number in lines if (group := nodes.get(Place(ResourceType.GROUP, number))) is not None]
        wider = lines.union(*map(_above, groups)), invited.union(*map(_invited, groups))
        if wider == (lines, invited):
            return wider
        lines, invited = wider


def _above(node: Node) -> set[int]:
    return set() if node.parent_id is None else {node.parent_id}


def _invited(node: Node) -> set[int]:
    return {share["group_id"] for share in node.shares}


def _scope(node: Node) -> str:
    return grants_scope(node.place.type, padded(node.place.id))


def by_place(grants: Iterable[Grant]) -> Memberships:
    """Sort the direct memberships of one account by where they are."""
    return {Place(ResourceType(grant.resource_type), grant.resource_id): grant for grant in grants}


def _stored(items: Iterable[Item]) -> Memberships:
    return by_place(value_of(Grant, item) for item in items)
