"""The store of access rows as a worker of a run has it."""

from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.store import AccessStore
from gitlab_hub.storage.ports import Table

NOW = 1_790_000_000


def store_over(table: Table, *, now: float = NOW, sync_id: str = "s1") -> AccessStore:
    """A store over a table, with a feed that is told what changes."""
    return AccessStore(table, "i1", ChangeFeed(table, "i1", sync_id=sync_id, now=lambda: now, beside_runs=False))
