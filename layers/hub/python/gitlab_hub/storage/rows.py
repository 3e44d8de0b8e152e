"""What stores do again and again: read a partition to its end, and write where nobody else has."""

from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec, TypedDict, Unpack

from gitlab_hub.storage.ports import ABSENT, Condition, ConditionFailed, Item, Table

P = ParamSpec("P")


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


def at_version(version: int) -> Condition:
    """What holds of a row as long as its version is this one; 0 = there is none."""
    return Condition(equals={"version": version}) if version else ABSENT


def is_written(write: Callable[P, None], *args: P.args, **more: P.kwargs) -> bool:
    """Make a conditional write; False where what is stored is not what the writer expected."""
    try:
        write(*args, **more)
    except ConditionFailed:
        return False
    return True
