"""A run as a value: its states, its lease and its checkpoint, and every legal step between them.

All functions are pure; `store.py` makes each step a compare-and-set on `version`, so two workers, two ticks or a
deletion can never both win. The lease's holder and the version together are the fence.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gitlab_hub.sync.errors import NothingSuspect, SyncInProgress
from gitlab_hub.sync.ports import Kind

REFUSED = "refused"
"""Marks the error of a run whose trouble is a list that GitLab refuses as a whole; the value names the list."""

LEASE_SECONDS = 60
LONGEST_RUN_SECONDS = 30 * 86_400
"""A run that began longer ago is not carried on: its journal, which has what GitLab listed, is not kept for ever."""

CLAIMS_WITHOUT_PROGRESS = 5
"""A run claimed this often without one checkpoint is broken, not unlucky."""

MOST_SETBACKS = 5
"""So often in a row may trouble cut slices short before one of them has brought a checkpoint; see `Run.setbacks`."""

BROKEN = {"code": "internal_error", "hint": "Workers stopped five times without progress; see the function's log."}
PAUSED = {"code": "paused", "hint": "The integration is paused or has no usable credential."}
"""Ends a run that is cut short because somebody wants it so."""

EXPIRED = {
    "code": "sync_expired",
    "hint": "After 30 days a sync is not carried on; what is stored stays, and the next begins anew.",
}


class RunStatus(StrEnum):
    """Where a run is; the first three are at rest."""

    IDLE = "idle"
    SUSPECT = "suspect"
    FAILED = "failed"
    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"

    @property
    def at_rest(self) -> bool:
        """Whether a new run may start."""
        return self in {RunStatus.IDLE, RunStatus.SUSPECT, RunStatus.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What is done: every scope of `stage` up to `after`, all stages before it, and parts of open scopes."""

    stage: str = ""
    after: str | None = None
    cursors: dict[str, Any] = field(default_factory=dict)
    retry: dict[str, Any] = field(default_factory=dict)
    """What the release before kept here of failed scopes: key → [payload, error code, hint]. Now they have rows."""
    failing: int = 0
    """How many scopes of this stage failed so far."""
    passes: int = 0
    """How often the failed scopes of this stage were tried again."""
    waited: int = 0
    """Before how many of these passes the wait is over."""
    tried: str | None = None
    """Up to where the pass under way has come, so that waits that GitLab asks for do not begin it anew."""
    given_up: bool = False
    """Whether the failed scopes of this stage count as incomplete already."""
    read: int = 0
    """Scopes of this stage that were read, at least in part."""
    empty: int = 0
    """Those of them whose list had nothing in it."""
    refusal: dict[str, str] | None = None
    """Why the first scope of this stage was refused or not there: error code and hint.

    With `behind_list` where its list was shown and what is in it was refused; such a refusal goes before others.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The state of one kind of sync of one integration. Times are unix seconds."""

    integration_id: str
    kind: Kind
    sync_id: str = ""
    status: RunStatus = RunStatus.IDLE
    version: int = 0
    fence: int = 0
    """The number of the worker that may write rows; it goes up with every claim and with the end of the run."""
    full: bool = False
    worker: str = ""
    lease_until: int = 0
    claims: int = 0
    """How often the lease was taken since a worker last came to a clean end or a checkpoint."""
    moved: bool = True
    """Whether the present slice, or else the last one, has brought a checkpoint."""
    narrowed: int = 0
    """How often the work begun at once was halved, see `concurrency`."""
    setbacks: int = 0
    """How many slices were cut short by trouble since the last checkpoint; waits that GitLab asks for are none."""
    messaged_at: int = 0
    left_to_tick: bool = False
    """Whether nobody has sent a message that carries the run on: the next tick does, once nothing is in its way."""
    parked_until: int = 0
    started_at: int | None = None
    finished_at: int | None = None
    succeeded_at: int | None = None
    done: int = 0
    total: int = 0
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    counts: dict[str, int] = field(default_factory=dict)
    incomplete: int = 0
    """Scopes of this run that were not read completely."""
    suspected: dict[str, int] = field(default_factory=dict)
    """Dataset → how many rows the deletion guard refused to remove."""
    accepted: dict[str, int] = field(default_factory=dict)
    """Dataset → how many removals an admin has accepted for this run."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Dataset → how many of the removals that this run proposed were rejected; nothing goes before the next run."""
    last_error: dict[str, str] | None = None
    failures: int = 0
    """How many runs have failed since one of this kind last came to its end without an error."""


def is_wanted(error: dict[str, str] | None) -> bool:
    """Whether a run has ended in this way because somebody wanted it so."""
    return (error or {}).get("code") == PAUSED["code"]


