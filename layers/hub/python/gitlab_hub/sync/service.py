"""What people may ask of the syncs of an integration: start, look, accept, reject, delete."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.storage.ports import ConditionFailed, Queue
from gitlab_hub.sync import incidents
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.errors import SyncInProgress, UnreadableRun
from gitlab_hub.sync.message import purge_message, work_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_list import STATUSES, ListedScope
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.worker import SENT_AGAIN_SECONDS, PurgeBook

STARTED_MEANWHILE = "A sync was started at this very moment; look at its state."


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncService:
    """The HTTP side of the engine."""

    runs: RunStore
    queues: Mapping[Kind, Queue]
    purges: Callable[[Kind], PurgeBook]
    audit: Audit
    incidents: IncidentStore
    now: Callable[[], float]
    new_id: Callable[[], str]

    def request(self, integration_id: str, kinds: Sequence[str], *, full: bool = False) -> str:
        """Queue a run of every kind named, all or none; they share the id that is returned.

        Raises SyncInProgress or QueueUnavailable.
        """
        sync_id, now = self.new_id(), int(self.now())
        loaded = [self.runs.load(integration_id, Kind(kind)) for kind in dict.fromkeys(kinds)]
        return self._queue([runs.request(run, sync_id=sync_id, now=now, full=full) for run in loaded])

    def accept(self, integration_id: str, kind: str, *, actor: str) -> str:
        """Queue a run that may remove what the suspicious one refused to remove. Raises NothingSuspect."""
        run = self.runs.load(integration_id, Kind(kind))
        following = runs.accept(run, sync_id=self.new_id(), now=int(self.now()))
        self._record(AuditAction.SYNC_ACCEPT, run, actor)
        return self._queue([following])

    def reject(self, integration_id: str, kind: str, *, actor: str) -> str:
        """End a suspicious run without its removals; the answer is its id. Raises NothingSuspect, SyncInProgress."""
        run = self.runs.load(integration_id, Kind(kind))
        rejected = runs.reject(run)
        self._record(AuditAction.SYNC_REJECT, run, actor)
        try:
            self.runs.end(rejected)
        except ConditionFailed:
            raise SyncInProgress(STARTED_MEANWHILE) from None
        incidents.note(self.incidents, rejected)
        return run.sync_id

    def view(self, integration_id: str) -> dict[str, Any]:
        """`{kind: state}` for every kind, as the HTTP contract shows it."""
        return {str(kind): self._state(integration_id, kind) for kind in Kind}

    def history(self, integration_id: str, *, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """Runs that have ended, newest first, and the position behind them, None at the end."""
        page = self.runs.history.page(integration_id, after=after, limit=limit)
        return page.runs, page.last

    def scopes(
        self, integration_id: str, *, kind: str | None, status: str | None, after: str | None, limit: int
    ) -> tuple[list[ListedScope], str | None]:
        """Which scopes the last runs could not read completely, and where to go on."""
        wanted = None if kind is None else Kind(kind)
        return self.runs.scopes(integration_id, kind=wanted, status=status, after=after, limit=limit)

    def delete(self, integration_id: str) -> None:
        """Stop every worker at its next step and have all rows removed. Raises QueueUnavailable."""
        self.runs.delete(integration_id)
        for kind, queue in self.queues.items():
            if kind.worked_with is not kind:
                continue
            self.purges(kind).note(integration_id, due_at=int(self.now()) + SENT_AGAIN_SECONDS)
            queue.send(purge_message(integration_id))

    def _state(self, integration_id: str, kind: Kind) -> dict[str, Any]:
        try:
            return _view(self.runs.load(integration_id, kind), int(self.now()))
        except UnreadableRun as error:
            failed = Run(integration_id=integration_id, kind=kind, status=RunStatus.FAILED)
            return _view(replace(failed, last_error={"code": error.code, "hint": str(error)}), 0)

    def _record(self, action: AuditAction, run: Run, actor: str) -> None:
        what = {"kind": str(run.kind), "removals": dict(run.suspected)}
        self.audit.record(action, actor=actor, integration_id=run.integration_id, target=run.sync_id, before=what)

    def _queue(self, wanted: list[Run]) -> str:
        try:
            queued = self.runs.save_all(wanted)
        except ConditionFailed:
            raise SyncInProgress(STARTED_MEANWHILE) from None
        # Where the queue is down the caller is told so; the tick sends the message of a queued run again, so the run
        # is not lost either.
        for run in queued:
            self.queues[run.kind].send(work_message(run))
        return queued[0].sync_id


def _view(run: Run, now: int) -> dict[str, Any]:
    parked = run.status is RunStatus.PARKED
    return {
        "sync_id": run.sync_id or None,
        "status": str(run.status),
        "progress": {"done": run.done, "total": max(run.total, run.done)},
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "lag_seconds": None if run.succeeded_at is None else max(0, now - run.succeeded_at),
        "rate_limited_until": run.parked_until if parked else None,
        "last_error": run.last_error,
        "counts": run.counts,
        "completeness": _completeness(run),
        "suspected": run.suspected,
    }


def _completeness(run: Run) -> dict[str, Any]:
    """How many scopes the run could not read, by status; `complete` is None where no run has ended yet."""
    scopes = {status: run.counts.get(f"scopes_{status}", 0) for status in STATUSES}
    return {"complete": run.incomplete == 0 and run.last_error is None if run.finished_at else None, **scopes}
