"""The worker under test, in a process of its own: the real engine, features, client and DynamoDB adapter.

`python -m benchmarks.worker <task as JSON>` prints its figures as JSON. The stand-ins run elsewhere, so processor
time and memory are the worker's alone.
"""

import cProfile
import json
import math
import pstats
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.measure import Usage
from benchmarks.worker_task import Task
from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.graphql.members import WORTH_IT
from gitlab_hub.gitlab.client import ClientOptions, GitLab
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.wire import VettedTransport
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.engine import Connection, Engine, Runtime
from gitlab_hub.sync.message import work_message
from gitlab_hub.sync.ports import Kind, Scheduled, SyncTarget
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import Run
from gitlab_hub.sync.store import RunStore

INTEGRATION = "benchmark"
NEVER = 10**9
"""So many groups and projects as to be worth asking about GraphQL are in no company."""
SLICE_SECONDS = 295.0
"""What a Lambda worker has: its time limit less the entry's reserve. A longer sync goes on in the next slice."""

SAMPLE = 2_000
"""The last requests are told, so that a bare client can repeat them."""


@dataclass(slots=True)
class Requests(httpx.AsyncBaseTransport):
    """Passes requests on, and remembers what the last ones asked for."""

    inner: VettedTransport
    targets: deque[tuple[str, str]]
    """Paths with queries, and bodies; a reading call of REST has none."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        body = request.content if request.method == "POST" else b""
        self.targets.append((request.url.raw_path.decode(), body.decode()))
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.inner.aclose()


@dataclass(frozen=True, slots=True)
class OneTarget:
    """The integrations of the hub: one, an administrator's; it is also where its client gets the token."""

    task: Task

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """The one integration, where it is named."""
        return {INTEGRATION} & set(ids)

    def scheduled_page(self, after: str | None) -> Scheduled:
        """The one integration."""
        return Scheduled([INTEGRATION] if after is None else [], None)

    def target(self, integration_id: str) -> SyncTarget:
        """What to read."""
        return SyncTarget(
            integration_id=integration_id,
            credential_id="one",
            base_url=self.task.base,
            user_id=self.task.user_id,
            is_admin=True,
        )

    def tokens(self, _target: SyncTarget) -> "OneTarget":
        """Itself."""
        return self

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """Nobody is limited to a group here."""
        raise NotImplementedError

    def mark_rejected(self, _target: SyncTarget) -> None:
        """Nothing remembers it."""

    def mark_valid(self, _target: SyncTarget) -> None:
        """Nothing remembers it."""

    async def current(self) -> str:
        """The token."""
        return self.task.token

    async def renewed(self, _rejected: str) -> None:
        """There is no other."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The worker's queue; a message that is to wait is waited for."""

    messages: deque[tuple[dict[str, Any], int]] = field(default_factory=deque)

    def send(self, body: Mapping[str, Any], *, delay_seconds: int = 0) -> None:
        """Take a message."""
        self.messages.append((dict(body), delay_seconds))

    def drain(self, handle: Callable[[dict[str, Any]], None]) -> int:
        """Hand every message over, those that arrive meanwhile too; the answer counts them."""
        count = 0
        while self.messages:
            body, delay = self.messages.popleft()
            time.sleep(delay)
            handle(body)
            count += 1
        return count


class Bench:
    """One worker and what it stands on."""

    def __init__(self, task: Task) -> None:
        self._task, self._inbox = task, Inbox()
        self._clock: Callable[[], float] = lambda: time.time() + task.ahead
        self.targets: deque[tuple[str, str]] = deque(maxlen=SAMPLE)
        self._integrations = DynamoTable("integrations")
        self._runs = RunStore(self._integrations)
        is_access = task.kind == Kind.ACCESS
        worth_it = NEVER if task.by_rest else WORTH_IT
        access = AccessFeature(DynamoTable("access"), graphql_from=worth_it)
        pipelines = PipelinesFeature(
            DynamoTable("pipelines"), deployments=task.deployments, graphql_from=worth_it
        )  # fmt: skip
        feature = access if is_access else pipelines
        outside = Runtime(worker=lambda: uuid4().hex, clock=self._clock)
        self._engine = Engine(feature, self._runs, OneTarget(task), self._connect, self._inbox, outside)

    def request(self) -> None:
        """Queue a run; the first call of the table also makes the AWS client, which is not the sync's cost."""
        before = self._runs.load(INTEGRATION, Kind(self._task.kind))
        run = self._runs.save(runs.request(before, sync_id=uuid4().hex, now=int(self._clock())))
        self._inbox.send(work_message(run))

    def work(self) -> int:
        """Carry the run on to its end; the answer is the number of slices."""
        return self._inbox.drain(self._handle)

    def result(self) -> Run:
        """What became of the run."""
        return self._runs.load(INTEGRATION, Kind(self._task.kind))

    def _handle(self, message: dict[str, Any]) -> None:
        end = time.monotonic() + SLICE_SECONDS
        self._engine.handle(message, remaining=lambda: end - time.monotonic())

    def _connect(self, target: SyncTarget) -> Connection:
        policy, options = NetworkPolicy(allow_loopback=True, allow_http=True), ClientOptions()
        address = policy.vetted(target.base_url)
        limiter = SharedLimiter(self._integrations, host=address.host, user_id=target.user_id, now=self._clock)
        wire = Requests(VettedTransport(address, policy, options), self.targets)
        gitlab = GitLab(address, OneTarget(self._task), policy=policy, limiter=limiter, options=options, transport=wire)
        return Connection(gitlab, limiter)


def measured(task: Task) -> dict[str, Any]:
    """Run one sync; its figures."""
    bench = Bench(task)
    bench.request()
    before = Usage.now()
    with _profiled(on=task.profile):
        slices = bench.work()
    after = Usage.now()
    run = bench.result()
    return {
        "status": str(run.status),
        "error": run.last_error,
        "counts": run.counts,
        "slices": slices,
        "wall": after.wall - before.wall,
        "cpu": after.cpu - before.cpu,
        "peak_mib": after.peak_mib,
        "start_mib": math.floor(before.peak_mib),
        "targets": list(bench.targets),
    }


@contextmanager
def _profiled(*, on: bool) -> Iterator[None]:
    """Show where the event loop's thread spends its time; the figures of such a run are of no use."""
    if not on:
        yield
        return
    profile = cProfile.Profile()
    with profile:
        yield
    for order in ("tottime", "cumulative"):
        pstats.Stats(profile, stream=sys.stderr).sort_stats(order).print_stats(35)


if __name__ == "__main__":
    print(json.dumps(measured(Task(**json.loads(sys.argv[1])))))
