"""Rows of a dataset whose changes are told: each write goes into one transaction with what there is to tell of it.

What is stored is read before only where a row changes and the feed has begun; rows that stay as they are cost nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gitlab_hub.access.changes.differences import (
    APART,
    account_changes,
    grant_changes,
    is_apart,
    only_became_known,
    resource_changes,
)
from gitlab_hub.access.changes.feed import ChangeFeed, Step
from gitlab_hub.access.changes.model import ADDITIONS, Change, ChangeKind
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Put, Table
from gitlab_hub.sync.ports import Row
from gitlab_hub.sync.table_rows import TableRows


@dataclass(frozen=True, slots=True)
class Pair:
    """What is stored of one row, and what is about to be; None where there is nothing."""

    before: Item | None
    after: Item | None


@dataclass(frozen=True, slots=True)
class Compared:
    """The changes between the two, and attributes to store beside the row's own."""

    changes: Sequence[Change]
    marks: Mapping[str, bool] = field(default_factory=dict)


class Comparison(Protocol):
    """Finds the changes in the rows of one dataset."""

    def compare(self, scope: str, pairs: Sequence[Pair]) -> list[Compared]:
        """The changes of each pair, in their order; may read."""


class TrackedRows:
    """Fulfils `RowStore` over the rows of a table. All calls block."""

    def __init__(
        self, rows: TableRows, feed: ChangeFeed, comparison: Comparison, *, along: Callable[[], Put] | None = None
    ) -> None:
        """`along` gives a write that every transaction makes as well."""
        self._rows, self._feed, self._comparison, self._along = rows, feed, comparison, along
        self.stored, self.stored_of, self.look_ahead = rows.stored, rows.stored_of, rows.look_ahead

    def put(self, scope: str, rows: Sequence[Row], hashes: Mapping[str, str], stored: Mapping[str, str]) -> None:
        """Write rows and tell what changes by that, where what is stored is as it was. Raises Overtaken."""
        if not self._feed.checks:
            writes = (self._rows.put_of(scope, row, hashes[row.key], stored.get(row.key)) for row in rows)
            self._rows.change(writes, along=self._along)
            return
        # What lies in a group comes behind it: a path is not told where that of its group was told before.
        rows = sorted(rows, key=lambda row: str(row.item.get("full_path", "")).count("/"))
        told = self._told(scope, rows, stored)
        self._feed.write(
            (
                Step(
                    self._rows.put_of(scope, row, hashes[row.key], stored.get(row.key), **one.marks),
                    one.changes if row.baseline_mark is None else [each for each in one.changes if is_news(each)],
                    row.baseline_mark,
                )
                for row, one in zip(rows, told, strict=True)
            ),
            along=self._along,
        )

    def remove(self, scope: str, stored: Mapping[str, str], *, at: datetime) -> None:  # noqa: ARG002 - rows simply go
        """Remove rows and tell it, where they are as they were. Raises Overtaken."""
        if not self._feed.checks:
            gone = (self._rows.delete_of(scope, key, digest) for key, digest in stored.items())
            self._rows.change(gone, along=self._along)
            return
        told = self._told_of_removed(scope, stored)
        self._feed.write(
            (
                Step(self._rows.delete_of(scope, key, digest), one.changes)
                for (key, digest), one in zip(stored.items(), told, strict=True)
            ),
            along=self._along,
        )

    def _told(self, scope: str, rows: Sequence[Row], stored: Mapping[str, str]) -> list[Compared]:
        if not self._feed.has_begun:
            return [Compared([])] * len(rows)
        known = {row.key: stored[row.key] for row in rows if row.key in stored}
        before = self._rows.items_of(scope, known)
        return self._comparison.compare(scope, [Pair(before.get(row.key), row.item) for row in rows])

    def _told_of_removed(self, scope: str, stored: Mapping[str, str]) -> list[Compared]:
        if not self._feed.has_begun:
            return [Compared([])] * len(stored)
        before = self._rows.items_of(scope, stored)
        return self._comparison.compare(scope, [Pair(before[key], None) for key in stored])


def is_news(change: Change) -> bool:
    """Whether a change that the first reading of a list shows has happened, and did not only come into sight."""
    if change.kind is ChangeKind.ACCOUNT_CHANGED:
        return not only_became_known(change)
    return change.kind not in ADDITIONS


class AccountComparison:
    """Compares accounts."""

    def compare(self, scope: str, pairs: Sequence[Pair]) -> list[Compared]:  # noqa: ARG002 - there is only one
        """Compare."""
        return [Compared(account_changes(pair.before, pair.after)) for pair in pairs]


class GrantComparison:
    """Compares grants, with the path that their group or project has."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id

    def compare(self, scope: str, pairs: Sequence[Pair]) -> list[Compared]:
        """Compare; the path is read only where there is something to tell."""
        if not any(grant_changes(pair.before, pair.after) for pair in pairs):
            return [Compared([])] * len(pairs)
        kind, _, key = scope.partition("#")
        item = self._table.get(partition(self._integration_id, ResourceType(kind).collection), key)
        path = None if item is None else str(item["full_path"])
        return [Compared(grant_changes(pair.before, pair.after, path)) for pair in pairs]


class ResourceComparison:
    """Compares groups or projects, and the groups invited into them."""

    def __init__(self, table: Table, integration_id: str, kind: ResourceType) -> None:
        self._table, self._kind = table, kind
        self._groups = partition(integration_id, ResourceType.GROUP.collection)

    def compare(self, scope: str, pairs: Sequence[Pair]) -> list[Compared]:  # noqa: ARG002 - there is only one
        """Compare; the paths of their groups are read where another path is to be explained by them."""
        parents = self._paths(set(self._asked(pairs)))
        if self._kind is ResourceType.GROUP:
            parents |= {pair.after["id"]: pair.after["full_path"] for pair in pairs if pair.after is not None}
        return [self._told(pair, parents) for pair in pairs]

    def _told(self, pair: Pair, parents: Mapping[int, str]) -> Compared:
        parent = (pair.after or {}).get("parent_id")
        changes = resource_changes(self._kind, pair.before, pair.after, None if parent is None else parents.get(parent))
        return Compared(changes, {APART: True} if is_apart(pair.before, changes) else {})

    def _asked(self, pairs: Sequence[Pair]) -> Iterator[int]:
        for pair in pairs:
            before, after = (pair.before or {}).get("full_path"), pair.after or {}
            if after.get("parent_id") is not None and before != after["full_path"]:
                yield after["parent_id"]

    def _paths(self, groups: set[int]) -> dict[int, str]:
        keys = [(self._groups, padded(number)) for number in sorted(groups)]
        found = self._table.get_many(keys, attributes=("id", "full_path")) if keys else []
        return {item["id"]: item["full_path"] for item in found}
