"""Which snapshots there are: one row per day, in the order of the days.

The row makes a snapshot visible: its object is written before, under a key of its own, and never changed. A day's row
is replaced by that of a later run of the same day, never after a later day has one: each write moves on the row `head`,
which all writes have in common. So what is told of a past day stays as it is, and so does what the next day says of it.
"""

from dataclasses import asdict
from typing import Any

from gitlab_hub.access.history.model import DAY, KEPT_DAYS, Snapshot
from gitlab_hub.access.keys import SNAPSHOTS
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.ports import Check, Put, Table
from gitlab_hub.storage.rows import at_version, is_written, value_of

_HEAD = "head"
_NEVER = "9999-12-31"
"""Behind all days, and before the head."""


class SnapshotStore:
    """The snapshots of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def newest(self, integration_id: str, until: str = _NEVER) -> Snapshot | None:
        """The newest snapshot of a day, or of the last day before it that has one."""
        # Sort keys are read downwards from right behind the day.
        rows = self._table.query(partition(integration_id, SNAPSHOTS), after=f"{until}~", limit=1, forward=False)
        return next((value_of(Snapshot, row) for row in rows.items), None)

    def first(self, integration_id: str, since: str) -> Snapshot | None:
        """The oldest snapshot of a day, or of the first one after it that has one."""
        pk = partition(integration_id, SNAPSHOTS)
        rows = self._table.query(pk, after=_before(since), until=_NEVER, limit=1)
        return next((value_of(Snapshot, row) for row in rows.items), None)

    def version(self, integration_id: str) -> int:
        """How many writes there were; 0 = none. To be read before what the next write is made of."""
        head = self._table.get(partition(integration_id, SNAPSHOTS), _HEAD)
        return 0 if head is None else int(head["version"])

    def put(self, integration_id: str, snapshot: Snapshot, *, on_top_of: int, only_if: Check | None = None) -> bool:
        """Make a snapshot its day's; False where others have written since that version, or `only_if` does not hold."""
        pk = partition(integration_id, SNAPSHOTS)
        common: dict[str, Any] = {"pk": pk, "schema_version": 1, "expires_at": snapshot.taken_at + KEPT_DAYS * DAY}
        row = {**common, "sk": snapshot.day, **asdict(snapshot)}
        checks = [] if only_if is None else [only_if]
        head = {**common, "sk": _HEAD, "version": on_top_of + 1}
        return is_written(self._table.transact, [Put(row), Put(head, at_version(on_top_of)), *checks])


def _before(day: str) -> str:
    """The sort key right before a day's."""
    return f"{day[:-1]}{chr(ord(day[-1]) - 1)}~"
