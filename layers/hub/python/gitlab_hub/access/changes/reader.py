"""Reading the change feed back: in the order of its numbers, and a bounded number of entries per request.

Whoever goes on behind a number misses nothing: entries become visible in the order of their numbers. As `noticed_at`
never goes down from one to the next, the first entry of a time is found by halving, in some twenty reads of one row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gitlab_hub.access.changes.model import Author, ChangeKind, Entry, change_of
from gitlab_hub.access.keys import CHANGES
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all

MAX_READ = 2_000
"""Entries looked at for one request. A filter that finds little gives a short page and a cursor to go on with."""

_CHUNK = 25
"""Items read at once: mostly of one entry each, and of many where much changed together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFilter:
    """Which changes to list; None does not filter. `since` and `until` are unix seconds of `noticed_at`, inclusive."""

    since: int | None = None
    until: int | None = None
    account_id: int | None = None
    resource: tuple[ResourceType, int] | None = None
    kind: ChangeKind | None = None

    def keeps(self, entry: Entry) -> bool:
        """Whether an entry of that time is wanted."""
        change, place = entry.change, entry.change.resource
        return (
            (self.account_id is None or change.account_id == self.account_id)
            and (self.resource is None or (place is not None and (place["type"], place["id"]) == self.resource))
            and (self.kind is None or change.kind is self.kind)
        )


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries, and the number of the last that was looked at; `has_more` is false at the end of what there is."""

    entries: list[Entry]
    position: int
    has_more: bool


class ChangeReader:
    """Reads the feeds of all integrations."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, integration_id: str, wanted: ChangeFilter, *, after: int | None, limit: int) -> FeedPage:
        """List changes, oldest first, behind a number; None begins with the oldest that is wanted."""
        pk, found, looked_at = partition(integration_id, CHANGES), list[Entry](), 0
        position = self._number_before(pk, wanted.since) if after is None else after
        while True:
            rows = self._table.query(pk, after=padded(position), limit=_CHUNK)
            for item in rows.items:
                if wanted.until is not None and item["noticed_at"] > wanted.until:
                    return FeedPage(found, position, has_more=False)
                for entry in entries_of(item, behind=position):
                    if len(found) == limit or looked_at == MAX_READ:
                        return FeedPage(found, position, has_more=True)
                    position, looked_at = entry.number, looked_at + 1
                    if wanted.keeps(entry):
                        found.append(entry)
            if rows.last is None:
                return FeedPage(found, position, has_more=False)

    def entries(self, integration_id: str, since: int | None) -> Iterator[Entry]:
        """All changes from a time on (unix seconds of `noticed_at`), oldest first, read as they are taken."""
        pk = partition(integration_id, CHANGES)
        position = self._number_before(pk, since)
        for item in query_all(self._table, pk, after=padded(position)):
            yield from entries_of(item, behind=position)

    def _number_before(self, pk: str, since: int | None) -> int:
        """The number behind which the entries of a time begin."""
        newest = self._table.query(pk, limit=1, forward=False, attributes=("sk", "noticed_at")).items
        if since is None or not newest:
            return 0
        low, high = 0, int(newest[0]["sk"])
        if newest[0]["noticed_at"] < since:
            return high
        while low < high:
            middle = (low + high) // 2
            (item,) = self._table.query(pk, after=padded(middle), limit=1, attributes=("sk", "noticed_at")).items
            if item["noticed_at"] < since:
                low = int(item["sk"])
            else:
                high = middle
        return low


def entries_of(item: Item, *, behind: int) -> Iterator[Entry]:
    """The entries that one item holds, those behind a number only."""
    told = item["entries"]
    first = int(item["sk"]) - len(told) + 1
    for number, one in enumerate(told, first):
        if number > behind:
            change = change_of(one)
            yield Entry(
                number=number,
                noticed_at=item["noticed_at"],
                sync_id=item["sync_id"],
                by=Author.GITLAB if change.audit_id is None else Author.HUB,
                audit_id=change.audit_id,
                change=change,
            )
