"""An estate with a million stored jobs: 1,000 projects, 125 pipelines each in the last 30 days, eight jobs a pipeline.

Some projects are stored and counted by the hub's own stores; the others are copies of these, whose jobs keep their ids.
"""

import random
from collections.abc import Iterator

from gitlab_hub.gitlab.fields import day_of, iso, padded
from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import CountedDay, DeploymentStore
from gitlab_hub.pipelines.figures.store import FigureStore, ProjectDay
from gitlab_hub.pipelines.keys import (
    changes_pk,
    cursors_pk,
    deployment_states_pk,
    figures_pk,
    jobs_pk,
    pipelines_pk,
    projects_pk,
)
from gitlab_hub.pipelines.model import job_of, pipeline_of
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.pipelines.store import Copy, PipelineStore, pack_one, unpack
from gitlab_hub.storage.ports import Item
from gitlab_hub.storage.rows import query_all
from tests.fakes.table import MemoryTable

ONE = "int_0a1b"
PROJECTS, PIPELINES, JOBS, DAYS = 1_000, 125, 8, 30
FAILED = 0.2
"""The share of pipelines whose last job fails."""

GROUPS = 50
"""Groups at the top, with as many projects each."""

ORIGINALS = 10
"""Projects that are stored and counted; each of the others is a copy of one."""

NOW = 1_790_000_000
DAY = 86_400
NAMES = ("build", "lint", "unit", "integration", "package", "scan", "deploy", "smoke")
REASONS = ("script_failure", "runner_system_failure", "job_execution_timeout")


def days() -> list[str]:
    """The days in which something ran, oldest first; the last one is that of now."""
    return [day_of(NOW - DAY * ago) for ago in reversed(range(DAYS))]


class Estate:
    """What is stored of the projects, the same for every run."""

    def __init__(self, share: float) -> None:
        self.projects = range(1, max(ORIGINALS, int(PROJECTS * share)) + 1)
        self._chance = random.Random(1)
        self._originals = MemoryTable()
        for number in range(1, ORIGINALS + 1):
            self._store(number)

    def rows(self) -> Iterator[Item]:
        """The pipelines, jobs and figures of every project."""
        for number in self.projects:
            original = (number - 1) % ORIGINALS + 1
            for item in query_all(self._originals, pipelines_pk(ONE, original)):
                body = pack_one({**unpack(item["body"]), "project_id": number})
                yield {**item, "pk": pipelines_pk(ONE, number), "project_id": number, "body": body}
            for item in query_all(self._originals, jobs_pk(ONE, original)):
                yield {**item, "pk": jobs_pk(ONE, number)}
        for day in days():
            counted = {row["project_id"]: row for row in query_all(self._originals, figures_pk(ONE, day))}
            for number in self.projects:
                row = counted.get((number - 1) % ORIGINALS + 1)
                if row is not None:
                    yield {**row, "sk": padded(number), "project_id": number}

    def known(self) -> Iterator[Item]:
        """What the hub knows of the projects themselves."""
        told = MemoryTable()
        states, deployments, deployed = ReadStates(told, ONE), DeploymentStates(told, ONE), DeploymentStore(told, ONE)
        for number in self.projects:
            path = f"group{number % GROUPS}/project{number}"
            row = {"id": number, "path_with_namespace": path, "default_branch": "main", "schema_version": 1}
            told.put({"pk": projects_pk(ONE), "sk": padded(number), **row})
            states.save(number, ReadState(default_watermark=NOW * 1_000))
            deployments.save(number, DeploymentState(watermark=NOW * 1_000, read_at=NOW, seen_at=NOW))
            deployed.put_days(number, {day: self._deployed(day) for day in days()}, ())
        for pk in (projects_pk(ONE), cursors_pk(ONE), deployment_states_pk(ONE), changes_pk(ONE)):
            yield from query_all(told, pk)

    def _store(self, project: int) -> None:
        store, figures = PipelineStore(self._originals, ONE), FigureStore(self._originals, ONE)
        by_day: dict[str, set[int]] = {}
        for count in range(PIPELINES):
            number = project * 1_000 + count
            created = NOW - DAY * DAYS + count * DAY * DAYS // PIPELINES + 60
            store.save(self._copy(project, number, created), None, now=NOW * 1_000)
            by_day.setdefault(day_of(created), set()).add(number)
        for day, ids in by_day.items():
            figures.count(ProjectDay(project, day, frozenset(ids)), "main")

    def _copy(self, project: int, number: int, created: int) -> Copy:
        chance, seconds = self._chance, self._chance.randint(120, 2_400)
        failed = chance.random() < FAILED
        ref = chance.choice(("main", "main", f"feature/{number % 40}", f"v1.{number % 100}"))
        times = {
            "created_at": _when(created),
            "started_at": _when(created + 3),
            "finished_at": _when(created + seconds),
        }
        jobs = [
            self._job(number * 10 + position, name, times, fails=failed and position == JOBS - 1)
            for position, name in enumerate(NAMES)
        ]
        told = {
            "id": number, "iid": number, "status": "failed" if failed else "success", "ref": ref, "source": "push",
            "sha": f"{number // 2:040x}", "tag": ref.startswith("v1."), "updated_at": _when(created + seconds),
            "duration": seconds, "queued_duration": 3, "web_url": f"https://gitlab.example.com/-/{number}", **times,
        }  # fmt: skip
        return Copy(pipeline=pipeline_of(told, project), jobs=jobs, bridges=[], settled=True)

    def _job(self, number: int, name: str, times: dict[str, str], *, fails: bool) -> Item:
        chance = self._chance
        told = {
            "id": number, "name": name, "stage": "test", "tag_list": ["linux"],
            "status": "failed" if fails else "success", "failure_reason": chance.choice(REASONS) if fails else None,
            "duration": chance.uniform(5, 900), "queued_duration": chance.uniform(0, 90),
            "web_url": f"https://gitlab.example.com/-/jobs/{number}",
            "runner": {"id": chance.randint(1, 20), "description": "runner", "runner_type": "instance_type"},
            "user": {"id": chance.randint(1, 300), "username": "someone", "name": "Someone"}, **times,
        }  # fmt: skip
        return job_of(told)

    def _deployed(self, day: str) -> CountedDay:
        at = NOW - DAY * (len(days()) - days().index(day))
        some = [
            Change(id=number, environment_id=1, at=at, lead_times=[self._chance.randint(600, 90_000)], is_first=False,
                   failed=False, restored_after=None)
            for number in range(2)
        ]  # fmt: skip
        return CountedDay(some, len(some))


def _when(moment: int) -> str:
    return iso(moment * 1_000)
