"""Stored pipelines, the step that counts them, and the reader and routes of figures, without a GitLab."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from gitlab_hub.gitlab.fields import iso, padded
from gitlab_hub.inventory.model import partition
from gitlab_hub.pipelines.deployments.dora import DoraReader
from gitlab_hub.pipelines.figures.completeness import completeness_of
from gitlab_hub.pipelines.figures.reader import FigureReader
from gitlab_hub.pipelines.figures.routes import FigureRoutes
from gitlab_hub.pipelines.figures.stage import FiguresStage
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.pipelines.model import job_of, pipeline_of
from gitlab_hub.pipelines.projects import ProjectRows
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.sync.ports import Scope, Session
from gitlab_hub.web.api import Api
from tests.fakes.events import Context, answered, http_event
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.pipelines_sync import ScriptedSession, Stopped, World

MONDAY = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
"""2026-03-02, the first day of these tests."""

DAY = 86_400


class OneIntegration:
    """Knows the integration `i1`."""

    def exists(self, integration_id: str) -> bool:
        """Say whether it is that."""
        return integration_id == "i1"


class FigureWorld:
    """Everything that is stored, a clock that counts writes, and the API over it."""

    def __init__(self) -> None:
        self.world = World()
        self.table, self.groups = self.world.table, MemoryTable()
        self.store = PipelineStore(self.table, "i1")
        self.prices: dict[str, float] = {}
        self.written = 0
        selection = ProjectSelection(self.table, self.groups)
        reader = FigureReader(self.table, selection, lambda: self.prices)
        dora, now = DoraReader(self.table, selection), lambda: MONDAY + 10.0 * DAY
        routes = FigureRoutes(reader, partial(completeness_of, self.table, selection), dora, now)
        self.api = Api(routes.routes(), guard=OneIntegration(), idempotency=None, now=lambda: 0.0)

    def project(self, number: int, path: str = "acme/shop", *, default_branch: str = "main") -> None:
        """Know a project, read up to the tenth day."""
        self.table.put(
            {
                "pk": projects_pk("i1"),
                "sk": padded(number),
                "id": number,
                "path_with_namespace": path,
                "default_branch": default_branch,
            }
        )
        ReadStates(self.table, "i1").save(number, ReadState(default_watermark=(MONDAY + 10 * DAY) * 1000))

    def group(self, number: int, path: str) -> None:
        """Know a group."""
        self.groups.put({"pk": partition("i1", "groups"), "sk": padded(number), "id": number, "full_path": path})

    def save(self, pipeline: dict[str, Any], jobs: Sequence[dict[str, Any]]) -> None:
        """Store a pipeline with all attempts of its jobs, as a sync does that has read them."""
        project_id, number = pipeline["project_id"], pipeline["id"]
        known = self.store.known(project_id, [number]).get(number)
        self.written += 1
        copy = Copy(
            pipeline=pipeline_of(pipeline, project_id), jobs=[job_of(job) for job in jobs], bridges=[], settled=True
        )
        self.store.save(copy, known, now=self.written)

    def count(self, *, stop_after: int | None = None) -> None:
        """Bring the figures up to date, as the step of a run does."""
        session = cast("Session", ScriptedSession(self.world, {}, full=False, stop_after=stop_after))
        asyncio.run(FiguresStage(session, ProjectRows(self.table, "i1"), self.table).read(Scope("all")))

    def try_count(self, *, stop_after: int | None) -> None:
        """The same by a worker that may be stopped on its way."""
        with suppress(Stopped):
            self.count(stop_after=stop_after)

    def get(self, figure: str, **query: Any) -> Any:
        """Ask for a figure; by default of the first two weeks."""
        status, body = self.ask(figure, **{"from": "2026-03-02", "to": "2026-03-15", **query})
        assert status == 200, body
        return body

    def ask(self, figure: str, **query: Any) -> tuple[int, Any]:
        """Ask for a figure, whatever the answer."""
        return answered(
            self.api.resolve(http_event("GET", f"/v1/integrations/i1/analytics/{figure}", query=query), Context())
        )


def pipeline(number: int, status: str = "success", *, at: float = 0, project: int = 7, **fields: Any) -> dict[str, Any]:
    """A pipeline as GitLab shows it, created `at` hours after the first midnight; it ran 60 seconds."""
    created = MONDAY + round(at * 3600)
    times = {"created_at": when(created), "started_at": when(created), "finished_at": when(created + 60)}
    return {
        "id": number, "project_id": project, "status": status, "ref": "main", "source": "push", "tag": False,
        "sha": f"{number:040x}", "updated_at": when(created + 60), "duration": 60, **times, **fields,
    }  # fmt: skip


def attempt(number: int, name: str = "rspec", status: str = "success", **fields: Any) -> dict[str, Any]:
    """An attempt of a job as GitLab shows it: it ran 30 seconds on runner 1."""
    runner = {"id": 1, "description": "fast", "runner_type": "instance_type"}
    return {
        "id": number, "name": name, "status": status, "duration": 30.0, "queued_duration": 2.0, "runner": runner,
        "tag_list": [], "finished_at": when(MONDAY + 60), **fields,
    }  # fmt: skip


def when(moment: int) -> str:
    """Unix seconds as GitLab writes a time."""
    return iso(moment * 1000)
