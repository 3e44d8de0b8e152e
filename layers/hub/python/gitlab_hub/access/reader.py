"""Reading access rows back: filtered, in pages, and never more than a bounded number of rows per request."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.keys import (
    ACCOUNTS,
    BY_ACCOUNT,
    GRANTS,
    INVITATIONS,
    PATHS,
    USERNAMES,
    account_partition,
    grants_scope,
    name_prefix,
)
from gitlab_hub.access.model import Account, Grant, Invitation
from gitlab_hub.access.pages import Page, scan
from gitlab_hub.access.readings import InvitationReading, Readings, invitation_reading, invitations_read_at
from gitlab_hub.access.shards import ShardReader, Shards
from gitlab_hub.access.sources.store import ListState, role_names, states
from gitlab_hub.access.wanted import AccountFilter, GrantFilter, contains
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import Resource, ResourceType, partition
from gitlab_hub.storage.ports import Item, Rows, Table
from gitlab_hub.storage.rows import query_all, value_of
from gitlab_hub.sync.scope_list import ScopeList

T = TypeVar("T")

MOST_ASKED = 200
"""Accounts whose grants are looked for in one request; the next page goes on with the others."""


class AccessReader:
    """The stored access rows of every integration, as queries need them."""

    def __init__(self, table: Table, *, now: Callable[[], float]) -> None:
        self._table, self.now, self._shards = table, now, ShardReader(table)

    def account(self, integration_id: str, account_id: int) -> Account | None:
        """Read one account."""
        item = self._table.get(partition(integration_id, ACCOUNTS), padded(account_id))
        return None if item is None else value_of(Account, item)

    def accounts_of(self, integration_id: str, ids: Iterable[int], wanted: AccountFilter) -> Page[Account]:
        """Read the accounts of these ids that are asked for, in order; what there is not is left out."""
        items = self._table.get_many([(partition(integration_id, ACCOUNTS), padded(one)) for one in set(ids)])
        accounts = (value_of(Account, item) for item in sorted(items, key=lambda item: str(item["sk"])))
        return Page([one for one in accounts if self._fits(integration_id, one, wanted)], None)

    def _fits(self, integration_id: str, account: Account, wanted: AccountFilter) -> bool:
        if not wanted.keeps(account, now=self.now()):
            return False
        return wanted.without_grants is None or (
            self._has_grants(integration_id, account.id) is not wanted.without_grants
        )

    def account_named(self, integration_id: str, username: str) -> Account | None:
        """Find the account of a username, whatever its case. Of several (one was renamed), the newest counts."""
        accounts = [value_of(Account, item) for item in self._named(integration_id, USERNAMES, username)]
        return max(accounts, key=lambda account: account.id, default=None)

    def place_at(self, integration_id: str, path: str) -> Place | None:
        """Find the group or project at a full path, whatever its case."""
        found = [str(item[f"{BY_ACCOUNT}_sk"]).split("#") for item in self._named(integration_id, PATHS, path)]
        return max((Place(ResourceType(kind), int(key)) for _, kind, key in found), default=None)

    def accounts(self, integration_id: str, wanted: AccountFilter, *, after: str | None, limit: int) -> Page[Account]:
        """List accounts in order of their ids.

        At most `MAX_READ` rows are read for a page. Where grants decide, one small query (half a read unit) more for
        each account that fits otherwise, at most `MOST_ASKED` of them: such a page may be shorter than `limit`.
        """
        if wanted.without_grants is None:
            return self._accounts(integration_id, wanted, after=after, limit=limit)
        candidates = self._accounts(integration_id, wanted, after=after, limit=MOST_ASKED)
        found: list[Account] = []
        for number, account in enumerate(candidates.values, 1):
            if self._has_grants(integration_id, account.id) is not wanted.without_grants:
                found.append(account)
            if len(found) == limit:
                is_last = number == len(candidates.values)
                return Page(found, candidates.next if is_last else padded(account.id))
        return Page(found, candidates.next)

    def _accounts(self, integration_id: str, wanted: AccountFilter, *, after: str | None, limit: int) -> Page[Account]:
        now = self.now()

        def read(item: Item) -> Account | None:
            account = value_of(Account, item)
            return account if wanted.keeps(account, now=now) else None

        return self._scan_partition(partition(integration_id, ACCOUNTS), read, after=after, limit=limit)

    def _has_grants(self, integration_id: str, account_id: int) -> bool:
        # The index has memberships outside of what the integration covers, too.
        covered, pk = Shards(integration_id, GRANTS), account_partition(integration_id, account_id)
        rows = query_all(self._table, pk, index=BY_ACCOUNT, limit=1, attributes=("pk",))
        return any(covered.holds(item["pk"]) for item in rows)

    def resource(self, integration_id: str, kind: ResourceType, number: int) -> Resource | None:
        """Read one group or project."""
        item = self._table.get(partition(integration_id, kind.collection), padded(number))
        return None if item is None else value_of(Resource, item)

    def resources(
        self, integration_id: str, kind: ResourceType, *, q: str | None, after: str | None, limit: int
    ) -> Page[Resource]:
        """List groups or projects in order of their ids."""

        def read(item: Item) -> Resource | None:
            resource = value_of(Resource, item)
            return resource if contains(q, (resource.full_path, resource.name)) else None

        return self._scan_partition(partition(integration_id, kind.collection), read, after=after, limit=limit)

    def resources_of(
        self, integration_id: str, kind: ResourceType, ids: Iterable[int], *, q: str | None = None
    ) -> list[Resource]:
        """Read the groups or projects of these ids, in order; what there is not is left out."""
        items = self._table.get_many([(partition(integration_id, kind.collection), padded(one)) for one in set(ids)])
        found = (value_of(Resource, item) for item in sorted(items, key=lambda item: str(item["sk"])))
        return [one for one in found if contains(q, (one.full_path, one.name))]

    def grants(self, integration_id: str, wanted: GrantFilter, *, after: str | None, limit: int) -> Page[Grant]:
        """List direct grants: what is about one group or project stands together, in order of accounts."""
        covered = Shards(integration_id, GRANTS)

        def read(item: Item) -> Grant | None:
            # The index has memberships outside of what the integration covers, too.
            grant = value_of(Grant, item)
            return grant if covered.holds(item["pk"]) and wanted.keeps(grant) else None

        if wanted.resource is None and wanted.account_id is not None:
            pk = account_partition(integration_id, wanted.account_id)
            return self._scan_partition(pk, read, after=after, limit=limit, index=BY_ACCOUNT)
        account = "" if wanted.account_id is None else padded(wanted.account_id)
        return self._scan_shards(covered, wanted.resource, read, after=after, limit=limit, key=account)

    def invitations(
        self,
        integration_id: str,
        resource: tuple[ResourceType, int] | None,
        *,
        q: str | None,
        after: str | None,
        limit: int,
    ) -> Page[Invitation]:
        """List invitations whose address contains `q`, by resource; at most `MAX_READ` rows are read for a page."""

        def read(item: Item) -> Invitation | None:
            invitation = value_of(Invitation, item)
            return invitation if contains(q, (invitation.email,)) else None

        return self._scan_shards(Shards(integration_id, INVITATIONS), resource, read, after=after, limit=limit)

    def invitation_reading(self, integration_id: str, kind: ResourceType) -> InvitationReading:
        """How fresh the invitations to groups, or to projects, are."""
        return invitation_reading(Readings(self._table, integration_id), kind)

    def invitations_read_at(
        self, integration_id: str, kind: ResourceType, number: int, scopes: ScopeList
    ) -> int | None:
        """Since when the invitations to one group or project are known (unix seconds); None: not read."""
        return invitations_read_at(Readings(self._table, integration_id), scopes, integration_id, kind, number)

    def full_paths(self, integration_id: str, of: Iterable[Grant | Invitation]) -> dict[tuple[str, int], str]:
        """Read where the resources of some rows are now; these themselves keep no path that a rename would change."""
        keys = {(one.resource_type, one.resource_id) for one in of}
        items = self._table.get_many(
            [(partition(integration_id, ResourceType(kind).collection), padded(number)) for kind, number in keys],
            attributes=("pk", "id", "full_path"),
        )
        kinds = {partition(integration_id, kind.collection): str(kind) for kind in ResourceType}
        return {(kinds[item["pk"]], item["id"]): item["full_path"] for item in items}

    def list_states(self, integration_id: str) -> dict[str, ListState]:
        """How GitLab's lists of accounts beside `/users` and the members were last read, by their places."""
        return {state.place: state for state in states(self._table, integration_id)}

    def role_names(self, integration_id: str) -> dict[int, str]:
        """The names of custom roles by their ids, as far as the token may list them."""
        return role_names(self._table, integration_id)

    def _named(self, integration_id: str, names: str, name: str) -> Iterable[Item]:
        return query_all(self._table, f"{integration_id}#{names}", prefix=name_prefix(name), index=BY_ACCOUNT)

    def _scan_partition(
        self, pk: str, read: Callable[[Item], T | None], *, after: str | None, limit: int, index: str | None = None
    ) -> Page[T]:
        def query(after: str | None, limit: int) -> Rows:
            return self._table.query(pk, after=after, limit=limit, index=index)

        return scan(query, read, after=after, limit=limit)

    def _scan_shards(
        self,
        shards: Shards,
        resource: tuple[ResourceType, int] | None,
        read: Callable[[Item], T | None],
        *,
        after: str | None,
        limit: int,
        key: str = "",
    ) -> Page[T]:
        """Go through a collection, or what of it is about one group or project (with a key: the one row)."""
        if resource is None:
            listing = self._shards.listing(shards)
            return scan(listing.query, read, after=after, limit=limit, position=listing.position)
        scope = grants_scope(resource[0], padded(resource[1]))

        def query(after: str | None, limit: int) -> Rows:
            return self._shards.page(shards, scope, prefix=f"{scope}#{key}", after=after, limit=limit)

        return scan(query, read, after=after, limit=limit)
