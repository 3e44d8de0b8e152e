"""The access rows of one integration as the sync writes and reads them."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b

from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.changes.rows import AccountComparison, GrantComparison, ResourceComparison, TrackedRows
from gitlab_hub.access.effective.stored_graph import StoredGraph
from gitlab_hub.access.grant_rows import grant_row, grants_to, rows_in_shards
from gitlab_hub.access.keys import (
    ACCOUNTS,
    ADMINISTRATORS,
    BY_ACCOUNT,
    COLLECTIONS,
    GRANTS,
    INVITATIONS,
    PATHS,
    READINGS,
    SHARED_OUT,
    USERNAMES,
    account_partition,
    grants_scope,
    name_index,
    name_prefix,
)
from gitlab_hub.access.model import Account, Grant, Invitation
from gitlab_hub.access.outside.store import OutsideStore
from gitlab_hub.access.readings import Readings
from gitlab_hub.access.shards import FormerRows, ShardReader, Shards
from gitlab_hub.access.sources.store import SourceStore
from gitlab_hub.access.transform import Nameless, in_order
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import Resource, ResourceType, partition
from gitlab_hub.inventory.store import InventoryStore, Known, known_among, rows_by_id
from gitlab_hub.storage.ports import Item, Key, Table
from gitlab_hub.storage.rows import item_of, query_all, value_of
from gitlab_hub.sync.fence import fence_partition
from gitlab_hub.sync.ports import Row, RowStore
from gitlab_hub.sync.table_rows import TableRows

MOST_ADMINISTRATORS = 10_000
"""That are noted; an item has a limit."""

ONLY_OF_SOME = frozenset({"told_by", "sources", "beneath"})


def partitions(integration_id: str) -> list[str]:
    """Name every partition that holds something of an integration."""
    whole = [partition(integration_id, collection) for collection in COLLECTIONS]
    shared = [pk for collection in SHARED_OUT for pk in Shards(integration_id, collection).every]
    return [*whole, *shared, fence_partition(integration_id)]


class AccessStore:
    """The access rows of one integration; what changes in them is told in its feed. All calls block."""

    def __init__(self, table: Table, integration_id: str, feed: ChangeFeed) -> None:
        self._table, self._integration_id, self.feed = table, integration_id, feed
        accounts = rows_by_id(table, partition(integration_id, ACCOUNTS))
        self.accounts = TrackedRows(accounts, feed, AccountComparison())
        self._shards = {collection: Shards(integration_id, collection) for collection in SHARED_OUT}
        self._former = {collection: FormerRows(table, shards) for collection, shards in self._shards.items()}
        self.grants = TrackedRows(self._rows_of(GRANTS), feed, GrantComparison(table, integration_id))
        self.invitations = self._rows_of(INVITATIONS)
        self.outside = OutsideStore(table, integration_id)
        self.sources = SourceStore(table, integration_id)
        self.readings = Readings(table, integration_id)
        self.graph = StoredGraph(table, integration_id)
        self.inventory = InventoryStore(
            table, integration_id, self._remove_contents, index=self._path_index, wrap=self._tracked_resources
        )

    def grant_row(self, grant: Grant) -> Row:
        """Make a grant what is stored of it, findable from both of its ends."""
        return grant_row(self._integration_id, grant)

    def invitation_row(self, invitation: Invitation) -> Row:
        """Make an invitation what is stored of it; GitLab tells no id, and has each address once in a resource."""
        return Row(blake2b(invitation.email.encode(), digest_size=8).hexdigest(), item_of(invitation))

    def invitation(self, scope: str, key: str) -> Invitation | None:
        """Read a stored invitation."""
        item = self._table.get(*self._shards[INVITATIONS].key(scope, key))
        return None if item is None else value_of(Invitation, item)

    def nameless_invitations(self, kind: ResourceType) -> dict[str, tuple[Nameless, ...]]:
        """What is stored of all invitations to groups, or to projects, without their addresses: by keys, in order."""
        prefix, found = grants_scope(kind, ""), dict[str, list[Nameless]]()
        shards = self._shards[INVITATIONS]
        for page in ShardReader(self._table).pages(shards, "access_level", "created_at", "ends_at"):
            for item in page:
                if item["sk"].startswith(prefix):
                    key = item["sk"].removeprefix(prefix).partition("#")[0]
                    level = item["access_level"]
                    found.setdefault(key, []).append(Nameless(level, item.get("created_at"), item.get("ends_at")))
        return {key: in_order(some) for key, some in found.items()}

    def note_administrators(self) -> None:
        """Note who of the stored accounts administers the GitLab, for questions that everybody's access is asked by."""
        pk = partition(self._integration_id, ACCOUNTS)
        rows = query_all(self._table, pk, attributes=("id", "is_admin"))
        found = [item["id"] for item in rows if item.get("is_admin")][:MOST_ADMINISTRATORS]
        key = (partition(self._integration_id, READINGS), ADMINISTRATORS)
        noted = self._table.get(*key)
        if noted is None or noted["ids"] != found:
            self._table.put({"pk": key[0], "sk": key[1], "schema_version": 1, "ids": found})

    def drop_administrators(self) -> None:
        """Note that the token is not shown who administers the GitLab."""
        key = (partition(self._integration_id, READINGS), ADMINISTRATORS)
        if self._table.get(*key) is not None:
            self._table.delete(*key)

    def granted_to(self, account_id: int) -> list[Grant]:
        """Read everything that was given to one account itself."""
        return grants_to(self._table, self._integration_id, account_id)

    def known_accounts(self, ids: Iterable[int]) -> Known[Account]:
        """Read those of these accounts that are stored."""
        return known_among(self._table, partition(self._integration_id, ACCOUNTS), Account, ids)

    def has_grants(self, account_id: int) -> bool:
        """Say whether anything stored was given to this account."""
        pk = account_partition(self._integration_id, account_id)
        return bool(self._table.query(pk, index=BY_ACCOUNT, limit=1).items)

    def account_row(self, account: Account, baseline_mark: Key | None = None) -> Row:
        """Make an account what is stored of it, findable by its username."""
        key = padded(account.id)
        index = name_index(self._integration_id, USERNAMES, account.username, key)
        item = item_of(account)
        # What only some accounts have is left out of the others' rows, which stay as earlier releases stored them.
        kept = {name: value for name, value in item.items() if value or name not in ONLY_OF_SOME}
        return Row(key, {**kept, **index}, baseline_mark)

    def ids_named(self, usernames: Iterable[str]) -> dict[str, int]:
        """Find stored accounts by their usernames, whatever the case; of several of one name the newest counts."""
        pk, found = f"{self._integration_id}#{USERNAMES}", dict[str, int]()
        for username in usernames:
            for item in query_all(self._table, pk, prefix=name_prefix(username), index=BY_ACCOUNT):
                found[username] = max(item["id"], found.get(username, 0))
        return found

    def move_former_rows(self) -> None:
        """Move what the release before has left, and nobody has come to read."""
        for former in self._former.values():
            former.move_all()

    def _rows_of(self, collection: str) -> TableRows:
        return rows_in_shards(self._table, self._shards[collection], self._former[collection])

    def _tracked_resources(self, kind: ResourceType, rows: TableRows) -> RowStore:
        comparison = ResourceComparison(self._table, self._integration_id, kind)
        return TrackedRows(rows, self.feed, comparison, along=self.graph.changed)

    def _path_index(self, kind: ResourceType, resource: Resource) -> Item:
        suffix = f"{kind}#{padded(resource.id)}"
        return name_index(self._integration_id, PATHS, resource.full_path, suffix)

    def _remove_contents(self, kind: ResourceType, key: str, at: datetime) -> None:
        scope = grants_scope(kind, key)
        for rows in (self.grants, self.invitations):
            rows.remove(scope, dict(rows.stored(scope)), at=at)
        if self.feed.first_reading(scope) is not None:
            self.feed.was_read(scope)
