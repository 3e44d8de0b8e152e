"""Whether pages make a whole list: no page comes twice, and together they have as many rows as GitLab counts.

A cache that ignores the query answers every page with the first one, and a proxy may cut a page short: each page looks
well, only together they do not. What is remembered of a list is small, whatever its length, and travels in the cursor:
whoever goes on with a list judges it as if it had been read at one go.
"""

import json
from collections.abc import Hashable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from gitlab_hub.gitlab.errors import IncompleteList
from gitlab_hub.gitlab.link_header import following
from gitlab_hub.gitlab.messages import Query, query_from
from gitlab_hub.gitlab.paging import page_number, page_size
from gitlab_hub.gitlab.rates import number

_MOST_SHIFT = 10

Rows = Sequence[Mapping[str, Any]]


def shift_of(query: Query) -> int:
    """Rows that may come twice on one page, or be missing per border between two, because others came or went.

    Of a small page a quarter at most: more than that would be a page that something cuts.
    """
    return max(1, min(_MOST_SHIFT, page_size(query) // 4))


_MEMORY = "#"
"""Divides a cursor: the query of the page, and what is remembered of those before. An encoded query has none."""


def is_numbered(cursor: str) -> bool:
    """Whether a cursor stands for a page by its number; for a place behind a keyset it does not."""
    try:
        return page_number(query_from(cursor.partition(_MEMORY)[0])) is not None
    except ValueError:
        return False


class Listing:
    """The pages of one list, as they are read. `base` is the list's own query, without a place in it."""

    def __init__(self, base: Query, cursor: str | None) -> None:
        place, _, memory = (cursor or "").partition(_MEMORY)
        self._base, self.query = base, following(base, place) if cursor else base
        page = page_number(self.query)
        self._borders = (page or 1) - 1
        # A reading that goes on at a numbered page relies on all pages before it; behind a keyset nobody counts.
        self._read = None if page is None else self._borders * page_size(self.query)
        self._asked = {frozenset(self.query)}
        self._digests: list[str] = []
        self._first: frozenset[Hashable] = frozenset()
        self._before: frozenset[Hashable] = frozenset()
        self._total: int | None = None
        self._recall(memory)

    def take(self, rows: Rows, place: str | None, *, total: int | None) -> str | None:
        """Look at a page, the `place` behind it (None at the end), and how many rows GitLab counts in all.

        The answer is the cursor to go on with; `query` is then the next page's. Raises IncompleteList for a page that
        was shown before.
        """
        names = [_name(row) for row in rows]
        page, digest = frozenset(names), _digest(names)
        again = max(len(page & self._before), len(page & self._first))
        if (len(names) > 1 and digest in self._digests) or (again > shift_of(self.query) and 2 * again > len(names)):
            raise IncompleteList(
                "GitLab's list shows the same page twice. Look for a cache or proxy in between that ignores the query."
            )
        self._borders += bool(self._digests and names)
        self._digests = [*self._digests[:1], digest]
        self._first, self._before, self._total = self._first or page, page, total
        self._read = None if self._read is None else self._read + len(page) - again
        return None if place is None else self._move(place)

    def end(self) -> None:
        """The list is over. Raises IncompleteList where GitLab counts more rows than it has shown."""
        allowed = shift_of(self.query) * self._borders
        if self._total is not None and self._read is not None and self._total - self._read > allowed:
            raise IncompleteList(
                f"GitLab counts {self._total} rows and lists {self._read}: something in between cuts its pages short."
            )

    def _move(self, place: str) -> str:
        self.query = following(self._base, place)
        # In which order parameters are named makes no other page.
        if (asked := frozenset(self.query)) in self._asked:
            raise IncompleteList("GitLab's pages lead in a circle.")
        self._asked.add(asked)
        read = "" if self._read is None else str(self._read)
        return f"{place}{_MEMORY}{'.'.join([read, str(self._borders), *self._digests])}"

    def _recall(self, memory: str) -> None:
        read, _, rest = memory.partition(".")
        borders, _, digests = rest.partition(".")
        if digests:
            self._read, self._borders = number(read), number(borders) or 0
            self._digests = digests.split(".")


def _name(row: Mapping[str, Any]) -> Hashable:
    """What tells a row from others: its id, a branch's name, else all of it."""
    name = row.get("id", row.get("name"))
    return name if isinstance(name, str | int) else json.dumps(row, sort_keys=True)


def _digest(names: Sequence[Hashable]) -> str:
    """The same for the same rows in any order: a page is not another one because it was sorted anew."""
    plain = sorted(json.dumps(name) for name in names)
    return blake2b("\n".join(plain).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
