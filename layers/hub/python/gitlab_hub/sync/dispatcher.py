"""Every minute: what is due, and which run must be queued again because its message or its worker was lost.

A tick reads the runs that are to be looked at by now and nothing of the others, see `sync/due.py`.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from gitlab_hub.errors import HubError
from gitlab_hub.storage.due import AT_ONCE, Due
from gitlab_hub.storage.ports import ConditionFailed, Queue
from gitlab_hub.sync.due import due_row, due_subject, run_of_subject
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.message import work_message
from gitlab_hub.sync.ports import Kind, Targets
from gitlab_hub.sync.run import Run, RunStatus, request
from gitlab_hub.sync.store import RunStore

LOST_AFTER_SECONDS = 120
"""A message that no worker took up for so long is sent again; a second one has no effect."""

MOST_IN_A_ROW = 3
FAILED = "failed"

_LOG = logging.getLogger(__name__)


class IncompleteTick(Exception):
    """Some integrations could not be looked at; the log names them."""


class RunAction(Enum):
    """What a tick does with one run."""

    NOTHING = "nothing"
    START = "start"
    REQUEUE = "requeue"


def decide(run: Run, *, now: int, every_seconds: int) -> RunAction:
    """Start what is due, queue again what is stuck, leave the rest."""
    if run.status.at_rest:
        due = run.finished_at is None or run.finished_at + every_seconds <= now
        return RunAction.START if due else RunAction.NOTHING
    if run.left_to_tick:
        return RunAction.REQUEUE if max(run.lease_until, run.parked_until) <= now else RunAction.NOTHING
    waiting_since = max(run.messaged_at, run.parked_until, run.lease_until)
    stuck = run.lease_until <= now and waiting_since + LOST_AFTER_SECONDS <= now
    # A worker that died is noticed by its lease, long before its message comes back.
    died = run.status is RunStatus.RUNNING and run.worker != "" and run.lease_until <= now
    return RunAction.REQUEUE if stuck or died else RunAction.NOTHING


_OUTCOMES = {RunAction.NOTHING: "left", RunAction.START: "started", RunAction.REQUEUE: "nudged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Finds due work of one function and enqueues it; any number of ticks at once start one run.

    `beside`: further kinds that the function works on, and how often (seconds). Their runs are named among the due ones
    of `kind`, so they cost a tick nothing where nothing is due.
    """

    kind: Kind
    runs: RunStore
    targets: Targets
    queue: Queue
    every_seconds: int
    now: Callable[[], float]
    new_id: Callable[[], str]
    beside: Mapping[Kind, int] = field(default_factory=dict)

    def tick(self) -> dict[str, int]:
        """Look at every run that is due once; the answer counts what was started and requeued.

        Raises IncompleteTick at its end where some could not be looked at: they hold up nobody.
        """
        seen: Counter[str] = Counter(started=0, nudged=0, seen=0, unreadable=0, failed=0)
        due, now = self.runs.due(self.kind), int(self.now())
        due.walk(self._add_missing_due_rows, now)
        for page in due.pages(now):
            if not self._page(page, now, seen):
                break  # The table or the queue is away, for all of them.
        if seen[FAILED]:
            raise IncompleteTick(dict(seen))
        return {name: seen[name] for name in ("started", "nudged", "seen", "unreadable")}

    def _page(self, page: Sequence[Due], now: int, seen: Counter[str]) -> bool:
        """Look at the runs that a page names, and note when to look again; False where it is of no use to go on."""
        next_checks: dict[str, Due | None] = {}
        named = {one.subject: run_of_subject(one.subject, self.kind) for one in page}
        scheduled, in_a_row = self.targets.scheduled({integration_id for integration_id, _ in named.values()}), 0
        wanted = {one: what for one, what in named.items() if what[0] in scheduled and what[1] in self._kinds}
        for subject, run in self._load(wanted):
            outcome, next_checks[subject] = self._attempt(subject, run)
            seen.update(["seen", outcome])
            in_a_row = in_a_row + 1 if outcome == FAILED else 0
            if in_a_row >= MOST_IN_A_ROW:
                break
        # One that may not sync is not come back to: what lets it sync again asks for a look.
        left = set(wanted) - {one for one, check in next_checks.items() if check is not None and check.at > now}
        due = self.runs.due(self.kind)
        due.add(check for one, check in next_checks.items() if check is not None and one not in left)
        due.drop(one for one in page if one.subject not in left)
        return in_a_row < MOST_IN_A_ROW

    def _load(self, wanted: Mapping[str, tuple[str, Kind | None]]) -> Iterator[tuple[str, Run | UnreadableRun]]:
        """Read runs, those of a kind together."""
        for kind in self._kinds:
            ids = [integration_id for integration_id, its in wanted.values() if its is kind]
            for integration_id, run in (self.runs.load_many(ids, kind) if ids else {}).items():
                yield due_subject(integration_id, kind), run

    def _add_missing_due_rows(self, after: str | None) -> str | None:
        """Have the runs of a page of integrations looked at in time where nothing else will."""
        page = self.targets.scheduled_page(after)
        named = {due_subject(one, kind): (one, kind) for kind in self._kinds for one in page.ids}
        self.runs.due(self.kind).add_missing(
            Due(subject, AT_ONCE, "unreadable") if isinstance(run, UnreadableRun) else self._next(run)
            for subject, run in self._load(named)
        )
        return page.last

    @property
    def _kinds(self) -> Sequence[Kind]:
        return [self.kind, *self.beside]

    def _every(self, kind: Kind) -> int:
        return self.beside.get(kind, self.every_seconds)

    def _next(self, run: Run) -> Due:
        return due_row(run, every_seconds=self._every(run.kind))

    def _attempt(self, subject: str, run: Run | UnreadableRun) -> tuple[str, Due | None]:
        """What became of a look, and when the next one is to be; None where this one is to be tried again."""
        try:
            if isinstance(run, UnreadableRun):
                raise run
            step, left = self._process(run)
        except HubError as error:
            outcome = "unreadable" if isinstance(error, UnreadableRun) else FAILED
            integration_id, kind = run_of_subject(subject, self.kind)
            told = {"integration_id": integration_id, "kind": str(kind), "code": error.code}
            _LOG.warning("integration not looked at", extra=told)
            return outcome, None
        return _OUTCOMES[step], self._next(left)

    def _process(self, run: Run) -> tuple[RunAction, Run]:
        """Do what is to be done for a run, and say how that leaves it."""
        now = int(self.now())
        step = decide(run, now=now, every_seconds=self._every(run.kind))
        if step is RunAction.NOTHING:
            return step, run
        following = (
            request(run, sync_id=self.new_id(), now=now)
            if step is RunAction.START
            else replace(run, messaged_at=now, left_to_tick=False)
        )
        try:
            saved = self.runs.save(following)
        except ConditionFailed:
            return RunAction.NOTHING, run
        self.queue.send(work_message(saved))
        return step, saved
