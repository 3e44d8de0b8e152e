"""A table that counts what is read of it."""

from collections import Counter
from typing import Any

from gitlab_hub.storage.ports import Item, Rows, Table


class CountedTable:
    """Hands everything on to another table; `reads` has the calls by name, `items` how many items they gave."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.reads: Counter[str] = Counter()
        self.items = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def get(self, pk: str, sk: str) -> Item | None:
        """Read one item."""
        self.reads["get"] += 1
        item = self._table.get(pk, sk)
        self.items += item is not None
        return item

    def query(self, pk: str, **more: Any) -> Rows:
        """Read one page."""
        self.reads["query"] += 1
        page = self._table.query(pk, **more)
        self.items += len(page.items)
        return page
