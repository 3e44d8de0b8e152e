"""Reading a partition to its end: pages and rows of `Table.query`, asked for as they are needed."""

from collections.abc import Iterator, Sequence
from typing import TypedDict, Unpack

from gitlab_hub.storage.ports import Item, Table


class Range(TypedDict, total=False):
    """Which items of a partition, as `Table.query` takes it; `limit` is the size of a page."""

    prefix: str
    after: str | None
    until: str | None
    limit: int | None
    forward: bool
    index: str | None
    attributes: Sequence[str]


def query_pages(table: Table, pk: str, **wanted: Unpack[Range]) -> Iterator[list[Item]]:
    """The items of a partition page by page, as they are asked for; a page may be empty."""
    while True:
        rows = table.query(pk, **wanted)
        yield rows.items
        if rows.last is None:
            return
        wanted["after"] = rows.last[1]


def query_all(table: Table, pk: str, **wanted: Unpack[Range]) -> Iterator[Item]:
    """The items of a partition, read page by page as they are asked for."""
    for page in query_pages(table, pk, **wanted):
        yield from page
