"""Grants as rows: one per membership, findable from both of its ends."""

from gitlab_hub.access.keys import BY_ACCOUNT, account_partition, grants_scope
from gitlab_hub.access.model import Grant
from gitlab_hub.access.shards import FormerRows, Shards
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import item_of, query_all, value_of
from gitlab_hub.sync.ports import Row
from gitlab_hub.sync.table_rows import TableRows


def grant_row(integration_id: str, grant: Grant) -> Row:
    """Make a grant what is stored of it."""
    key = padded(grant.account_id)
    index = {
        f"{BY_ACCOUNT}_pk": account_partition(integration_id, grant.account_id),
        f"{BY_ACCOUNT}_sk": f"{grants_scope(grant.resource_type, padded(grant.resource_id))}#{key}",
    }
    return Row(key, {**item_of(grant), **index})


def grants_to(table: Table, integration_id: str, account_id: int, *, within: str | None = None) -> list[Grant]:
    """Read everything that was given to one account itself (blocking).

    `within`: a collection; None = also outside of what the integration covers.
    """
    items = query_all(table, account_partition(integration_id, account_id), index=BY_ACCOUNT)
    wanted = None if within is None else Shards(integration_id, within)
    return [value_of(Grant, item) for item in items if wanted is None or wanted.holds(item["pk"])]


def rows_by_resource(table: Table, pk: str) -> TableRows:
    """Rows of a partition with a scope per group or project."""
    return TableRows(
        table,
        key=lambda scope, key: (pk, f"{scope}#{key}"),
        scope_range=lambda scope: (pk, f"{scope}#"),
        row_key=_row_key,
    )


def rows_in_shards(table: Table, shards: Shards, former: FormerRows) -> TableRows:
    """Rows of a collection that is shared out over partitions, with a scope per group or project."""
    return TableRows(
        table,
        key=shards.key,
        scope_range=lambda scope: (shards.of(scope), f"{scope}#"),
        row_key=_row_key,
        prepare=former.move,
    )


def _row_key(sk: str) -> str:
    return sk.rpartition("#")[2]
