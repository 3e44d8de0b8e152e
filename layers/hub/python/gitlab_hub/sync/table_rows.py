"""Mirrored rows in a table: the one implementation of `RowStore` over the table port."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from gitlab_hub.storage.table import Item, Key, Table
from gitlab_hub.sync.ports import Row

HASH = "hash"


class TableRows:
    """Rows of one dataset in a table.

    `key` gives the table key of a row in a scope; `scope_range` the partition and sort-key prefix of a whole scope;
    `row_key` the row's key back from its sort key.
    """

    def __init__(
        self,
        table: Table,
        *,
        key: Callable[[str, str], Key],
        scope_range: Callable[[str], tuple[str, str]],
        row_key: Callable[[str], str],
    ) -> None:
        self._table, self._key, self._scope_range, self._row_key = table, key, scope_range, row_key

    def stored(self, scope: str) -> Iterator[tuple[str, str]]:
        """Every stored (key, content hash) of a scope, streamed."""
        pk, prefix = self._scope_range(scope)
        after: str | None = None
        while True:
            rows = self._table.query(pk, prefix=prefix, after=after, attributes=("sk", HASH))
            for item in rows.items:
                if HASH in item:
                    yield self._row_key(item["sk"]), item[HASH]
            if rows.last is None:
                return
            after = rows.last[1]

    def stored_of(self, scope: str, keys: Sequence[str]) -> dict[str, str]:
        """The content hashes of those of `keys` that are stored."""
        found = self._table.get_many([self._key(scope, key) for key in keys], attributes=("sk", HASH))
        return {self._row_key(item["sk"]): item[HASH] for item in found if HASH in item}

    def put(self, scope: str, rows: Sequence[Row], hashes: Mapping[str, str]) -> None:
        """Write rows with their content hashes."""
        self._table.write(puts=[self._item(scope, row, hashes[row.key]) for row in rows])

    def remove(self, scope: str, keys: Sequence[str], *, at: datetime) -> None:  # noqa: ARG002 - rows simply go
        """Delete rows that GitLab no longer has."""
        self._table.write(deletes=[self._key(scope, key) for key in keys])

    def _item(self, scope: str, row: Row, digest: str) -> Item:
        pk, sk = self._key(scope, row.key)
        return {**row.item, "pk": pk, "sk": sk, HASH: digest, "schema_version": 1}
