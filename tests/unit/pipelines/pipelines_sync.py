"""One pipelines sync over a model of GitLab and a table in memory, without the engine around it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import jobs_pk, pipelines_pk
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.reader import shown
from gitlab_hub.pipelines.store import unpack
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync.mirror import DatasetMirror
from gitlab_hub.sync.ports import RowStore, Scope, Session, SyncTarget
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.source_model import ModelGitLab, ModelPipeline, job

T = TypeVar("T")

LIST = "/projects/1/pipelines"

START = 1_700_000_000_000_000
SECOND = 1_000_000


class Stopped(Exception):
    """The worker was stopped between two steps."""


class ScriptedSession:
    """A session whose checkpoints outlive it, as a run's do; `stop_after` checkpoints it stops."""

    def __init__(
        self, world: "World", cursors: dict[str, Any], *, full: bool, stop_after: int | None, sync_id: str = "s1"
    ) -> None:
        self.target, self.gitlab, self.full = world.target, cast("GitLab", world.gitlab), full
        self.sync_id, self.failures = sync_id, 0
        self.counts: Counter[str] = Counter()
        self.cursors, self._world, self._stop_after = cursors, world, stop_after
        self._mirrors: dict[str, DatasetMirror] = {}

    def fenced(self, table: Table) -> Table:
        """The table itself: nobody else is at work."""
        return table

    def concurrency(self, most: int) -> int:
        """As much at once as anybody wants."""
        return most

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._world.now / 1e6, UTC)

    def mirror(self, dataset: str, store: RowStore) -> DatasetMirror:
        return self._mirrors.setdefault(dataset, DatasetMirror(dataset, store, self))

    def journal(self, name: str, entries: Iterable[Any]) -> None:
        """Nothing is carried over."""

    def refuses(self, dataset: str) -> bool:
        return False

    def cursor(self, scope: Scope) -> Any:
        return self.cursors.get(scope.key)

    async def checkpoint(self, scope: Scope, cursor: Any) -> None:
        self.cursors[scope.key] = cursor
        await self.note_progress()

    async def note_progress(self) -> None:
        if self._stop_after is not None:
            self._stop_after -= 1
            if self._stop_after < 0:
                raise Stopped

    async def io(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return call(*args, **kwargs)

    async def write(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return call(*args, **kwargs)

    async def gather(self, *jobs: Callable[[], Awaitable[T]]) -> list[T]:
        return [await job() for job in jobs]

    def count(self, **amounts: int) -> None:
        self.counts.update(amounts)

    async def partial(self, scope: Scope, code: str, reason: str = "", *, rows: Sequence[str] = ()) -> None:
        self._world.partials.append((scope.key, code, " ".join([reason, *rows]).strip()))

    def keep_notes(self) -> None:
        self._world.kept_notes += 1

    async def aside(self, scope: Scope, status: str, code: str, reason: str = "") -> None:
        self._world.asides.append((scope.key, status, f"{code} {reason}".strip()))


class CountingTable(MemoryTable):
    """A table that counts single reads and written items, and can break."""

    reads = written = 0
    breaks_at: int | None = None

    def get(self, pk: str, sk: str) -> Item | None:
        self.reads += 1
        return super().get(pk, sk)

    def put(self, item: Item, *args: Any, **kwargs: Any) -> None:
        self.written += 1
        if self.written == self.breaks_at:
            raise Stopped
        super().put(item, *args, **kwargs)


class World:
    """Clock, GitLab, table and sync together. The clock counts microseconds and moves with every request."""

    def __init__(self, *, seed: int = 0, page: int = 100) -> None:
        self.now = START
        self.gitlab = ModelGitLab(lambda: self.now, seed=seed, page=page)
        self.table = CountingTable()
        self.partials: list[tuple[str, str, str]] = []
        self.asides: list[tuple[str, str, str]] = []
        self.kept_notes = 0
        self.target = SyncTarget(
            integration_id="i1", credential_id="c1", base_url="https://gitlab.example", user_id=7, is_admin=True
        )

    def project(self, number: int = 1) -> dict[int, ModelPipeline]:
        """The pipelines of a project in GitLab."""
        return self.gitlab.projects.setdefault(number, {})

    def add(self, number: int, *, updated: int | None = None, project: int = 1, **fields: Any) -> ModelPipeline:
        """Put a pipeline into GitLab; a finished one finished when it was updated."""
        at = self.now if updated is None else updated
        pipeline = ModelPipeline(id=number, updated=at, created=at, **fields)
        if pipeline.status in {"success", "failed"}:
            pipeline.finished = at
        self.project(project)[number] = pipeline
        return pipeline

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * SECOND)

    async def sync(
        self, *, full: bool = False, stop_after: int | None = None, resume: Any = None, sync_id: str = "s1"
    ) -> ScriptedSession:
        """Run all stages; a stopped session can be resumed by another one."""
        cursors = {} if resume is None else resume
        session = ScriptedSession(self, cursors, full=full, stop_after=stop_after, sync_id=sync_id)
        for stage in PipelinesFeature(self.table).stages(cast("Session", session)):
            async for scope in stage.scopes(None):
                await stage.read(scope)
        return session

    async def sweep(self) -> None:
        """Run the first and the last stage only, as a run does whose middle failed in places."""
        session = ScriptedSession(self, {}, full=False, stop_after=None)
        first, *_, last = PipelinesFeature(self.table).stages(cast("Session", session))
        await first.read(Scope("all"))
        await last.read(Scope("all"))

    def row(self, number: int, project: int = 1) -> Item | None:
        """A stored pipeline."""
        item = self.table.get(pipelines_pk("i1", project), padded(number))
        return None if item is None else shown(item)

    def stored(self, project: int = 1) -> dict[int, tuple[Any, ...]]:
        """What is stored of a project, in the shape of `source`."""
        rows = [shown(item) for item in self.table.query(pipelines_pk("i1", project), limit=100_000).items]
        return {row["id"]: (row["status"], row["updated_at"], self.jobs(row["id"], project)) for row in rows}

    def jobs(self, number: int, project: int = 1) -> dict[int, str]:
        """The stored jobs of a pipeline with their status."""
        chunks = self.table.query(jobs_pk("i1", project), prefix=f"{padded(number)}#jobs#", limit=1000).items
        return {row["id"]: row["status"] for item in chunks for row in unpack(item["data"])}

    def source(self, project: int = 1) -> dict[int, tuple[Any, ...]]:
        """What GitLab has of a project."""
        return {
            number: (
                pipeline.status,
                pipeline.row(project)["updated_at"],
                {key: str(job["status"]) for key, job in pipeline.jobs.items()},
            )
            for number, pipeline in self.project(project).items()
        }


def fill(world: World, count: int) -> None:
    """Put so many finished pipelines into GitLab, the younger the higher their number."""
    for number in range(1, count + 1):
        world.add(number, updated=world.now - (1000 - number) * 1_000_000, status="success", jobs={number: job(number)})


def state(world: World) -> ReadState:
    """What is noted of the first project."""
    return ReadStates(world.table, "i1").load(1)


def lists(world: World) -> list[dict[str, Any]]:
    return [params for path, params in world.gitlab.log if path == LIST and "order_by" in params]


def state_of(world: World) -> tuple[int | None, str | None]:
    """Up to where the project counts as read, and why no further."""
    state = ReadStates(world.table, "i1").load(1)
    return state.default_watermark, state.error
