"""Hints from their sender to the worker that processes them, over fakes: one queue, one clock, one GitLab."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.hints import AccessHints
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.hints import PipelineHints
from gitlab_hub.storage.ports import Queue, Table
from gitlab_hub.sync.engine import Connection
from gitlab_hub.sync.hints.handler import HintHandler, SupportsRefresh
from gitlab_hub.sync.hints.queue import HintQueue
from gitlab_hub.sync.ports import Kind, SyncTarget
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import FakeTargets
from tests.fakes.lineage import invoked
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable


class OneTarget(FakeTargets):
    """One integration, which a test may remove or change."""

    def __init__(self, only: SyncTarget | None) -> None:
        super().__init__()
        self.only = only

    def target(self, integration_id: str) -> SyncTarget | None:
        """The one target, while there is one."""
        return self.only

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """Keep where its group is, as integrations do."""
        super().store_group(target, group_id=group_id, path=path)
        if self.only == target:
            self.only = replace(target, group_id=group_id, group=path)


class HintWorker:
    """Where hints of one kind come in and are worked on; waits pass at once."""

    def __init__(self, kind: Kind, table: Table, gitlab: Any, target: SyncTarget, *, now: float = 1_000_000.0) -> None:
        self.kind, self.table, self.gitlab, self.now = kind, table, gitlab, now
        self.targets, self.queue = OneTarget(target), MemoryQueue()
        self.state: Table = MemoryTable()
        self.remaining: Callable[[], float] = lambda: 900.0

    def ran(self, sync_id: str, *, status: RunStatus = RunStatus.IDLE, **counts: int) -> None:
        """Let the schedule's run have come to its end."""
        run = RunStore(self.state).load("i1", self.kind)
        RunStore(self.state).save(replace(run, sync_id=sync_id, status=status, counts=counts))

    @property
    def pipelines(self) -> PipelineHints:
        """What the receiver of webhooks gives hints about pipelines to."""
        return PipelineHints(self.table, self.queue, lambda: self.now)

    @property
    def access(self) -> AccessHints:
        """What the receiver of webhooks gives hints about groups and projects to."""
        return AccessHints(self.table, self.queue, lambda: self.now)

    def handler(
        self,
        *,
        table: Table | None = None,
        queue: Queue | None = None,
        gitlab: Any = None,
        feature: SupportsRefresh | None = None,
    ) -> HintHandler:
        """A worker, with its own view of what it works with where one is given."""
        table, queue = table or self.table, queue or self.queue
        mine: SupportsRefresh = AccessFeature(table) if self.kind is Kind.ACCESS else PipelinesFeature(table)
        hints = AccessHints if self.kind is Kind.ACCESS else PipelineHints
        hint_queue: HintQueue = hints(table, queue, lambda: self.now).hint_queue
        limiter = SharedLimiter(self.state, host="gitlab.example", user_id=7, now=lambda: self.now)
        connection = Connection(cast("GitLab", gitlab or self.gitlab), limiter)
        return HintHandler(
            feature=feature or mine,
            hint_queue=hint_queue,
            runs=RunStore(self.state),
            targets=self.targets,
            connect=lambda _: connection,
            clock=lambda: self.now,
        )

    def work(self, *, most: int = 100) -> int:
        """Handle messages, each when it is due, until there are none; the answer is how many there were."""
        for done in range(most):
            waiting = self.queue.receive()
            if not waiting:
                return done
            first, *rest = waiting
            self.now += first.delay_seconds
            for sent in rest:
                self.queue.put_back(replace(sent, delay_seconds=max(0, sent.delay_seconds - first.delay_seconds)))
            with invoked(self.kind, first.lineage):
                self.handler().handle(first.body, remaining=self.remaining)
        raise AssertionError("the hints come to no end")