def request(run: Run, *, sync_id: str, now: int, full: bool = False) -> Run:
    """Queue a new run. Raises SyncInProgress while one is under way."""
    if not run.status.at_rest:
        raise SyncInProgress(
            f"A sync of {run.kind} is under way; wait until its status is idle, suspect or failed.",
            details={"kind": run.kind, "sync_id": run.sync_id, "status": run.status},
        )
    return Run(
        integration_id=run.integration_id,
        kind=run.kind,
        sync_id=sync_id,
        status=RunStatus.QUEUED,
        version=run.version,
        fence=run.fence,
        full=full,
        messaged_at=now,
        succeeded_at=run.succeeded_at,
        failures=run.failures,
    )


def accept(run: Run, *, sync_id: str, now: int) -> Run:
    """Queue a run that may remove as many rows as the suspicious one refused to. Raises NothingSuspect."""
    if run.status is not RunStatus.SUSPECT:
        raise NothingSuspect("There is no suspicious sync to accept.", details={"kind": run.kind, "status": run.status})
    return replace(request(run, sync_id=sync_id, now=now), accepted=dict(run.suspected))


def reject(run: Run) -> Run:
    """End a suspicious run without what it refused to remove. Raises NothingSuspect.

    Its reading was wrong, so it counts as no success, and the next run on schedule judges anew.
    """
    if run.status is not RunStatus.SUSPECT:
        raise NothingSuspect("There is no suspicious sync to reject.", details={"kind": run.kind, "status": run.status})
    counts = {**run.counts, "rows_rejected": sum(run.suspected.values())}
    return replace(run, status=RunStatus.IDLE, counts=counts, rejected=dict(run.suspected), suspected={})


def claim(run: Run, *, sync_id: str, worker: str, now: int) -> Run | None:
    """Take the lease, or None where this message has nothing to do (any more, or yet)."""
    if run.sync_id != sync_id or run.status.at_rest or run.parked_until > now or run.lease_until > now:
        return None
    return replace(
        run,
        status=RunStatus.RUNNING,
        worker=worker,
        fence=run.fence + 1,
        lease_until=now + LEASE_SECONDS,
        claims=run.claims + 1,
        moved=False,
        narrowed=max(0, run.narrowed - 1) if run.moved else run.narrowed + 1,
        parked_until=0,
        left_to_tick=False,
        started_at=now if run.started_at is None else run.started_at,
    )


def dead_end(run: Run, *, now: int) -> dict[str, str] | None:
    """Why a run cannot be carried on: workers die on it without getting anywhere, or its journal may not be whole."""
    if run.claims > CLAIMS_WITHOUT_PROGRESS:
        return BROKEN
    began = now if run.started_at is None else run.started_at
    return EXPIRED if began + LONGEST_RUN_SECONDS <= now else None


def concurrency(run: Run, most: int) -> int:
    """How much to begin at once: half as much after a slice that brought nothing to an end, twice after another.

    Where GitLab grants few requests at a time, many beginnings would use them up, slice after slice.
    """
    return max(1, most >> run.narrowed)


def renew(run: Run, *, now: int) -> Run:
    """Keep the lease."""
    return replace(run, lease_until=now + LEASE_SECONDS)


def progressed(run: Run, checkpoint: Checkpoint) -> Run:
    """Note a checkpoint; getting anywhere clears the counts of fruitless claims and of setbacks."""
    return replace(run, checkpoint=checkpoint, claims=1, setbacks=0, moved=True)


def release(run: Run, *, now: int) -> Run:
    """Give the lease back so that the next worker goes on."""
    return replace(run, worker="", lease_until=0, messaged_at=now)


def defer(run: Run, *, until: int, now: int, setback: bool = False) -> Run:
    """Rest until a moment, keeping all that was done. A worker that parks has not died.

    `setback`: whether trouble is the reason, and not a wait that GitLab asks for.
    """
    parked = replace(release(run, now=now), status=RunStatus.PARKED, parked_until=until, claims=0)
    return replace(parked, setbacks=run.setbacks + setback)


def finish(run: Run, *, now: int, error: dict[str, str] | None = None, at_its_end: bool = True) -> Run:
    """End the run: failed with an error, suspect where the deletion guard refused removals, else idle.

    A list that was refused as a whole and too much missing at once have one cause, and only an owner can say which.
    `at_its_end`: whether every scope was read or given up; else the run was cut short.
    """
    failed = error is not None and not (run.suspected and REFUSED in error)
    status = RunStatus.FAILED if failed else RunStatus.SUSPECT if run.suspected else RunStatus.IDLE
    return replace(
        release(run, now=now),
        status=status,
        fence=run.fence + 1,
        # How many scopes there would be was a guess; a run that read them all knows.
        total=run.done if at_its_end else run.total,
        finished_at=now,
        succeeded_at=now if status is RunStatus.IDLE else run.succeeded_at,
        failures=run.failures + (not is_wanted(error)) if failed else 0,
        last_error=error,
        checkpoint=Checkpoint(),
        parked_until=0,
    )
