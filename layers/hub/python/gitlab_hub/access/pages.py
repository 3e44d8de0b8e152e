"""Gathering a page of a list: never more than a bounded number of rows per request, however little a filter finds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gitlab_hub.storage.ports import Item, Rows

T = TypeVar("T")

MAX_READ = 2_000
"""Rows read for one request. A filter that finds little gives a short page and a cursor to go on with."""

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list and the position to go on after, None at the end of the list."""

    values: list[T]
    next: str | None


def _sort_key(item: Item) -> str:
    return str(item["sk"])


def scan(
    query: Callable[[str | None, int], Rows],
    read: Callable[[Item], T | None],
    *,
    after: str | None,
    limit: int,
    position: Callable[[Item], str] = _sort_key,
) -> Page[T]:
    """Gather a page from what `query` (after a position, at most so many) gives, of at most `MAX_READ` rows."""
    values: list[T] = []
    left, chunk = MAX_READ, limit
    while True:
        rows = query(after, min(chunk, left))
        for number, item in enumerate(rows.items, 1):
            value = read(item)
            if value is not None:
                values.append(value)
            if len(values) == limit:
                is_last = number == len(rows.items) and rows.last is None
                return Page(values, None if is_last else position(item))
        left, chunk = left - len(rows.items), _CHUNK
        after = None if rows.last is None else rows.last[1]
        if after is None or left <= 0:
            return Page(values, after)
