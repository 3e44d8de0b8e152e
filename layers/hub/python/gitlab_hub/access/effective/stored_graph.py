"""The graph of groups and projects in one piece: what a question about all of it reads instead of every row.

It lies among the readings, `graph` with what it is of, and the nodes in parts, packed. It is made at the end of a sync,
where a group or project has changed since the last one was made. Whoever changes one (a run, or a hint) puts a mark
there in the transaction that does so; what was made before a mark that has changed since is not used, and the rows are
read instead. So it is never older than they are.
"""

import json
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gitlab_hub.access.effective.graph import ATTRIBUTES, Node, Place
from gitlab_hub.access.keys import READINGS
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Key, Put, Table
from gitlab_hub.storage.rows import query_all

GRAPH, MARK = "graph", "graph_changed"
PART_BYTES = 300_000
"""Of the nodes in one item before they are packed: it fits however badly that goes."""


class StoredGraph:
    """The graph of one integration as it is stored. All calls block."""

    def __init__(
        self, table: Table, integration_id: str, new_mark: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self._table, self._integration_id, self._new_mark = table, integration_id, new_mark
        self._pk = partition(integration_id, READINGS)

    def changed(self) -> Put:
        """What belongs into every transaction that changes a group or project."""
        return Put({"pk": self._pk, "sk": MARK, "schema_version": 1, "mark": self._new_mark()})

    def make(self) -> None:
        """Store the graph as the rows say it is, where it is not stored already."""
        mark, head = self._heads()
        if mark is None:  # Rows of the release before have none, and where there are no rows there is nothing to store.
            if not any(any(self._lines(kind)) for kind in ResourceType):
                return
            put = self.changed()
            self._table.put(put.item)
            mark = put.item["mark"]
        if head is not None and head["mark"] == mark:
            return
        nodes = (line for kind in ResourceType for line in self._lines(kind))
        parts = [
            {"pk": self._pk, "sk": f"{GRAPH}#{number:04}", "schema_version": 1, "mark": mark, "nodes": packed}
            for number, packed in enumerate(pack(nodes))
        ]
        self._table.write(parts)
        self._table.put({"pk": self._pk, "sk": GRAPH, "schema_version": 1, "mark": mark, "parts": len(parts)})
        left = range(len(parts), 0 if head is None else head["parts"])
        self._table.write(deletes=[self._part(number) for number in left])

    def nodes(self) -> dict[Place, Node] | None:
        """Every group, then every project, in order of ids; None where the rows have to tell."""
        mark, head = self._heads()
        if head is None or head["mark"] != mark:
            return None
        parts = {item["sk"]: item for item in self._table.get_many([self._part(n) for n in range(head["parts"])])}
        # Another one may be stored just now, part by part.
        if len(parts) != head["parts"] or any(item["mark"] != mark for item in parts.values()):
            return None
        nodes = (node for sk in sorted(parts) for node in unpacked(bytes(parts[sk]["nodes"])))
        return {node.place: node for node in nodes}

    def _heads(self) -> tuple[str | None, Item | None]:
        found = {item["sk"]: item for item in self._table.get_many([(self._pk, MARK), (self._pk, GRAPH)])}
        return found.get(MARK, {}).get("mark"), found.get(GRAPH)

    def _lines(self, kind: ResourceType) -> Iterator[list[Any]]:
        pk = partition(self._integration_id, kind.collection)
        for item in query_all(self._table, pk, attributes=ATTRIBUTES):
            yield line_of(Node.of(kind, item))

    def _part(self, number: int) -> Key:
        return self._pk, f"{GRAPH}#{number:04}"


def line_of(node: Node) -> list[Any]:
    """A node as it is packed; `unpacked` reads it."""
    place, parent, lock = node.place, node.parent_id, node.share_lock
    what = [str(place.type), place.id, node.full_path, parent, list(node.shares), lock, node.owner_id]
    return [*what, node.visibility, node.outside]


def pack(lines: Iterable[list[Any]]) -> Iterator[bytes]:
    """Nodes as texts of JSON, so many in a part as fit into an item."""
    some: list[str] = []
    left = PART_BYTES
    for line in lines:
        text = json.dumps(line, separators=(",", ":"), default=int)
        if some and len(text) > left:
            yield _zipped(some)
            some, left = [], PART_BYTES
        some.append(text)
        left -= len(text) + 1
    if some:
        yield _zipped(some)


def unpacked(packed: bytes) -> Iterator[Node]:
    """The nodes of a part."""
    kinds = {str(kind): kind for kind in ResourceType}
    for kind, number, path, parent, shares, lock, owner, visibility, outside in json.loads(zlib.decompress(packed)):
        yield Node(
            place=Place(kinds[kind], number), full_path=path, parent_id=parent, shares=tuple(shares), share_lock=lock,
            owner_id=owner, visibility=visibility, outside=outside,
        )  # fmt: skip


def _zipped(some: list[str]) -> bytes:
    return zlib.compress(f"[{','.join(some)}]".encode())
