"""Builds as Lambda drives them, over stores in memory, a target that remembers and a GitLab that shows statuses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from gitlab_hub.audit.model import AuditAction
from gitlab_hub.builds.feature import BuildsFeature
from gitlab_hub.builds.runs.feature import builder_of
from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.runs.worker import Builder
from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.builds.targets.base import Started
from gitlab_hub.builds.targets.https import TargetCheck
from gitlab_hub.builds.triggers.model import MergeRequestRules, ReportStatus, Trigger
from gitlab_hub.composition.routes import builds_routes
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.gitlab.webhooks.parse import HookEvent, MergeRequest
from gitlab_hub.storage.ports import OrderedQueue, Table
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.container import MemoryContainer
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.faults import Plan, faulty
from tests.fakes.gitlab import ScriptedConnector, ScriptedGitLab
from tests.fakes.queue import MemoryOrderedQueue
from tests.fakes.table import MemoryTable
from tests.fakes.triggers import MemorySources
from tests.functional.builds.build_gitlab import INTEGRATION, NEWER, SHA, GitLabs, StatusWall

__all__ = ["INTEGRATION", "NEWER", "SHA", "GitLabs", "StatusWall"]

OTHER = "int_0c2d"
TRIGGER = "trg_0a1b_one"
PROJECT = 7
START = 1_700_000_000
DEVELOPER = Principal("t-dev", Role.DEVELOPER)
STRANGER = Principal("t-other", Role.OWNER, frozenset({OTHER}))


class MemoryTarget:
    """A target that tells a build it has had by its id, as CodeBuild and Step Functions do."""

    def __init__(self, prefix: str = "ext") -> None:
        self.prefix = prefix
        self.calls: list[tuple[str, str]] = []
        self.builds: dict[str, Mapping[str, Any]] = {}
        self.stopped: list[str] = []
        self.ends: dict[str, BuildStatus] = {}
        self.faults: list[Exception] = []

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        self._called("start", build)
        self.builds.setdefault(build.id, message)
        return Started(f"{self.prefix}:{build.id}", f"https://console.example/{build.id}")

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:
        self._called("stop", build)
        if build.id not in self.stopped:
            self.stopped.append(build.id)

    def poll(self, build: Build) -> BuildStatus | None:
        self._called("poll", build)
        return self.ends.get(build.id)

    def _called(self, what: str, build: Build) -> None:
        self.calls.append((what, build.id))
        if self.faults:
            raise self.faults.pop(0)


@dataclass(frozen=True)
class One:
    """An integration, as far as lists need one."""

    id: str


class Audit:
    """Keeps what was recorded."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def record(self, action: AuditAction, *, actor: str, integration_id: str | None, **details: Any) -> str:
        self.lines.append((action, actor, {"integration_id": integration_id, **details}))
        return "aud_1"


class Integrations:
    """Two integrations."""

    def __init__(self) -> None:
        self.known = [INTEGRATION, OTHER]

    def exists(self, integration_id: str) -> bool:
        return integration_id in self.known

    def after(self, position: str | None, *, among: frozenset[str] | None = None) -> Iterator[Any]:
        known = sorted(set(self.known) if among is None else among.intersection(self.known))
        yield from (One(each) for each in known if position is None or each > position)


