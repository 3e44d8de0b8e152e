"""Pipelines of the company of these tests, as a sync leaves them: with jobs, attempts, a trigger job and figures."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from gitlab_hub.gitlab.fields import iso, padded
from gitlab_hub.pipelines.deployments import counting
from gitlab_hub.pipelines.deployments.model import PRODUCTION
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import DeploymentStore
from gitlab_hub.pipelines.figures.stage import FiguresStage
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.pipelines.model import bridge_of, job_of, pipeline_of
from gitlab_hub.pipelines.projects import ProjectRows
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.store import Copy, PipelineStore
from gitlab_hub.sync.ports import Scope, Session
from tests.fakes.table import MemoryTable
from tests.unit.pipelines.pipelines_sync import ScriptedSession, World

BROKEN, WHOLE, CHILD = 501, 502, 503
"""A pipeline that failed and was retried, one that succeeded and started another, and the one that it started."""
ABSENT = 900
"""A pipeline elsewhere that the hub does not have."""


class CompanyPipelines:
    """Two projects of an integration, one of which was read; `name` stands wherever people choose one."""

    def __init__(
        self, table: MemoryTable, integration_id: str, name: str, *, now: int, projects: tuple[int, int]
    ) -> None:
        self._table, self._integration_id, self._name, self._now = table, integration_id, name, now
        self._store, self._shop, self._other = PipelineStore(table, integration_id), *projects

    def employ(self) -> None:
        """Store all of it, and count it."""
        self._know(self._shop, f"acme/shop-{self._name}", is_read=True)
        self._know(self._other, "acme/other", is_read=False)
        build = self._job(1, "build", "build", begins=60, ran=120)
        failed = self._job(
            2, f"test {self._name}", "test", "failed", begins=190, ran=60, failure_reason="script_failure"
        )
        again = self._job(3, f"test {self._name}", "test", begins=400, ran=50)
        self._save(BROKEN, "success", [build, failed, again], before=2 * 86_400)
        started = self._body(CHILD, "running") | {"project_id": self._shop}
        triggers = [
            {**self._job(11, f"start {self._name}", "deploy", begins=200, ran=10), "downstream_pipeline": started},
            {**self._job(12, "elsewhere", "deploy", begins=200, ran=10),
             "downstream_pipeline": {**self._body(ABSENT, "failed"), "project_id": 9_999}},
        ]  # fmt: skip
        self._save(WHOLE, "success", [self._job(10, "build", "build", begins=5, ran=90)], triggers, before=86_400)
        self._save(CHILD, "running", [self._job(20, "slow", "test", "running", begins=9)], before=300)
        self._count()
        self._deploy()

    def _know(self, number: int, path: str, *, is_read: bool) -> None:
        row = {"pk": projects_pk(self._integration_id), "sk": padded(number), "id": number}
        self._table.put({**row, "path_with_namespace": path, "default_branch": "main"})
        if is_read:
            state = ReadState(default_watermark=self._now * 1000)
            ReadStates(self._table, self._integration_id).save(number, state)

    def _body(self, number: int, status: str, *, before: int = 0) -> dict[str, Any]:
        created = self._now - before
        ended = {"finished_at": self._at(created + 600), "duration": 300} if status != "running" else {}
        return {
            "id": number, "iid": number - 500, "project_id": self._shop, "status": status, "source": "push",
            "ref": f"main {self._name}", "tag": False, "sha": f"{number:040x}", "name": self._name,
            "created_at": self._at(created), "updated_at": self._at(created + 600), "started_at": self._at(created + 5),
            "web_url": "https://gitlab.example.com/acme/shop/-/pipelines/1", "user": {"id": 1, "name": self._name},
            "yaml_errors": None, **ended,
        }  # fmt: skip

    def _job(
        self, number: int, name: str, stage: str, status: str = "success", *, begins: int, ran: int = 0, **more: Any
    ) -> dict[str, Any]:
        runner = {"id": 1, "description": self._name, "runner_type": "instance_type"}
        return {
            "id": number, "name": name, "stage": stage, "status": status, "begins": begins, "duration": float(ran),
            "queued_duration": 4.0, "runner": runner, "tag_list": [self._name], "ran": ran, **more,
        }  # fmt: skip

    def _save(
        self,
        number: int,
        status: str,
        jobs: list[dict[str, Any]],
        bridges: Sequence[dict[str, Any]] = (),
        *,
        before: int,
    ) -> None:
        created = self._now - before
        for job in (*jobs, *bridges):
            job |= {"created_at": self._at(created), "started_at": self._at(created + job["begins"])}
            job["finished_at"] = self._at(created + job["begins"] + job["ran"]) if job["ran"] else None
        body = pipeline_of(self._body(number, status, before=before), self._shop)
        kept = Copy(
            pipeline=body, jobs=[job_of(job) for job in jobs], bridges=[bridge_of(one) for one in bridges], settled=True
        )
        self._store.save(kept, None, now=number)

    def _count(self) -> None:
        world = World()
        world.target = replace(world.target, integration_id=self._integration_id)
        session = cast("Session", ScriptedSession(world, {}, full=False, stop_after=None))
        stage = FiguresStage(session, ProjectRows(self._table, self._integration_id), self._table)
        asyncio.run(stage.read(Scope("all")))

    def _deploy(self) -> None:
        """Have two changes deployed, the first of which was rolled forward within the hour."""
        store, where = DeploymentStore(self._table, self._integration_id), {"id": 4, "tier": PRODUCTION}
        store.put_environments(self._shop, [{**where, "name": f"prod {self._name}", "state": "available"}])
        begun = self._now - 86_400
        rows = [
            {
                "id": number, "iid": number, "project_id": self._shop, "environment_id": 4, "status": status,
                "environment": f"prod {self._name}", "ref": f"main {self._name}", "sha": f"{number:040x}",
                "created_at": begun + number * 600, "updated_at": begun + number * 600 + 60,
                "finished_at": begun + number * 600 + 60, "pipeline_id": WHOLE, "job_id": 10, "username": self._name,
            }
            for number, status in ((1, "success"), (2, "failed"), (3, "success"))
        ]  # fmt: skip
        store.put(store.changed(self._shop, rows, now=self._now * 1000).rows)
        count = counting.counted(counting.ended(rows, {4: where}), {4: where}, begun)
        store.put_days(self._shop, count.days, [])
        DeploymentStates(self._table, self._integration_id).save(self._shop, DeploymentState(read_at=self._now))

    @staticmethod
    def _at(moment: int) -> str:
        return iso(moment * 1000)
