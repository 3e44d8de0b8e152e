"""When a tick has to look at a run next, whatever becomes of the run meanwhile."""

from gitlab_hub.storage.due import AT_ONCE, Due, DueRows
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, Run


def due_runs(table: Table, kind: Kind) -> DueRows:
    """The runs of a kind that are to be looked at, by the ids of their integrations."""
    return DueRows(table, str(kind))


def all_due_runs(table: Table) -> list[DueRows]:
    """The runs of every kind that are to be looked at."""
    return [due_runs(table, kind) for kind in Kind]


def next_check(run: Run, *, every_seconds: int) -> int:
    """The earliest moment (unix seconds) at which a tick may have something to do for a run.

    Workers renew leases, park and end runs without moving the run's row among the due ones: all of that only puts the
    moment off. A run that is queued may be claimed at once, so its worker's lease ends no earlier than a lease's length
    after its message. What brings the moment nearer, the start of a run and leaving one to the tick, is stored together
    with a new row (`RunStore.save_all`).
    """
    if run.status.at_rest:
        return AT_ONCE if run.finished_at is None else run.finished_at + every_seconds
    if run.left_to_tick:
        return max(run.lease_until, run.parked_until)
    return max(run.lease_until, max(run.messaged_at, run.parked_until) + LEASE_SECONDS)


def due_row(run: Run, *, every_seconds: int = 0) -> Due:
    """The row that has a run looked at in time; one that is under way needs no `every_seconds`."""
    return Due(run.integration_id, next_check(run, every_seconds=every_seconds), f"run {run.version}")


def rows_at_once(table: Table, integration_id: str, version: int) -> list[Item]:
    """The rows that have the runs of both kinds looked at by the next tick.

    They belong into the write, of that version of the integration, which lets it sync on schedule (again): a tick does
    not come back to an integration that may not.
    """
    due = Due(integration_id, AT_ONCE, f"integration {version}")
    return [runs.item(due) for runs in all_due_runs(table)]
