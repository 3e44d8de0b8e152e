"""Runs that have ended, kept for 90 days, newest first."""

from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.run import Run

KEPT_SECONDS = 90 * 86_400


def history_partition(integration_id: str) -> str:
    """The partition of the runs of an integration that have ended."""
    return f"INTEGRATION#{integration_id}#HISTORY"


def history_item(run: Run) -> Item:
    """Spell a run that has ended; what it needed to go on is left out."""
    ended_at = run.finished_at or 0
    return {
        "pk": history_partition(run.integration_id),
        "sk": f"{ended_at:010d}#{run.kind}#{run.sync_id}",
        "schema_version": 1,
        "expires_at": ended_at + KEPT_SECONDS,
        "sync_id": run.sync_id,
        "kind": str(run.kind),
        "status": str(run.status),
        "full": run.full,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "done": run.done,
        "total": run.total,
        "counts": dict(run.counts),
        "suspected": dict(run.suspected),
        "last_error": run.last_error,
    }


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some of the runs that have ended, as they are shown; `last` is where the next page begins, None at the end."""

    runs: list[dict[str, Any]]
    last: str | None


class History:
    """The runs of integrations that have ended. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, integration_id: str, *, after: str | None, limit: int) -> RunPage:
        """Runs of every kind, newest first, behind a position."""
        rows = self._table.query(history_partition(integration_id), after=after, limit=limit, forward=False)
        return RunPage([_shown(row) for row in rows.items], None if rows.last is None else rows.last[1])


def _shown(row: Item) -> dict[str, Any]:
    # Rows of another release may have more or less: what is missing is unknown.
    names = ("sync_id", "kind", "status", "full", "started_at", "finished_at", "last_error")
    shown = {name: row.get(name) for name in names}
    progress = {"done": row.get("done", 0), "total": row.get("total", 0)}
    return {**shown, "progress": progress, "counts": row.get("counts", {}), "suspected": row.get("suspected", {})}
