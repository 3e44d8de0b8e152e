"""Every minute: what is due, and which run needs another push because its message or its worker was lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from gitlab_hub.storage.queue import Queue
from gitlab_hub.storage.table import ConditionFailed
from gitlab_hub.sync.message import work_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus, request
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.targets import Targets

LOST_AFTER_SECONDS = 120
"""A message that no worker took up for so long is sent again; a second one has no effect."""


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
        """Look at every integration once; the answer counts what was started and nudged."""
        steps = [self._look_at(integration_id) for integration_id in self.targets.due()]
        return {"started": steps.count(Step.START), "nudged": steps.count(Step.NUDGE), "seen": len(steps)}

    def _look_at(self, integration_id: str) -> Step:
        run, now = self.runs.load(integration_id, self.kind), int(self.now())
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
