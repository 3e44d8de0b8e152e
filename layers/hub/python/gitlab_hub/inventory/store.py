"""The groups and projects of one integration, as the sync writes and reads them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ALL, Resource, ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import item_of, query_all, value_of
from gitlab_hub.sync.ports import Row, RowStore
from gitlab_hub.sync.table_rows import HASH, TableRows, stretch

T = TypeVar("T")

_PAGE = 800

BeforeRemoval = Callable[[ResourceType, str, datetime], None]
"""Told of a group or project (kind, key, time) before its row is removed."""

Index = Callable[[ResourceType, Resource], Item]
"""Gives the attributes of an index that a group or project is to be found by."""

Wrap = Callable[[ResourceType, TableRows], RowStore]
"""Gives the rows of a kind as whoever tells of their changes writes them."""


def rows_by_id(table: Table, pk: str) -> TableRows:
    """Rows of a partition that holds one row per id."""
    return TableRows(table, key=lambda _, key: (pk, key), scope_range=lambda _: (pk, ""), row_key=lambda sk: sk)


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """What is stored of some ids, and the content hashes of these rows by their keys.

    Whoever merges what GitLab tells with it writes only where the rows are still those: a rival's news is not undone.
    """

    values: dict[int, T]
    hashes: dict[str, str]


def known_among(table: Table, pk: str, kind: type[T], ids: Iterable[int]) -> Known[T]:
    """Read what is stored of some ids in such a partition."""
    items = stretch(table, sorted({(pk, padded(number)) for number in ids}))
    values = {item["id"]: value_of(kind, item) for item in items}
    return Known(values, {item["sk"]: item[HASH] for item in items if HASH in item})


@dataclass(frozen=True, slots=True)
class Outline:
    """What of a stored group or project only its own page may change."""

    has_shares: bool
    tells_lock: bool
    """Whether its lock of memberships is known."""


class InventoryStore:
    """The stored groups and projects of one integration. All calls block."""

    def __init__(
        self,
        table: Table,
        integration_id: str,
        before_removal: BeforeRemoval,
        *,
        index: Index = lambda _kind, _resource: {},
        wrap: Wrap = lambda _kind, rows: rows,
    ) -> None:
        self._table, self._integration_id, self._index = table, integration_id, index
        self.resources = {
            kind: ResourceRows(wrap(kind, rows_by_id(table, self._pk(kind))), kind, before_removal)
            for kind in ResourceType
        }

    def row(self, kind: ResourceType, resource: Resource) -> Row:
        """Make a group or project what is stored of it."""
        return Row(padded(resource.id), {**item_of(resource), **self._index(kind, resource)})

    def known(self, kind: ResourceType, ids: Iterable[int]) -> Known[Resource]:
        """Read those of these groups or projects that are stored."""
        return known_among(self._table, self._pk(kind), Resource, ids)

    def paths_after(self, kind: ResourceType, after: str | None) -> list[tuple[str, str]]:
        """Read the next stored groups or projects as (key, full path), none at the end."""
        rows = self._table.query(self._pk(kind), after=after, limit=_PAGE, attributes=("sk", "full_path"))
        return [(item["sk"], item["full_path"]) for item in rows.items]

    def all_paths(self, kind: ResourceType) -> list[tuple[str, str]]:
        """Read all stored groups or projects as (key, full path), in order."""
        rows = query_all(self._table, self._pk(kind), attributes=("sk", "full_path"))
        return [(item["sk"], item["full_path"]) for item in rows]

    def outlines(self, kind: ResourceType) -> dict[int, Outline]:
        """Read the outlines of all stored groups or projects, by their ids."""
        rows = query_all(self._table, self._pk(kind), attributes=("sk", "shared_with", "membership_lock"))
        told = ((int(row["sk"]), row.get("shared_with"), row.get("membership_lock")) for row in rows)
        return {number: Outline(bool(shares), lock is not None) for number, shares, lock in told}

    def is_empty(self) -> bool:
        """Say whether no group and no project is stored."""
        return not any(self._table.query(self._pk(kind), limit=1, attributes=("sk",)).items for kind in ResourceType)

    def has_root(self, kind: ResourceType) -> bool:
        """Say whether a group at the top, or a project in a personal namespace, is stored."""
        rows = query_all(self._table, self._pk(kind), attributes=("parent_id",))
        return any(item.get("parent_id") is None for item in rows)

    def count(self, kind: ResourceType) -> int:
        """Count the stored groups or projects."""
        return sum(1 for _ in self.resources[kind].stored(ALL))

    def _pk(self, kind: ResourceType) -> str:
        return partition(self._integration_id, kind.collection)


class ResourceRows:
    """Groups or projects as rows of a mirror; whoever keeps something of one is told before it is removed.

    What lies in a vanished group or project cannot be listed any more, so no reading of it would ever show it missing.
    """

    def __init__(self, rows: RowStore, kind: ResourceType, before_removal: BeforeRemoval) -> None:
        self._rows, self._kind, self._before_removal = rows, kind, before_removal
        self.stored, self.stored_of, self.put = self._rows.stored, self._rows.stored_of, self._rows.put

    def remove(self, scope: str, stored: Mapping[str, str], *, at: datetime) -> None:
        """Remove rows, what depends on them first: a crash in between leaves a row that is removed again."""
        for key in stored:
            self._before_removal(self._kind, key, at)
        self._rows.remove(scope, stored, at=at)
