"""An engine over fakes, driven like Lambda drives it: one queue message after the other."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from gitlab_hub.gitlab.client import GitLab, Tokens
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.dispatcher import Dispatcher
from gitlab_hub.sync.engine import Connection, Engine, Runtime
from gitlab_hub.sync.ports import Feature, Kind, Scheduled, SyncTarget
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import Run, request
from gitlab_hub.sync.store import RunStore
from tests.fakes.lineage import invoked
from tests.fakes.mirrored_source import FakeGitLab
from tests.fakes.queue import MemoryQueue, Sent

TARGET = SyncTarget(
    integration_id="i1", credential_id="c1", base_url="https://gitlab.example", user_id=7, is_admin=True, group=None
)


class FakeTargets:
    """One integration; what the engine said about its credential is kept."""

    def __init__(self) -> None:
        self.verdicts: list[str] = []
        self.places: list[tuple[int, str]] = []
        self.paused = False

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """The one integration, where it is named."""
        return {TARGET.integration_id} & set(ids)

    def scheduled_page(self, after: str | None) -> Scheduled:
        """The one integration."""
        return Scheduled([TARGET.integration_id] if after is None else [], None)

    def target(self, integration_id: str) -> SyncTarget | None:
        """The one target, unless paused."""
        return None if self.paused else TARGET

    def tokens(self, target: SyncTarget) -> Tokens:
        """The fake client needs no token."""
        raise NotImplementedError

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """GitLab says where the group is."""
        self.places.append((group_id, path))

    def mark_rejected(self, target: SyncTarget) -> None:
        """GitLab refuses the credential."""
        self.verdicts.append("rejected")

    def mark_valid(self, target: SyncTarget) -> None:
        """GitLab takes the credential."""
        self.verdicts.append("accepted")


class Driver:
    """Queue, clock and workers of one run."""

    def __init__(self, table: Table, feature: Feature, gitlab: FakeGitLab | None = None) -> None:
        self.table, self.feature, self.gitlab = table, feature, gitlab or FakeGitLab()
        self.queue, self.targets, self.now = MemoryQueue(), FakeTargets(), 1_000_000.0
        self.remaining: Callable[[], float] = lambda: 900.0
        self.ended: list[Run] = []
        self._workers = 0

    @property
    def run(self) -> Run:
        """The run as stored."""
        return RunStore(self.table).load("i1", self.feature.kind)

    def start(self, sync_id: str = "s1", **options: Any) -> dict[str, Any]:
        """Queue a run; the answer is its message."""
        run = request(self.run, sync_id=sync_id, now=int(self.now), **options)
        RunStore(self.table).save(run)
        return {"schema": 1, "integration_id": "i1", "kind": str(Kind(self.feature.kind)), "sync_id": sync_id}

    def engine(self, table: Table | None = None) -> Engine:
        """A worker's engine, on another view of the table where one is given."""
        self._workers += 1
        table, name = table or self.table, f"w{self._workers}"
        limiter = SharedLimiter(table, host="gitlab.example", user_id=7, now=lambda: self.now)
        outside = Runtime(
            worker=lambda: name, ended=self.ended.append, clock=lambda: self.now, sleep=self._sleep, flush_seconds=0.0
        )
        connection = Connection(cast("GitLab", self.gitlab), limiter)
        return Engine(self.feature, RunStore(table), self.targets, lambda _: connection, self.queue, outside)

    def work(self, message: dict[str, Any], *, slices: int = 50) -> Run:
        """Handle the message and every one it leads to, and let the schedule tick; waits pass at once."""
        self._handle(Sent(message, 0))
        for _ in range(slices):
            waiting = self.queue.receive()
            if waiting:
                self.now += waiting[0].delay_seconds
                self._handle(waiting[0])
            elif self.run.left_to_tick:
                self.now = max(self.now, self.run.parked_until)
                self.tick()
            else:
                return self.run
        raise AssertionError(f"the run does not come to an end: {self.run}")

    def tick(self) -> None:
        """Do what the schedule does; each tick is an event of its own."""
        dispatcher = Dispatcher(
            kind=self.feature.kind,
            runs=RunStore(self.table),
            targets=self.targets,
            queue=self.queue,
            every_seconds=300,
            now=lambda: self.now,
            new_id=lambda: "later",
        )
        with invoked(self.feature.kind):
            dispatcher.tick()

    def _handle(self, sent: Sent) -> None:
        with invoked(self.feature.kind, sent.lineage):
            self.engine().handle(sent.body, remaining=self.remaining)

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
