"""The access rows of one integration as the sync writes and reads them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from gitlab_hub.access.keys import (
    ACCOUNTS,
    ALL,
    BY_ACCOUNT,
    COLLECTIONS,
    GRANTS,
    account_partition,
    grants_scope,
    partition,
)
from gitlab_hub.access.model import Account, Grant, Resource, ResourceType, item_of, value_of
from gitlab_hub.ids import padded
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all
from gitlab_hub.sync.fence import fence_partition
from gitlab_hub.sync.ports import Row
from gitlab_hub.sync.table_rows import TableRows, stretch

_PAGE = 500


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    return [*(partition(integration_id, collection) for collection in COLLECTIONS), fence_partition(integration_id)]


def account_row(account: Account) -> Row:
    """Make an account what is stored of it."""
    return Row(padded(account.id), item_of(account))


def resource_row(resource: Resource) -> Row:
    """Make a group or project what is stored of it."""
    return Row(padded(resource.id), item_of(resource))


class AccessStore:
    """The access rows of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id
        self.accounts = _numbered(table, partition(integration_id, ACCOUNTS))
        self.grants = _granted(table, partition(integration_id, GRANTS))
        self.resources = {
            kind: ResourceRows(_numbered(table, self._pk(kind)), self.grants, kind) for kind in ResourceType
        }

    def grant_row(self, grant: Grant) -> Row:
        """Make a grant what is stored of it, findable from both of its ends."""
        key = padded(grant.account_id)
        index = {
            f"{BY_ACCOUNT}_pk": account_partition(self._integration_id, grant.account_id),
            f"{BY_ACCOUNT}_sk": f"{grants_scope(grant.resource_type, padded(grant.resource_id))}#{key}",
        }
        return Row(key, {**item_of(grant), **index})

    def known_accounts(self, ids: Iterable[int]) -> dict[int, Account]:
        """Read those of these accounts that are stored."""
        items = self._among(partition(self._integration_id, ACCOUNTS), ids)
        return {item["id"]: value_of(Account, item) for item in items}

    def known_resources(self, kind: ResourceType, ids: Iterable[int]) -> dict[int, Resource]:
        """Read those of these resources that are stored."""
        return {item["id"]: value_of(Resource, item) for item in self._among(self._pk(kind), ids)}

    def paths_after(self, kind: ResourceType, after: str | None) -> list[tuple[str, str]]:
        """Read the next stored resources as (key, full path), none at the end."""
        rows = self._table.query(self._pk(kind), after=after, limit=_PAGE, attributes=("sk", "full_path"))
        return [(item["sk"], item["full_path"]) for item in rows.items]

    def is_empty(self) -> bool:
        """Say whether no group and no project is stored."""
        return not any(self._table.query(self._pk(kind), limit=1, attributes=("sk",)).items for kind in ResourceType)

    def has_root(self, kind: ResourceType) -> bool:
        """Say whether a group at the top, or a project in a personal namespace, is stored."""
        rows = query_all(self._table, self._pk(kind), attributes=("parent_id",))
        return any(item.get("parent_id") is None for item in rows)

    def count(self, kind: ResourceType) -> int:
        """Count the stored resources."""
        return sum(1 for _ in self.resources[kind].stored(ALL))

    def has_grants(self, account_id: int) -> bool:
        """Say whether anything stored was given to this account."""
        pk = account_partition(self._integration_id, account_id)
        return bool(self._table.query(pk, index=BY_ACCOUNT, limit=1).items)

    def _among(self, pk: str, ids: Iterable[int]) -> list[Item]:
        return stretch(self._table, sorted({(pk, padded(number)) for number in ids}))

    def _pk(self, kind: ResourceType) -> str:
        return partition(self._integration_id, kind.collection)


class ResourceRows:
    """Groups or projects, each with the grants in it: what vanishes takes them along.

    The members of a vanished resource cannot be listed any more, so no reading of theirs would ever show them missing.
    """

    def __init__(self, rows: TableRows, grants: TableRows, kind: ResourceType) -> None:
        self._rows, self._grants, self._kind = rows, grants, kind
        self.stored, self.stored_of, self.put = rows.stored, rows.stored_of, rows.put

    def remove(self, scope: str, stored: Mapping[str, str], *, at: datetime) -> None:
        """Remove the grants first: a crash in between leaves a resource that is removed again."""
        for key in stored:
            members = grants_scope(self._kind, key)
            self._grants.remove(members, dict(self._grants.stored(members)), at=at)
        self._rows.remove(scope, stored, at=at)


def _numbered(table: Table, pk: str) -> TableRows:
    return TableRows(table, key=lambda _, key: (pk, key), scope_range=lambda _: (pk, ""), row_key=lambda sk: sk)


def _granted(table: Table, pk: str) -> TableRows:
    return TableRows(
        table,
        key=lambda scope, key: (pk, f"{scope}#{key}"),
        scope_range=lambda scope: (pk, f"{scope}#"),
        row_key=lambda sk: sk.rpartition("#")[2],
    )
