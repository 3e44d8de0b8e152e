"""The state of access that a snapshot holds, in memory, as effective access is computed from it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gitlab_hub.access.effective.graph import Graph, Node, Place
from gitlab_hub.access.effective.loading import unread_of
from gitlab_hub.access.history.lines import Reading
from gitlab_hub.access.keys import ACCOUNTS, GRANTS, OUTSIDE_GRANTS, OUTSIDE_GROUPS
from gitlab_hub.access.model import Account, Grant
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.ports import Item
from gitlab_hub.storage.rows import value_of

_Members = dict[Place, list[Grant]]


@dataclass(slots=True)
class State:
    """Accounts, groups, projects and direct grants of one moment; fulfils `effective.reader.MemberLists`."""

    graph: Graph
    administering: list[int]
    accounts: dict[int, Account] = field(default_factory=dict)
    _members: dict[str, _Members] = field(default_factory=lambda: {GRANTS: {}, OUTSIDE_GRANTS: {}})

    @classmethod
    def read(cls, parts: Iterable[bytes]) -> "State":
        """Read a snapshot. Raises StorageRefused where it is not whole."""
        reading = Reading(parts)
        nodes: dict[Place, Node] = {}
        unread = unread_of((stage, key) for stage, key in reading.about["unread"])
        administering = reading.about["administrators"]
        state = cls(Graph(nodes, unread, administering is not None), administering or [])
        for section, item in reading.rows():
            state._take(section, item, nodes)
        return state

    @property
    def covered(self) -> Iterator[Node]:
        """The groups, then the projects that the integration covers, each in order of ids."""
        return (node for _, node in sorted(self.graph.nodes.items()) if not node.outside)

    def is_below(self, node: Node, group_id: int) -> bool:
        """Whether something is this group, or lies in it at whatever depth."""
        top = node.place.id if node.place.type is ResourceType.GROUP else node.parent_id
        return any(group.place.id == group_id for group in self.graph.line(top))

    def members(self, _integration_id: str, node: Node, after: int | None) -> Iterator[Grant]:
        """The direct members of a group or project behind an account's id, in order of ids."""
        grants = self._members[OUTSIDE_GRANTS if node.outside else GRANTS].get(node.place, [])
        return (grant for grant in grants if grant.account_id > (after or 0))

    def administrators(self, _integration_id: str, after: int | None) -> Iterator[int]:
        """The ids of administrators behind an id, in order."""
        return (number for number in self.administering if number > (after or 0))

    def direct_grants(self) -> Iterator[Grant]:
        """All direct grants in groups and projects that the integration covers."""
        return (grant for grants in self._members[GRANTS].values() for grant in grants)

    def _take(self, section: str, item: Item, nodes: dict[Place, Node]) -> None:
        if section == ACCOUNTS:
            account = value_of(Account, item)
            self.accounts[account.id] = account
        elif section in self._members:
            grant = value_of(Grant, item)
            place = Place(ResourceType(grant.resource_type), grant.resource_id)
            self._members[section].setdefault(place, []).append(grant)
        else:
            is_outside = section == OUTSIDE_GROUPS
            kind = ResourceType.PROJECT if section == ResourceType.PROJECT.collection else ResourceType.GROUP
            node = Node.of(kind, {**item, "outside": is_outside})
            # A group that the integration covers by now is no longer outside, whatever the last run has left.
            if not is_outside or node.place not in nodes:
                nodes[node.place] = node
