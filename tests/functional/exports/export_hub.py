"""Exports of a small GitLab, over tables and a bucket in memory: the routes, and the worker behind them."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.composition.export_sources import export_sources
from gitlab_hub.exports.keys import prefix_of, start_where_due
from gitlab_hub.exports.model import Dataset
from gitlab_hub.exports.ports import Source
from gitlab_hub.exports.routes import ExportRoutes
from gitlab_hub.exports.service import ExportService
from gitlab_hub.exports.store import ExportStore
from gitlab_hub.exports.worker import Exporter
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations import rows as integration_rows
from gitlab_hub.pipelines.deployments.store import DeploymentStore
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.keys import pipelines_pk, projects_pk
from gitlab_hub.pipelines.model import job_of, pipeline_of
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.storage.ports import Objects, Table
from gitlab_hub.storage.rows import query_all
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import Context, answered, http_event
from tests.fakes.faults import Plan, faulty
from tests.fakes.objects import MemoryObjects
from tests.fakes.queue import MemoryFunction
from tests.fakes.table import MemoryTable

Reader = Callable[[bytes], list[dict[str, Any]]]
NOW = 1_795_996_800  # 2026-11-30T00:00:00Z
ADMIN = Principal("t-admin", Role.ADMIN)
LEFT = 840.0
"""Seconds that a worker has."""


class Known:
    """The integrations that there are."""

    def __init__(self) -> None:
        self.ids = {"i1", "i2"}

    def exists(self, integration_id: str) -> bool:
        return integration_id in self.ids


class ExportHub:
    """The hub; `plan` lets calls of the worker to its stores fail, `asking` those of the routes."""

    def __init__(self, plan: Plan | None = None, *, asking: Plan | None = None) -> None:
        self.now, self.plan = float(NOW), plan or Plan()
        self.integrations, self.access, self.pipelines = (MemoryTable(("by_account", "by_change")) for _ in range(3))
        self.bucket, self.function, self.known = MemoryObjects(), MemoryFunction(), Known()
        for integration_id in self.known.ids:
            row = {"pk": integration_rows.INTEGRATIONS, "sk": integration_id, "lifecycle": integration_rows.LIVE}
            self.integrations.put(row)
        self.store, self._faults = ExportStore(self.integrations), asking or Plan()
        self.deploy(kept_days=30)

    def deploy(self, *, kept_days: int) -> None:
        """Serve exports that are kept for so many days."""
        faults = self._faults
        table: Table = faulty(self.integrations, faults)
        service = ExportService(
            ExportStore(table),
            faulty(self.bucket, faults),
            faulty(self.function, faults),
            AuditLog(table, self.clock),
            is_live=integration_rows.is_live,
            kept_days=kept_days,
            now=self.clock,
        )
        self.api = Api(
            ExportRoutes(service, Cursors(lambda: b"key")).routes(),
            guard=self.known,
            idempotency=Idempotency(self.integrations),
            now=self.clock,
        )

    def clock(self) -> float:
        return self.now

    # ---- What is stored

    def project(self, number: int, path: str = "", integration: str = "i1") -> None:
        key = {"pk": projects_pk(integration), "sk": padded(number)}
        row = {"id": number, "path_with_namespace": path or f"acme/p{number}", "default_branch": "main"}
        self.pipelines.put({**key, **row})

    def pipeline(
        self,
        number: int,
        created_at: str | None,
        project: int = 15,
        *,
        jobs: int = 2,
        integration: str = "i1",
        **more: Any,
    ) -> None:
        """Keep a pipeline with some jobs as the sync does, in place of what there was."""
        body = {"id": number, "status": "success", "ref": "main", "created_at": created_at, "duration": 61, **more}
        rows = [
            {"id": number * 100 + n, "name": more.get("name", "test"), "status": "success", "created_at": created_at,
             "stage": "test", "tag_list": ["docker", "x"], "queued_duration": 1.5,
             "runner": {"id": 7, "description": "r", "runner_type": "instance_type"}}
            for n in range(jobs)
        ]  # fmt: skip
        copy = Copy(pipeline=pipeline_of(body, project), jobs=[job_of(row) for row in rows], bridges=[], settled=True)
        store = PipelineStore(self.pipelines, integration)
        known: Mapping[int, StoredPipeline] = store.known(project, [number])
        store.save(copy, known.get(number), now=int(self.now * 1000))

    def deployment(self, number: int, project: int = 15, *, created_at: int = NOW, **more: Any) -> None:
        """Keep a deployment to production as the sync does."""
        body = {
            "id": number, "iid": number, "project_id": project, "environment_id": 4, "environment": "production",
            "status": "success", "ref": "main", "sha": "a" * 40, "created_at": created_at, "updated_at": created_at + 9,
            "finished_at": created_at + 9, "pipeline_id": 5, "job_id": 6, "username": "jane", **more,
        }  # fmt: skip
        store = DeploymentStore(self.pipelines, "i1")
        store.put_environments(project, [{"id": 4, "tier": "production"}])
        store.put(store.changed(project, [body], now=self.now_ms).rows)

    @property
    def now_ms(self) -> int:
        """The hub's clock in milliseconds."""
        return int(self.now * 1000)

    def source(self, dataset: str) -> Source:
        """Where the rows of a dataset are."""
        return export_sources(self.access, self.pipelines, ScopeList(self.integrations), self.clock)[Dataset(dataset)]

    def stored_ids(self, project: int = 15) -> list[int]:
        return [row["id"] for row in query_all(self.pipelines, pipelines_pk("i1", project))]

    # ---- The API

    def call(self, method: str, path: str = "", body: Any = None, **more: Any) -> tuple[int, Any]:
        """Call a route of exports."""
        integration = more.pop("integration", "i1")
        event = http_event(
            method, f"/v1/integrations/{integration}/exports{path}", body, **{"principal": ADMIN, **more}
        )
        return answered(self.api.resolve(event, Context()))

    def ask(self, dataset: str = "pipelines", how: str = "csv", **more: Any) -> str:
        """Ask for an export, and give its id."""
        status, body = self.call("POST", "", {"dataset": dataset, "format": how, **more})
        assert status == 202, body
        assert body["export"]["status"] == "queued"
        return str(body["export"]["id"])

    def show(self, export_id: str, **more: Any) -> Any:
        """Look at an export."""
        status, body = self.call("GET", f"/{export_id}", **more)
        assert status == 200, body
        return body["export"]

    def made(self, dataset: str = "pipelines", how: str = "csv", **more: Any) -> Any:
        """Ask for an export, have it made, and give it with its files."""
        export_id = self.ask(dataset, how, **more)
        self.work()
        return self.show(export_id)

    # ---- The worker

    def exporter(self, *, incidents_fail_too: bool = False) -> Exporter:
        """A worker, whose calls fail as planned."""
        integrations: Table = faulty(self.integrations, self.plan)
        access: Table = faulty(self.access, self.plan)
        pipelines: Table = faulty(self.pipelines, self.plan)
        objects: Objects = faulty(self.bucket, self.plan)
        told_in = integrations if incidents_fail_too else self.integrations
        return Exporter(
            store=ExportStore(integrations),
            sources=export_sources(access, pipelines, ScopeList(self.integrations), self.clock),
            objects=objects,
            incidents=IncidentStore(told_in, self.clock, integration_rows.is_live),
            exists=self.known.exists,
            now=self.clock,
        )

    def work(self, left: Callable[[], float] = lambda: LEFT) -> None:
        """Let one worker do what it can."""
        self.exporter().tick(left)

    def recover(self) -> None:
        """Let time pass until nobody who died can be alive, and have the tick start another worker."""
        self.plan = Plan()
        self.now += LEFT + 60
        before = self.function.started
        start_where_due(self.integrations, self.function, self.clock)
        if self.function.started > before:
            self.work()

    # ---- What came of it

    def content(self, export: Any, file: Any) -> bytes:
        """The bytes that a file's link leads to."""
        key = prefix_of("i1", export["id"]) + file["path"]
        assert key in file["url"]
        return self.bucket.dump()[key]

    def read(self, export: Any, folder: Path) -> list[dict[str, Any]]:
        """All rows of all files, in their order, as others read such files."""
        readers: dict[str, Reader] = {
            "csv": read_csv,
            "jsonl": read_jsonl,
            "parquet": partial(read_parquet, folder=folder),
        }
        read = readers[export["format"]]
        return [row for file in export["files"] for row in read(self.content(export, file))]


def read_csv(content: bytes) -> list[dict[str, Any]]:
    return [dict(row) for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]


def read_jsonl(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def read_parquet(content: bytes, folder: Path) -> list[dict[str, Any]]:
    path = folder / "x.parquet"
    path.write_bytes(content)
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
