"""The hub's sync as Lambda drives it, with the real engine, features and client over a GitLab-shaped server.

Only tables, queues, clock and sleep are made up: no test waits for what the hub waits for.
"""

import asyncio
import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, TypeVar

import httpx

from gitlab_hub.access.credentials.feature import CredentialsFeature
from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.graphql.members import WORTH_IT
from gitlab_hub.audit.log import AuditLog
from gitlab_hub.gitlab.client import ClientOptions, GitLab, Tokens
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.wire import VettedTransport
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import INTEGRATIONS, LIVE, is_live
from gitlab_hub.pipelines.feature import MANY_PROJECTS, PipelinesFeature
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.dispatcher import Dispatcher
from gitlab_hub.sync.engine import Connection, Engine, Runtime
from gitlab_hub.sync.ports import Feature, Kind, Scheduled, SyncTarget
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import Run
from gitlab_hub.sync.service import SyncService
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.worker import PurgeBook
from stand_in_gitlab.process import Running
from tests.fakes.faults import Outcome, Plan, faulty
from tests.fakes.gitlab_client import FixedTokens
from tests.fakes.lineage import invoked
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

POLICY = NetworkPolicy(allow_loopback=True, allow_http=True)
ID = "i1"


class Wire(httpx.AsyncBaseTransport):
    """The way to GitLab, with somebody watching who may interfere before each request."""

    def __init__(self, inner: httpx.AsyncBaseTransport, watch: Callable[[httpx.Request], httpx.Request]) -> None:
        self._inner, self._watch = inner, watch

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the watcher see, change or refuse the request, then send it."""
        return await self._inner.handle_async_request(self._watch(request))

    async def aclose(self) -> None:
        """Close the way itself."""
        await self._inner.aclose()


class Targets:
    """One integration with one credential; verdicts about it are kept."""

    def __init__(self, target: SyncTarget, token: str) -> None:
        self.only, self.token = target, token
        self.verdicts: list[str] = []

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """The one integration, where it is named."""
        return {self.only.integration_id} & set(ids)

    def scheduled_page(self, after: str | None) -> Scheduled:
        """The one integration."""
        return Scheduled([self.only.integration_id] if after is None else [], None)

    def target(self, integration_id: str) -> SyncTarget | None:
        """The one target."""
        return self.only if integration_id == self.only.integration_id else None

    def tokens(self, target: SyncTarget) -> Tokens:
        """The one token; there is never a newer one."""
        return FixedTokens(self.token)

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """Keep where its group is, as integrations do."""
        if self.only == target:
            self.only = replace(target, group_id=group_id, group=path)

    def mark_rejected(self, target: SyncTarget) -> None:
        """GitLab refuses the credential."""
        self.verdicts.append("rejected")

    def mark_valid(self, target: SyncTarget) -> None:
        """GitLab takes the credential."""
        self.verdicts.append("accepted")


NEVER = 10**9
"""In the place of `graphql_from`: everything is read by REST, however many lists there are."""


class SyncHub:
    """One integration of a hub: its tables and queues, and workers as they are needed."""

    def __init__(self, server: Running, token: str = "admin", *, group: str | None = None, **options: Any) -> None:
        visibility = server.control("GET", f"ground-truth/visibility?token={token}")
        target = SyncTarget(
            integration_id=ID,
            credential_id="c1",
            base_url=server.base,
            user_id=visibility["user_id"],
            is_admin=visibility["is_admin"],
            group=group,
        )
        self.server, self.targets = server, Targets(target, server.control("GET", "tokens")[token])
        self.options = ClientOptions(**options)
        self.state, self.rows = MemoryTable(), _shared(MemoryTable)
        self.state.put({"pk": INTEGRATIONS, "sk": ID, "lifecycle": LIVE})
        self.queues = _shared(MemoryQueue)
        self.now = float(server.control("GET", "clock")["now"])
        self.remaining: Callable[[], float] = lambda: 900.0
        self.watch: Callable[[httpx.Request], httpx.Request] = lambda request: request
        self.view: Callable[[Table], Table] = lambda table: table
        self.pause: Callable[[float], None] = lambda _: None
        """Told how long the hub waits, in a worker or between two of them."""
        self.requests: list[httpx.URL] = []
        self.graphql_from, self.lists_from = WORTH_IT, MANY_PROJECTS
        """So many groups and projects are worth asking whether GraphQL may tell their members, or pipelines."""
        self.deployments = False
        """Whether syncs of pipelines read deployments."""
        self._numbers = count(1)

    def clone(self) -> "SyncHub":
        """The same hub again, with tables and queues of its own: to try many futures from one past."""
        other = copy.copy(self)
        other.targets = Targets(self.targets.only, self.targets.token)
        tables = {kind: _copied(table) for kind, table in self.rows.items() if kind.worked_with is kind}
        other.state, other.rows = _copied(self.state), {kind: tables[kind.worked_with] for kind in Kind}
        other.queues = _shared(MemoryQueue)
        other.requests = []
        return other

    @property
    def service(self) -> SyncService:
        """What the HTTP side does."""
        return SyncService(
            runs=RunStore(self.state),
            queues=self.queues,
            purges=partial(PurgeBook, self.state),
            audit=AuditLog(self.state, lambda: self.now),
            incidents=IncidentStore(self.state, lambda: self.now, is_live),
            now=lambda: self.now,
            new_id=lambda: self._new("s"),
        )

    def dispatcher(self, kind: Kind, *, every_seconds: int = 300) -> Dispatcher:
        """What the schedule does; a kind that is a guest brings its host along, not the other way round."""
        return Dispatcher(
            kind=kind.worked_with,
            runs=RunStore(self.state),
            targets=self.targets,
            queue=self.queues[kind],
            every_seconds=every_seconds,
            now=lambda: self.now,
            new_id=lambda: self._new("s"),
            beside={} if kind is kind.worked_with else {kind: every_seconds},
        )

    def run(self, kind: Kind) -> Run:
        """The run as stored."""
        return RunStore(self.state).load(ID, kind)

    def sync(self, kind: Kind, *, full: bool = False) -> Run:
        """Ask for a run and see it through."""
        self.service.request(ID, [kind], full=full)
        return self.work(kind)

    def work(self, kind: Kind, *, slices: int = 60) -> Run:
        """Handle the queue's messages and all that they lead to, and let the schedule tick; waits pass at once."""
        for _ in range(slices):
            waiting = self.queues[kind].receive()
            for sent in waiting:
                self._wait(sent.delay_seconds)
                with invoked(kind, sent.lineage):
                    self.engine(Kind(sent.body["kind"])).handle(sent.body, remaining=self.remaining)
            if not waiting and not self.run(kind).left_to_tick:
                return self.run(kind)
            if not waiting:
                self._wait(max(0, self.run(kind).parked_until - self.now))
                with invoked(kind):
                    self.dispatcher(kind).tick()
        raise AssertionError(f"the run does not come to an end: {self.run(kind)}")

    def engine(self, kind: Kind) -> Engine:
        """A worker of its own."""
        outside = Runtime(worker=lambda: self._new("w"), clock=lambda: self.now, sleep=self.sleep, flush_seconds=0.0)
        state, table = self.view(self.state), self.view(self.rows[kind])
        incidents = IncidentStore(state, lambda: self.now, is_live)
        features: dict[Kind, Callable[[], Feature]] = {
            Kind.ACCESS: lambda: AccessFeature(table, graphql_from=self.graphql_from),
            Kind.PIPELINES: lambda: PipelinesFeature(
                table,
                incidents,
                deployments=self.deployments,
                graphql_from=self.graphql_from,
                lists_from=self.lists_from,
            ),
            Kind.CREDENTIALS: lambda: CredentialsFeature(table, partial(RunStore(state).load, kind=Kind.ACCESS)),
        }
        return Engine(
            features[kind](), RunStore(state), self.targets, lambda _: self._connect(state), self.queues[kind], outside
        )

    def later(self, seconds: float) -> None:
        """Let time pass for the hub and for GitLab, where work goes on meanwhile."""
        self.server.control("POST", "advance", {"seconds": seconds, "jobs": 3})
        self.now += seconds

    async def sleep(self, seconds: float) -> None:
        """Let a wait pass at once."""
        self._wait(seconds)
        await asyncio.sleep(0)

    def _wait(self, seconds: float) -> None:
        self.pause(seconds)
        self.now += seconds

    def _connect(self, state: Table) -> Connection:
        address, only = POLICY.vetted(self.targets.only.base_url), self.targets.only
        limiter = SharedLimiter(state, host=address.host, user_id=only.user_id, now=lambda: self.now, sleep=self.sleep)
        gitlab = GitLab(
            address,
            self.targets.tokens(only),
            policy=POLICY,
            limiter=limiter,
            options=self.options,
            sleep=self.sleep,
            transport=Wire(VettedTransport(address, POLICY, self.options), self._see),
        )
        return Connection(gitlab, limiter)

    @contextmanager
    def failing(self, plan: Plan) -> Iterator[None]:
        """Let calls to tables and requests to GitLab fail as planned; a request that fails never reaches GitLab."""

        def watch(request: httpx.Request) -> httpx.Request:
            if plan.outcome(str(request.url)) is not Outcome.WORKS:
                raise plan.error()
            return request

        before = self.view, self.watch
        self.view, self.watch = lambda table: faulty(table, plan), watch
        try:
            yield
        finally:
            self.view, self.watch = before

    def _see(self, request: httpx.Request) -> httpx.Request:
        self.requests.append(request.url)
        return self.watch(request)

    def _new(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"


T = TypeVar("T")


def _shared(make: Callable[[], T]) -> dict[Kind, T]:
    """One for each function; kinds that one function works on share it."""
    made = {kind: make() for kind in Kind if kind.worked_with is kind}
    return {kind: made[kind.worked_with] for kind in Kind}


def _copied(table: MemoryTable) -> MemoryTable:
    other = MemoryTable()
    other._items = dict(table._items)
    return other
