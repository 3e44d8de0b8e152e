"""Reading filtered pages with a bound on what one request may read."""

from collections.abc import Callable
from dataclasses import dataclass

from gitlab_hub.storage.table import Item, Rows

MAX_SCANNED = 1_000
"""Rows that one request looks at; a rare match behind them is found by the pages that follow."""

BATCH = 200

Read = Callable[[str | None, int], Rows]
"""(position to continue behind, most rows) → rows."""


@dataclass(frozen=True, slots=True)
class Found:
    """Some rows, and where to go on; None at the end."""

    rows: list[Item]
    last: str | None


def filtered(read: Read, wanted: Callable[[Item], bool] | None, *, limit: int, after: str | None, order: str) -> Found:
    """Collect up to `limit` wanted rows (None = all) behind `after`; `order` names the attribute that orders them.

    A page may be short, even empty, and still have a next one.
    """
    batch = BATCH if wanted else limit + 1
    found: list[Item] = []
    scanned = 0
    while scanned < MAX_SCANNED:
        rows = read(after, batch)
        for item in rows.items:
            if len(found) == limit:
                return Found(found, after)
            scanned, after = scanned + 1, str(item[order])
            if wanted is None or wanted(item):
                found.append(item)
        if rows.last is None:
            return Found(found, None)
        after = rows.last[1]
    return Found(found, after)
