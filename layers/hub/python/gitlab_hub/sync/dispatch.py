"""Every minute: what is due, and which run needs another push because its message or its worker was lost."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice

from gitlab_hub.errors import HubError
from gitlab_hub.storage.queue import Queue
from gitlab_hub.storage.table import ConditionFailed
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.message import work_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus, request
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.targets import Targets

LOST_AFTER_SECONDS = 120
"""A message that no worker took up for so long is sent again; a second one has no effect."""

MOST_IN_A_ROW = 3
PAGE = 100
"""Integrations whose runs are read together: as many as one call takes."""

FAILED = "failed"

_LOG = logging.getLogger(__name__)


class IncompleteTick(Exception):
    """Some integrations could not be looked at; the log names them."""


class Step(Enum):
    """What a tick does with one run."""

    NOTHING = "nothing"
    START = "start"
    NUDGE = "nudge"


def decide(run: Run, *, now: int, every_seconds: int) -> Step:
    """Start what is due, push what is stuck, leave the rest."""
    if run.status.at_rest:
        due = run.finished_at is None or run.finished_at + every_seconds <= now
        return Step.START if due else Step.NOTHING
    if run.left_to_tick:
        return Step.NUDGE if max(run.lease_until, run.parked_until) <= now else Step.NOTHING
    waiting_since = max(run.messaged_at, run.parked_until, run.lease_until)
    stuck = run.lease_until <= now and waiting_since + LOST_AFTER_SECONDS <= now
    # A worker that died is noticed by its lease, long before its message comes back.
    died = run.status is RunStatus.RUNNING and run.worker != "" and run.lease_until <= now
    return Step.NUDGE if stuck or died else Step.NOTHING


_OUTCOMES = {Step.NOTHING: "left", Step.START: "started", Step.NUDGE: "nudged"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Finds due work of one kind and enqueues it; any number of ticks at once start one run."""

    kind: Kind
    runs: RunStore
    targets: Targets
    queue: Queue
    every_seconds: int
    now: Callable[[], float]
    new_id: Callable[[], str]

    def tick(self) -> dict[str, int]:
        """Look at every integration once; the answer counts what was started and nudged.

        Raises IncompleteTick at its end where some could not be looked at: they hold up nobody.
        """
        seen: Counter[str] = Counter(started=0, nudged=0, seen=0, unreadable=0, failed=0)
        in_a_row = 0
        for integration_id, run in self._runs():
            seen["seen"] += 1
            outcome = self._attempt(integration_id, run)
            seen[outcome] += 1
            in_a_row = in_a_row + 1 if outcome == FAILED else 0
            if in_a_row >= MOST_IN_A_ROW:
                break  # The table or the queue is away, for all of them.
        if seen[FAILED]:
            raise IncompleteTick(dict(seen))
        return {name: seen[name] for name in ("started", "nudged", "seen", "unreadable")}

    def _runs(self) -> Iterator[tuple[str, Run | UnreadableRun]]:
        """The runs of all integrations, a page of them read at a time."""
        due = iter(self.targets.due())
        while page := list(islice(due, PAGE)):
            yield from self.runs.load_many(page, self.kind).items()

    def _attempt(self, integration_id: str, run: Run | UnreadableRun) -> str:
        try:
            if isinstance(run, UnreadableRun):
                raise run
            return _OUTCOMES[self._look_at(run)]
        except HubError as error:
            outcome = "unreadable" if isinstance(error, UnreadableRun) else FAILED
            told = {"integration_id": integration_id, "kind": str(self.kind), "code": error.code}
            _LOG.warning("integration not looked at", extra=told)
            return outcome

    def _look_at(self, run: Run) -> Step:
        now = int(self.now())
        step = decide(run, now=now, every_seconds=self.every_seconds)
        if step is Step.NOTHING:
            return step
        following = (
            request(run, sync_id=self.new_id(), now=now)
            if step is Step.START
            else replace(run, messaged_at=now, left_to_tick=False)
        )
        try:
            saved = self.runs.save(following)
        except ConditionFailed:
            return Step.NOTHING
        self.queue.send(work_message(saved))
        return step
