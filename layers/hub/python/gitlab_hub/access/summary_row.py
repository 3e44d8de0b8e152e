"""The counts of the access summary as the last sync left them: one row among the readings."""

from dataclasses import asdict, dataclass

from gitlab_hub.access.keys import FEED, READINGS
from gitlab_hub.access.summary_counts import Figure, counted
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.ports import Item, Table

SUMMARY = "summary"
OLD_SECONDS = 21_600
"""So old a count is made anew by the next sync, whether the feed tells of a change or not: dates pass, and
invitations come and go."""


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """The counts, when they were made (unix seconds) and at the end of which sync; "" = just now, for this request."""

    figures: list[Figure]
    counted_at: int
    sync_id: str = ""


class SummaryRow:
    """The row of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._integration_id = table, integration_id
        self._pk = partition(integration_id, READINGS)

    def read(self, now: float) -> StoredSummary:
        """The counts that are stored; where there are none everything is counted."""
        item = self._table.get(self._pk, SUMMARY)
        if item is None:
            return StoredSummary(counted(self._table, self._integration_id, now), int(now))
        figures = [Figure(one["name"], one["count"], one["url"]) for one in item["figures"]]
        return StoredSummary(figures, item["counted_at"], item["sync_id"])

    def count(self, sync_id: str, now: float, *, always: bool = False) -> None:
        """Count and store, at the end of a sync: where the feed tells of a change since, or the counts are old."""
        item, number = self._table.get(self._pk, SUMMARY), self._feed_number()
        is_fresh = item is not None and item["feed"] == number and now < item["counted_at"] + OLD_SECONDS
        if is_fresh and number is not None and not always:
            return
        figures = [asdict(one) for one in counted(self._table, self._integration_id, now)]
        if item is None and not any(one["count"] for one in figures):
            return  # Nothing was ever read.
        row: Item = {"pk": self._pk, "sk": SUMMARY, "schema_version": 1, "figures": figures, "feed": number}
        self._table.put({**row, "counted_at": int(now), "sync_id": sync_id})

    def _feed_number(self) -> int | None:
        state = self._table.get(partition(self._integration_id, FEED), "state")
        return None if state is None else int(state["number"])
