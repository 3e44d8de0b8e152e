"""What hints have removed since the last run: many small removals are judged as the one large one that they are."""

from collections.abc import Mapping
from dataclasses import dataclass

from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import at_version, is_written
from gitlab_hub.sync.deletion_guard import DeletionTally, is_suspicious
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore

REMOVED = "removed"
ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalBudget:
    """What may still be removed without a run: as much as the last run would have let go beside what is gone."""

    sync_id: str
    suspect: bool
    listed: Mapping[str, int]
    """Dataset → rows that the last run saw."""
    removed: int

    def refuses(self, tallies: Mapping[str, DeletionTally]) -> bool:
        """Whether removals must wait for the next run, or for the owner whom the last one waits for."""
        missing = {name: tally.missing for name, tally in tallies.items() if tally.missing}
        together = (DeletionTally(self.listed.get(name, 0), count + self.removed) for name, count in missing.items())
        return bool(missing) and (self.suspect or any(is_suspicious(tally) or not tally.stored for tally in together))


@dataclass(frozen=True, slots=True)
class RemovalBudgetStore:
    """The removals of one kind, in the partition of the marks of hints. All calls block."""

    table: Table
    runs: RunStore
    kind: Kind

    def budget(self, pk: str, integration_id: str) -> RemovalBudget:
        """What hints may remove now."""
        run, item = self.runs.load(integration_id, self.kind), self.table.get(pk, REMOVED)
        removed = item["removed"] if item is not None and item["sync_id"] == run.sync_id else 0
        # A reading that somebody has rejected is no measure of what may go.
        suspect = run.status is RunStatus.SUSPECT or bool(run.rejected)
        return RemovalBudget(sync_id=run.sync_id, suspect=suspect, listed=run.counts, removed=removed)

    def record(self, pk: str, budget: RemovalBudget, removed: int) -> None:
        """Add to what was removed since the run that the budget is for."""
        for _ in range(ATTEMPTS):
            item = self.table.get(pk, REMOVED) or {"version": 0, "sync_id": ""}
            before = item["removed"] if item["sync_id"] == budget.sync_id else 0
            entry = {"pk": pk, "sk": REMOVED, "sync_id": budget.sync_id, "removed": before + removed}
            row = {**entry, "version": item["version"] + 1, "schema_version": 1}
            if is_written(self.table.put, row, at_version(item["version"])):
                return
