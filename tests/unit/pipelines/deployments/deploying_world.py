"""A project that deploys, in the stand-in GitLab without a socket, and the stage that reads its deployments."""

import asyncio
import json
from typing import Any, cast

import httpx

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.stage import DeploymentsStage
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import CountedDay, DeploymentStore
from gitlab_hub.pipelines.keys import deployments_due_pk, projects_pk
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.pipelines.projects import ProjectRows
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.ports import Session, SyncTarget
from gitlab_hub.sync.table_rows import HASH
from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.build import Sizes
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.server import stand_in
from stand_in_gitlab.webhooks.request import Request
from stand_in_gitlab.webhooks.transport import Reply
from tests.fakes.faults import Plan, faulty
from tests.fakes.gitlab_client import FixedTokens, Sleeps
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.pipelines_sync import ScriptedSession, World

EPOCH = 1_790_000_000
"""2026-09-21T14:13:20Z."""
PROJECT = 1
HERE = f"/api/v4/projects/{PROJECT}"


class Deploying:
    """GitLab, the clock, the table and the stage together."""

    def __init__(self) -> None:
        sizes = Sizes(users=3, groups=1, projects=1, pipelines=1, jobs=1)
        self.app: StandIn = stand_in(
            "http://gitlab.test", seed=3, sizes=sizes, epoch=float(EPOCH), frozen=True, post=_unheard
        )
        project = self.app.company.projects[PROJECT]
        project.default_branch, project.builds_enabled, project.has_repository = "main", True, True
        self.app.company.hooks.clear()
        self.do("push", project_id=PROJECT, branch="main", files=["a.py"])
        self.table, self.log = MemoryTable(), list[tuple[str, dict[str, str]]]()
        self.asides, self.partials = list[tuple[str, str, str]](), list[tuple[str, str, str]]()
        self.token, self.kept_notes = "admin-read", 0
        for token in self.app.company.tokens.values():
            token.expires_at = None
        self.broken = dict[str, int]()
        """Which paths of the project answer otherwise, and with what status."""
        self.target = SyncTarget(
            integration_id="i1", credential_id="c1", base_url="http://gitlab.test", user_id=1, is_admin=True
        )
        row = {"id": PROJECT, "path_with_namespace": project.full_path, "default_branch": "main", HASH: "h"}
        self.table.put({"pk": projects_pk("i1"), "sk": padded(PROJECT), **row})
        self.store, self.marks = DeploymentStore(self.table, "i1"), ProjectMarks(self.table, deployments_due_pk("i1"))

    @property
    def now(self) -> int:
        """Microseconds, as sessions take it."""
        return int(self.app.clock.now() * 1_000_000)

    @property
    def gitlab(self) -> GitLab:
        address = Address.parse("http://gitlab.test", allow_http=True)
        tokens = FixedTokens(self.app.company.well_known[self.token])
        transport = _Watched(httpx.ASGITransport(app=cast("Any", self.app)), self.log, self.broken)
        policy = NetworkPolicy(allow_http=True)
        return GitLab(address, tokens, policy=policy, transport=transport, sleep=Sleeps(), random=lambda: 0.5)

    def do(self, verb: str, **what: Any) -> dict[str, Any]:
        """Let something happen in GitLab."""
        return self._control("changes", {"do": verb, **what})

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self._control("advance", {"seconds": seconds, "idle": True})

    def deploy(self, *, files: str | None = None, **how: Any) -> int:
        """Deploy what is on the default branch; `files`: after a push."""
        if files is not None:
            self.do("push", project_id=PROJECT, branch="main", files=[files])
        number: int = self.do("deploy", project_id=PROJECT, **how)["id"]
        return number

    def merge(self, branch: str) -> None:
        """Merge a branch."""
        iid = self.do("open_merge_request", project_id=PROJECT, source_branch=branch, files=[f"{branch}.py"])["iid"]
        self.do("update_merge_request", project_id=PROJECT, iid=iid, action="merge")

    def mark(self) -> None:
        """Say that pipelines have changed in the project."""
        self.marks.add([PROJECT], now=self.now // 1000)

    def sync(
        self, *, full: bool = False, stop_after: int | None = None, marked: bool = True, plan: Plan | None = None
    ) -> None:
        """Run the stage; `plan`: which call of the table fails."""
        if marked:
            self.mark()
        self.log.clear()
        session = ScriptedSession(cast("World", self), {}, full=full, stop_after=stop_after)
        asyncio.run(self._run(cast("Session", session), faulty(self.table, plan or Plan())))

    async def _run(self, session: Session, table: Table) -> None:
        marks = ProjectMarks(table, deployments_due_pk("i1"))
        stage = DeploymentsStage(session, ProjectRows(table, "i1"), table, marks)
        async for scope in stage.scopes(None):
            await stage.read(scope)

    def asked(self) -> list[str]:
        """What was asked of the project, without its parameters."""
        return [path.removeprefix(HERE) for path, _ in self.log]

    @property
    def state(self) -> DeploymentState:
        """What is noted of the project."""
        return DeploymentStates(self.table, "i1").load(PROJECT)

    @property
    def is_marked(self) -> bool:
        """Whether the project is to be asked again."""
        return self.marks.has_any(PROJECT)

    def days(self) -> dict[str, CountedDay]:
        """What is counted."""
        return {day: counted for _, day, counted in self.store.days("2020-01-01", "2030-01-01")}

    def _control(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        call = Call(
            method="POST", path=name, segments=("__standin__", name), params={}, headers={},
            body=json.dumps(body).encode(),
        )  # fmt: skip
        answer = self.app.control_api.answer(call).settled()
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found


class _Watched(httpx.AsyncBaseTransport):
    """Keeps what is asked, and breaks some of it."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, log: list[tuple[str, dict[str, str]]], broken: dict[str, int]
    ) -> None:
        self._inner, self._log, self._broken = inner, log, broken

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._log.append((request.url.path, dict(request.url.params)))
        if (status := self._broken.get(request.url.path.removeprefix(HERE))) is not None:
            return httpx.Response(status, json={"message": "no"}, request=request)
        return await self._inner.handle_async_request(request)


def _unheard(_: Request) -> Reply:
    return Reply(status=200, headers={}, body="")


def shipped(world: Deploying) -> None:
    """A change that is the first, one with a merge request, and a failure behind it."""
    world.merge("one")
    world.later(600)
    world.deploy()
    world.later(3_600)
    world.merge("two")
    world.later(1_800)
    world.deploy()
    world.later(3_600)
    world.deploy(files="x.py", status="failed")
    world.later(600)


def changes(world: Deploying) -> list[Change]:
    """All changes that are counted, day by day."""
    return [change for _, counted in sorted(world.days().items()) for change in counted.changes]


def stored(world: Deploying, number: int) -> Item:
    """The row of a deployment."""
    item = world.table.get(f"i1#deployments#{PROJECT}", f"{number:012d}")
    assert item is not None
    return item
