"""When a tick has to look at a run next, whatever becomes of the run meanwhile."""

from gitlab_hub.storage.due import AT_ONCE, Due, DueRows
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, Run

_OF_KIND = "@"


def due_runs(table: Table, kind: Kind) -> DueRows:
    """The runs that are to be looked at by the function of a kind, as `due_subject` names them."""
    return DueRows(table, str(kind.worked_with))


def due_subject(integration_id: str, kind: Kind) -> str:
    """Name a run among those that one function looks at: by the integration, and the kind where it is a guest."""
    return integration_id if kind.worked_with is kind else f"{integration_id}{_OF_KIND}{kind}"


def run_of_subject(subject: str, default: Kind) -> tuple[str, Kind | None]:
    """Read such a name: the integration and the kind, None where this release does not know it."""
    integration_id, _, kind = subject.partition(_OF_KIND)
    if not kind:
        return integration_id, default
    return integration_id, next((one for one in Kind if str(one) == kind), None)


def delete_due_runs(table: Table, integration_id: str) -> None:
    """Remove the rows of every kind of an integration that is gone."""
    for kind in Kind:
        due_runs(table, kind).delete(due_subject(integration_id, kind))


def due_snapshots(table: Table) -> DueRows:
    """The integrations whose state is to be kept in the history of access, marked with the run that says so."""
    return DueRows(table, "snapshots")


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
    subject = due_subject(run.integration_id, run.kind)
    return Due(subject, next_check(run, every_seconds=every_seconds), f"run {run.version}")


def rows_at_once(table: Table, integration_id: str, version: int) -> list[Item]:
    """The rows that have the runs of every kind looked at by the next tick.

    They belong into the write, of that version of the integration, which lets it sync on schedule (again): a tick does
    not come back to an integration that may not.
    """
    mark = f"integration {version}"
    return [due_runs(table, kind).item(Due(due_subject(integration_id, kind), AT_ONCE, mark)) for kind in Kind]
