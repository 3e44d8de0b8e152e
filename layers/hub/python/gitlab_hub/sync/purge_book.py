"""Removals of integrations that have not come to their end: none is forgotten, and none depends on one message."""

from collections.abc import Iterator
from itertools import islice

from gitlab_hub.storage.table import Table
from gitlab_hub.sync.ports import Kind

SENT_AGAIN_SECONDS = 1_800
"""When a removal whose end nobody has noted is asked for again: its message has come back from its worker by then."""

MOST_PER_TICK = 100


class PurgeBook:
    """Removals that have not come to their end, of one kind: their messages may be lost, or have led too far."""

    def __init__(self, table: Table, kind: Kind) -> None:
        self._table, self._pk = table, f"SYNC#PURGES#{kind}"

    def note(self, integration_id: str, *, due_at: int) -> None:
        """Have a removal asked for by the first tick from `due_at` (unix seconds) on."""
        self._table.put({"pk": self._pk, "sk": integration_id, "due_at": due_at, "schema_version": 1})

    def done(self, integration_id: str) -> None:
        """Nothing is left to be removed."""
        self._table.delete(self._pk, integration_id)

    def due(self, now: int) -> Iterator[str]:
        """Removals to ask for now, a bounded number at a time."""
        return islice(self._due(now), MOST_PER_TICK)

    def _due(self, now: int) -> Iterator[str]:
        after: str | None = None
        while True:
            rows = self._table.query(self._pk, after=after)
            yield from (row["sk"] for row in rows.items if row["due_at"] <= now)
            if rows.last is None:
                return
            after = rows.last[1]
