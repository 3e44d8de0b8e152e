"""All that is stored of an integration's access, in memory, for answers that would ask a thousand times."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from gitlab_hub.access.effective.graph import Graph, Node, Place
from gitlab_hub.access.effective.loading import GraphReader
from gitlab_hub.access.keys import GRANTS, OUTSIDE_GRANTS
from gitlab_hub.access.model import Grant
from gitlab_hub.access.shards import Shards
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_pages, value_of
from gitlab_hub.sync.scope_list import ScopeList

_Members = dict[Place, list[Grant]]


class WholeGraph(GraphReader):
    """Answers as the reader of the table does, from what it has read of one integration when it was made.

    `check` is called between requests; what it raises ends the reading.
    """

    def __init__(self, table: Table, scopes: ScopeList, integration_id: str, check: Callable[[], None]) -> None:
        super().__init__(table, scopes)
        self._graph = super().whole(integration_id)
        check()
        self._covered = _members(self._shards.pages(Shards(integration_id, GRANTS)), check)
        self._outside = _members(query_pages(table, partition(integration_id, OUTSIDE_GRANTS)), check)
        self._administering = list(super().administrators(integration_id, None))

    def node(self, _integration_id: str, place: Place) -> Node | None:
        """One group or project that the integration covers."""
        node = self._graph.nodes.get(place)
        return None if node is None or node.outside else node

    def around(self, _integration_id: str, _node: Node) -> Graph:
        """All groups and projects."""
        return self._graph

    def members(self, _integration_id: str, node: Node, after: int | None) -> Iterator[Grant]:
        """The direct members of a group or project behind an account's id, in order of ids."""
        grants = (self._outside if node.outside else self._covered).get(node.place, [])
        return (grant for grant in grants if grant.account_id > (after or 0))

    def administrators(self, _integration_id: str, after: int | None) -> Iterator[int]:
        """The ids of administrators behind an id, in order."""
        return (number for number in self._administering if number > (after or 0))


def _members(pages: Iterable[Sequence[Item]], check: Callable[[], None]) -> _Members:
    """Grants by where they are, and there by account."""
    found: _Members = {}
    for page in pages:
        check()
        for place, grants in groupby((value_of(Grant, item) for item in page), key=_place):
            found.setdefault(place, []).extend(grants)
    return {place: sorted(grants, key=lambda grant: grant.account_id) for place, grants in found.items()}


def _place(grant: Grant) -> Place:
    return Place(ResourceType(grant.resource_type), grant.resource_id)
