"""Which partitions hold deliveries of an integration."""

from collections.abc import Iterator

from gitlab_hub.storage.table import Table
from gitlab_hub.webhooks.delivery_store import BY_TIME, by_time


def delivery_partitions(table: Table, integration_id: str) -> Iterator[str]:
    """Every partition of an integration's deliveries; they would else stay until their time to live ends."""
    after: str | None = None
    while True:
        rows = table.query(by_time(integration_id), after=after, index=BY_TIME, attributes=("pk",))
        yield from (str(item["pk"]) for item in rows.items)
        if rows.last is None:
            return
        after = rows.last[1]
