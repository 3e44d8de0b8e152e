"""The access rows of one integration as the sync writes and reads them."""

from collections.abc import Iterable
from datetime import datetime

from gitlab_hub.access.grant_rows import grant_row, granted_rows
from gitlab_hub.access.keys import (
    ACCOUNTS,
    BY_ACCOUNT,
    COLLECTIONS,
    GRANTS,
    PATHS,
    USERNAMES,
    account_partition,
    grants_scope,
    name_index,
)
from gitlab_hub.access.model import Account, Grant
from gitlab_hub.access.outside.store import OutsideStore
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import Resource, ResourceType, partition
from gitlab_hub.inventory.store import InventoryStore, rows_by_id, stored_among
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import item_of, value_of
from gitlab_hub.sync.fence import fence_partition
from gitlab_hub.sync.ports import Row


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    return [*(partition(integration_id, collection) for collection in COLLECTIONS), fence_partition(integration_id)]


class AccessStore:
    """The access rows of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id
        self.accounts = rows_by_id(table, partition(integration_id, ACCOUNTS))
        self.grants = granted_rows(table, partition(integration_id, GRANTS))
        self.outside = OutsideStore(table, integration_id)
        self.inventory = InventoryStore(table, integration_id, self._remove_grants, index=self._path_index)

    def grant_row(self, grant: Grant) -> Row:
        """Make a grant what is stored of it, findable from both of its ends."""
        return grant_row(self._integration_id, grant)

    def known_accounts(self, ids: Iterable[int]) -> dict[int, Account]:
        """Read those of these accounts that are stored."""
        items = stored_among(self._table, partition(self._integration_id, ACCOUNTS), ids)
        return {item["id"]: value_of(Account, item) for item in items}

    def has_grants(self, account_id: int) -> bool:
        """Say whether anything stored was given to this account."""
        pk = account_partition(self._integration_id, account_id)
        return bool(self._table.query(pk, index=BY_ACCOUNT, limit=1).items)

    def account_row(self, account: Account) -> Row:
        """Make an account what is stored of it, findable by its username."""
        key = padded(account.id)
        index = name_index(self._integration_id, USERNAMES, account.username, key)
        return Row(key, {**item_of(account), **index})

    def _path_index(self, kind: ResourceType, resource: Resource) -> Item:
        suffix = f"{kind}#{padded(resource.id)}"
        return name_index(self._integration_id, PATHS, resource.full_path, suffix)

    def _remove_grants(self, kind: ResourceType, key: str, at: datetime) -> None:
        members = grants_scope(kind, key)
        self.grants.remove(members, dict(self.grants.stored(members)), at=at)
