"""The groups outside of an integration that give access inside it, with their direct members.

They lie apart from the groups and grants that the integration covers: no list shows them, and they are read anew with
every run, so nothing of them has to be confirmed before it goes.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from gitlab_hub.access.grant_rows import grant_row, rows_by_resource
from gitlab_hub.access.keys import OUTSIDE_GRANTS, OUTSIDE_GROUPS, grants_scope
from gitlab_hub.access.model import Grant
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ALL, Resource, ResourceType, Share, partition
from gitlab_hub.inventory.store import rows_by_id
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import content_hash, item_of, query_all
from gitlab_hub.sync.ports import Row, RowStore


class NamedGroup(NamedTuple):
    """A group that another group or a project names. `counts_above`: what is above it gives access there, too.

    So it does for a group above, and for one that is invited into a project; of one that is invited into a group only
    the direct members count (lib/gitlab/project_authorizations.rb).
    """

    id: int
    counts_above: bool
    full_path: str | None = None


def named_by(kind: ResourceType, parent_id: int | None, shares: Iterable[Share]) -> list[NamedGroup]:
    """The groups that a group or project names."""
    above = [] if parent_id is None else [NamedGroup(parent_id, counts_above=True)]
    is_project = kind is ResourceType.PROJECT
    return [*above, *(NamedGroup(share["group_id"], is_project, share["full_path"] or None) for share in shares)]


class OutsideStore:
    """The rows of one integration. All calls block, and a write raises Overtaken where somebody else wrote."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id
        self._groups = rows_by_id(table, partition(integration_id, OUTSIDE_GROUPS))
        self._grants = rows_by_resource(table, partition(integration_id, OUTSIDE_GRANTS))

    def covered_and_named(self) -> tuple[set[int], list[NamedGroup]]:
        """Read the ids of the covered groups, and every group that covered groups and projects name."""
        covered, named = set[int](), list[NamedGroup]()
        for kind in ResourceType:
            pk = partition(self._integration_id, kind.collection)
            for item in query_all(self._table, pk, attributes=("id", "parent_id", "shared_with")):
                covered |= {item["id"]} if kind is ResourceType.GROUP else set()
                named += named_by(kind, item.get("parent_id"), item.get("shared_with") or ())
        return covered, named

    def put(self, group: Resource, members: Sequence[Grant], *, is_whole: bool, at: datetime) -> None:
        """Store a group and its direct members; where these are all, in place of those stored before."""
        scope = grants_scope(ResourceType.GROUP, padded(group.id))
        stored, rows = dict(self._grants.stored(scope)), [grant_row(self._integration_id, grant) for grant in members]
        _put(self._grants, scope, rows, stored)
        if is_whole:
            left = {row.key for row in rows}
            self._grants.remove(scope, {key: digest for key, digest in stored.items() if key not in left}, at=at)
        row = Row(padded(group.id), {**item_of(group), "outside": True})
        stored = self._groups.stored_of(ALL, [row.key])
        _put(self._groups, ALL, [row], stored)

    def keep(self, ids: set[int], *, at: datetime) -> None:
        """Delete all groups but these, each after its members."""
        for key, digest in list(self._groups.stored(ALL)):
            if int(key) not in ids:
                scope = grants_scope(ResourceType.GROUP, key)
                self._grants.remove(scope, dict(self._grants.stored(scope)), at=at)
                self._groups.remove(ALL, {key: digest}, at=at)


def _put(rows: RowStore, scope: str, new: Sequence[Row], stored: dict[str, str]) -> None:
    hashes = {row.key: content_hash(row.item) for row in new}
    rows.put(scope, [row for row in new if stored.get(row.key) != hashes[row.key]], hashes, stored)
