"""The groups and projects that access flows through, as effective access needs them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitlab_hub.inventory.model import ResourceType, Share


class Place(NamedTuple):
    """One group or project, by its kind and GitLab's id."""

    type: ResourceType
    id: int


ATTRIBUTES = (
    "id",
    "full_path",
    "parent_id",
    "shared_with",
    "share_with_group_lock",
    "owner_id",
    "visibility",
    "outside",
)
"""What of a stored group or project a node is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A group or project: where it lies, and which groups were invited into it.

    `owner_id`: the user a project in a personal namespace belongs to. `share_lock`: the group's projects take no
    invited groups. `outside`: the integration does not cover it, and it is read because it gives access to what is.
    """

    place: Place
    full_path: str
    parent_id: int | None = None
    shares: tuple[Share, ...] = ()
    share_lock: bool = False
    owner_id: int | None = None
    visibility: str | None = None
    outside: bool = False

    @classmethod
    def of(cls, kind: ResourceType, item: Mapping[str, Any]) -> "Node":
        """Read a stored group or project; rows of earlier releases lack attributes."""
        return cls(
            place=Place(kind, item["id"]),
            full_path=item["full_path"],
            parent_id=item.get("parent_id"),
            shares=tuple(item.get("shared_with") or ()),
            share_lock=bool(item.get("share_with_group_lock")),
            owner_id=item.get("owner_id"),
            visibility=item.get("visibility"),
            outside=bool(item.get("outside")),
        )


@dataclass(frozen=True, slots=True)
class Graph:
    """Groups and projects by their ids: all of an integration's, or those that one question is about.

    `unread`: those whose members were not read completely, so that more people may have access than are known.
    `sees_everything`: an administrator's token has read them. To others GitLab shows an invited group only where they
    can see it anyway (`shared_with_group_links_visible_to_user` in app/models/group.rb), and nobody who administers.
    """

    nodes: Mapping[Place, Node]
    unread: frozenset[Place] = field(default_factory=frozenset)
    sees_everything: bool = True

    def group(self, group_id: int) -> Node | None:
        """A group; None where the hub has not read it."""
        return self.nodes.get(Place(ResourceType.GROUP, group_id))

    def line(self, group_id: int | None) -> Iterator[Node]:
        """A group and its ancestors, from the bottom to the top, as far as they were read."""
        met: set[int] = set()
        while group_id is not None and group_id not in met and (node := self.group(group_id)) is not None:
            met.add(group_id)  # Rows read at different times can contradict each other; a ring must not hang a reader.
            yield node
            group_id = node.parent_id

    def knows_all(self, place: Place) -> bool:
        """Whether a group or project was read with all of its direct members."""
        return place in self.nodes and place not in self.unread
