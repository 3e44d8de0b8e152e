"""Which ends of runs need a person."""

from collections.abc import Iterator

from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.sync.run import Run, RunStatus, is_wanted

SUSPECT, FAILED = "sync_suspect", "sync_failed"
KINDS = (SUSPECT, FAILED)

LASTING_FAILURES = 2
LASTING_SECONDS = 1_800
"""For so long a sync has not succeeded before its failures are an alarm: a GitLab that restarts is away for minutes."""

_SUSPECT_HINT = "Too much was missing at once, so nothing was removed: look in GitLab, then accept it or not."
_UNKNOWN = {"code": "internal_error", "hint": "Look at the worker's log."}


def incidents_of(run: Run) -> Iterator[Incident]:
    """What a run that has ended leaves for a person; pure."""
    at = run.finished_at or 0
    if run.status is RunStatus.SUSPECT:
        yield Incident(
            kind=SUSPECT,
            integration_id=run.integration_id,
            subject=str(run.kind),
            at=at,
            hint=_SUSPECT_HINT,
            details=dict(run.suspected),
        )
    elif run.status is RunStatus.FAILED and not is_wanted(run.last_error):
        error = run.last_error or _UNKNOWN
        yield Incident(
            kind=FAILED,
            integration_id=run.integration_id,
            subject=str(run.kind),
            at=at,
            hint=error["hint"],
            details={"code": error["code"]},
        )


def keeps_failing(run: Run) -> bool:
    """Whether a run that has ended is to wake somebody: it failed, as did the one before it, and it lasts; pure."""
    if run.status is not RunStatus.FAILED or is_wanted(run.last_error) or run.failures < LASTING_FAILURES:
        return False
    return run.succeeded_at is None or (run.finished_at or 0) - run.succeeded_at >= LASTING_SECONDS


def note(incidents: IncidentStore, run: Run) -> None:
    """Open what a run that has ended leaves for a person, and close what an earlier one left and is over."""
    found = {incident.kind: incident for incident in incidents_of(run)}
    for kind in KINDS:
        if kind in found:
            incidents.open(found[kind])
        else:
            incidents.close(kind, run.integration_id, str(run.kind))
