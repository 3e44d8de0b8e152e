"""Mirrored rows in a table: the one implementation of `RowStore` over the table port."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from gitlab_hub.storage.ports import Condition, ConditionFailed, Delete, Item, Key, Put, Table
from gitlab_hub.storage.rows import MOST_ACTIONS, batches, query_all
from gitlab_hub.sync.errors import Overtaken
from gitlab_hub.sync.ports import Row

HASH = "hash"

_OVERTAKEN = "Somebody else stored what this sync was about to; it is read again."

PASSED_OVER = 4
"""Rows that a stretch may read for each one that is wanted: so small that it costs less than each by its key."""


class TableRows:
    """Rows of one dataset in a table.

    `key` gives the table key of a row in a scope; `scope_range` the partition and sort-key prefix of a whole scope;
    `row_key` the row's key back from its sort key. `prepare` is called with scopes (sorted) before their rows are read.
    """

    def __init__(
        self,
        table: Table,
        *,
        key: Callable[[str, str], Key],
        scope_range: Callable[[str], tuple[str, str]],
        row_key: Callable[[str], str],
        prepare: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self._table, self._key, self._scope_range, self._row_key = table, key, scope_range, row_key
        self._prepare = prepare
        self._ahead: dict[str, list[tuple[str, str]]] = {}

    def look_ahead(self, scopes: Sequence[str]) -> None:
        """Read the rows of sorted scopes that lie side by side, for `stored` to give out, each scope's once.

        Their number is bounded, and scopes that were not come to are read by themselves. What an earlier call has read
        is forgotten.
        """
        self._ahead = {}
        if scopes:
            self._prepare(scopes)
        partitions: dict[str, dict[str, str]] = {}
        for scope in scopes:
            pk, prefix = self._scope_range(scope)
            partitions.setdefault(pk, {})[prefix] = scope
        left = 0
        for pk, some in partitions.items():
            # What one partition does not use is left for the next one: few scopes differ more than many do.
            left += PASSED_OVER * len(some)
            left -= self._look_along(pk, some, left)

    def _look_along(self, pk: str, scopes: Mapping[str, str], limit: int) -> int:
        """Read scopes (by their prefixes) of one partition; the answer is how many rows that were."""
        prefixes = list(scopes)
        rows = self._table.query(
            pk, after=prefixes[0], until=f"{prefixes[-1]}~", limit=limit, attributes=("sk", HASH)
        )  # fmt: skip
        come_to = "~" if rows.last is None else rows.last[1]
        whole: dict[str, list[tuple[str, str]]] = {
            scope: [] for prefix, scope in scopes.items() if f"{prefix}~" <= come_to
        }
        for item in rows.items:
            scope = scopes[prefixes[bisect_right(prefixes, item["sk"]) - 1]]
            if HASH in item and scope in whole:
                whole[scope].append((self._row_key(item["sk"]), item[HASH]))
        self._ahead |= whole
        return len(rows.items)

    def stored(self, scope: str) -> Iterator[tuple[str, str]]:
        """Every stored (key, content hash) of a scope, streamed."""
        if scope in self._ahead:
            yield from self._ahead.pop(scope)
            return
        self._prepare([scope])
        pk, prefix = self._scope_range(scope)
        for item in query_all(self._table, pk, prefix=prefix, attributes=("sk", HASH)):
            if HASH in item:
                yield self._row_key(item["sk"]), item[HASH]

    def stored_of(self, scope: str, keys: Sequence[str]) -> dict[str, str]:
        """The content hashes of those of `keys` that are stored."""
        self._prepare([scope])
        wanted = sorted({self._key(scope, key) for key in keys})
        found = stretch(self._table, wanted, attributes=("sk", HASH))
        return {self._row_key(item["sk"]): item[HASH] for item in found if HASH in item}

    def put(self, scope: str, rows: Sequence[Row], hashes: Mapping[str, str], stored: Mapping[str, str]) -> None:
        """Write rows with their content hashes, where what is stored is as it was. Raises Overtaken."""
        self.change(self.put_of(scope, row, hashes[row.key], stored.get(row.key)) for row in rows)

    def remove(self, scope: str, stored: Mapping[str, str], *, at: datetime) -> None:  # noqa: ARG002 - rows simply go
        """Delete rows that GitLab no longer has, where they are as they were. Raises Overtaken."""
        self.change(self.delete_of(scope, key, digest) for key, digest in stored.items())

    def put_of(self, scope: str, row: Row, digest: str, stored: str | None, **more: Any) -> Put:
        """Give the write of a row, where what is stored is as it was; `more` is stored beside what the hash is of."""
        return Put({**self._item(scope, row, digest), **more}, unchanged(stored))

    def delete_of(self, scope: str, key: str, digest: str) -> Delete:
        """Give the removal of a row, where it is as it was."""
        return Delete(self._key(scope, key), unchanged(digest))

    def items_of(self, scope: str, stored: Mapping[str, str]) -> dict[str, Item]:
        """Read whole rows whose hashes are known. Raises Overtaken where one is not what it was."""
        found = stretch(self._table, sorted(self._key(scope, key) for key in stored)) if stored else []
        items = {self._row_key(item["sk"]): item for item in found}
        if any(items.get(key, {}).get(HASH) != digest for key, digest in stored.items()):
            raise Overtaken(_OVERTAKEN)
        return items

    def change(self, actions: Iterable[Put | Delete], *, along: Callable[[], Put] | None = None) -> None:
        """Do any number of conditional writes. Raises Overtaken where one of the rows is not what it was.

        `along` gives a write that each of the transactions makes as well.
        """
        try:
            for portion in batches(actions, most=MOST_ACTIONS - (along is not None)):
                self._table.transact(portion if along is None else [*portion, along()])
        except ConditionFailed:
            raise Overtaken(_OVERTAKEN) from None

    def _item(self, scope: str, row: Row, digest: str) -> Item:
        pk, sk = self._key(scope, row.key)
        return {**row.item, "pk": pk, "sk": sk, HASH: digest, "schema_version": 1}


def stretch(table: Table, wanted: Sequence[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
    """Read the items of sorted keys of one partition, as a page of a list by id is: mostly one beside the other.

    By its key an item costs a read unit, beside others only its share of 4 KB (DynamoDB, "Read consistency and capacity
    consumption"). Where the keys lie far apart, those that were not come to are read by their keys.
    """
    found = table.get_many(wanted[:1], attributes=attributes)
    if len(wanted) > 1:
        (pk, first), (_, last), keys = wanted[0], wanted[-1], {sk for _, sk in wanted}
        limit = PASSED_OVER * len(wanted)
        rows = table.query(pk, after=first, until=last, limit=limit, attributes=attributes)
        found += [item for item in rows.items if item["sk"] in keys]
        if rows.last is not None:
            found += table.get_many([key for key in wanted if key > rows.last], attributes=attributes)
    return found


def unchanged(digest: str | None) -> Condition:
    """What holds of a stored row as long as nobody writes it; None = it was no row of the mirror."""
    return Condition(lacks=(HASH,)) if digest is None else Condition(equals={HASH: digest})