class World:
    """A hub with builds and nothing else."""

    def __init__(self) -> None:
        self.rows = MemoryTable(indexes=("by_time", "pending"))
        self.queue = MemoryOrderedQueue()
        self.gitlabs = GitLabs(StatusWall())
        self.target = MemoryTarget()
        self.now = float(START)
        self.failures: list[Exception] = []
        self.sources: MemorySources | None = MemorySources()
        self.allowed = AllowedArns()
        self.use(self.rows, self.queue)
        self.integrations, self.audit = Integrations(), Audit()

    @property
    def wall(self) -> StatusWall:
        return self.gitlabs.wall

    def use(self, table: Table, queue: OrderedQueue, target: Any = None, gitlabs: Any = None) -> None:
        """Build the feature over these ports."""
        self.feature = BuildsFeature(
            table=table, queue=queue, gitlabs=gitlabs or self.gitlabs, sources=self.sources, now=lambda: self.now
        )
        self.builder: Builder = builder_of(self.feature, {"memory": target or self.target}, draw=lambda: 0.0)

    def add(self, *triggers: Trigger) -> Trigger:
        for one in triggers or (trigger(),):
            self.feature.triggers.store.add(one)
        return (triggers or (trigger(),))[0]

    def receive(self, event: HookEvent, delivery: str = "dlv_0a1b_1") -> tuple[list[str], list[str]]:
        build_ids, reasons = self.feature.builds.on_event(INTEGRATION, event, delivery_id=delivery)
        return list(build_ids), list(reasons)

    def push(self, sha: str = SHA, *, ref: str = "main", delivery: str = "dlv_0a1b_1") -> str:
        [build_id], _ = self.receive(push(sha, ref=ref), delivery)
        return build_id

    def work(self) -> None:
        """Let the builder take every message, and those that come of them; what fails is in `failures`."""
        while messages := self.queue.take():
            for message in messages:
                try:
                    self.builder(message.body, remaining=lambda: 60.0)
                except Exception as error:  # noqa: BLE001 a queue takes any failure
                    self.failures.append(error)

    def later(self, seconds: float) -> None:
        """Let time pass, and the schedule run once."""
        self.now += seconds
        self.queue.expire_ids()
        self.builder.tick()
        self.work()

    def build(self, build_id: str) -> Build:
        return self.feature.store.require(build_id)

    def builds(self) -> Iterator[Build]:
        for row in self.rows.dump():
            if row["sk"] == "BUILD":
                yield self.build(str(row["id"]))

    def api(self) -> Api:
        container = MemoryContainer(
            ScriptedConnector(ScriptedGitLab()),
            tables={"deliveries": self.rows},
            now=lambda: self.now,
            builds=self.feature,
            gitlabs=self.gitlabs,
            integration_store=self.integrations,
            audit=self.audit,
            cursors=Cursors(lambda: b"key"),
            master_key=SimpleNamespace(derive=lambda _: b"k" * 32),
            target_check=lambda: TargetCheck(NetworkPolicy(), self.allowed),
        )
        routes = builds_routes(container)
        return Api(routes, guard=self.integrations, idempotency=Idempotency(self.rows), now=lambda: self.now)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        principal: Principal | None = OWNER,
        key: str = "",
        **query: Any,
    ) -> tuple[int, Any]:
        headers = {"idempotency-key": key} if key else {}
        event = http_event(method, path, body, principal=principal, headers=headers, query=query)
        return answered(self.api().resolve(event, Context()))


def let_another_receive(event: HookEvent, world: World, *, at: int) -> list[str]:
    """Let another worker take an event before the next worker's call of this number; gives the builds it will make."""
    build_ids: list[str] = []

    def receive() -> None:
        world.use(world.rows, world.queue)
        build_ids.extend(world.receive(event, "dlv_0a1b_other")[0])

    world.use(faulty(world.rows, Plan(at=at, meanwhile=receive)), world.queue)
    return build_ids


def trigger(trigger_id: str = TRIGGER, **changes: Any) -> Trigger:
    values: dict[str, Any] = {
        "id": trigger_id,
        "integration_id": INTEGRATION,
        "project_id": PROJECT,
        "group": None,
        "events": ("push", "tag_push", "merge_request"),
        "merge_requests": MergeRequestRules(),
        "report_status": ReportStatus(name="ci/hub"),
        "target": {"type": "memory", "name": "m"},
        "created_by": "t-owner",
        "created_at": START,
        "updated_at": START,
    }
    return Trigger(**{**values, **changes})


def push(sha: str = SHA, *, ref: str = "main", kind: str = "push", **changes: Any) -> HookEvent:
    values: dict[str, Any] = {
        "kind": kind,
        "project_id": PROJECT,
        "project_path": "acme/app",
        "ref": ref,
        "sha": sha,
        "before": "c" * 40,
        "after": sha,
        "actor": "root",
    }
    return HookEvent(**{**values, **changes})


def merge_request(sha: str = SHA, *, ref: str = "main", source: int = PROJECT) -> HookEvent:
    found = MergeRequest(
        iid=3,
        action="open",
        state="opened",
        draft=False,
        labels=(),
        source_branch=ref,
        target_branch="stable",
        source_project_id=source,
        target_project_id=PROJECT,
        oldrev=None,
    )
    return HookEvent(
        kind="merge_request",
        action="open",
        project_id=PROJECT,
        project_path="acme/app",
        ref=ref,
        sha=sha,
        actor="root",
        merge_request=found,
    )


def running(world: World) -> str:
    build_id = world.push()
    world.work()
    return build_id
