"""What got worse is an incident from the sync that finds it to the one that finds it over."""

import asyncio
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import alerts_pk, projects_pk
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.storage.ports import Check, Condition
from gitlab_hub.sync.ports import Scope, Session
from tests.unit.pipelines.figures.figure_world import DAY, MONDAY, FigureWorld, attempt, pipeline
from tests.unit.pipelines.pipelines_sync import SECOND, ScriptedSession, Stopped


class Alerting(FigureWorld):
    """The world of figures with incidents, on its tenth day."""

    def __init__(self) -> None:
        super().__init__()
        self.world.now = (MONDAY + 9 * DAY + 3600) * SECOND
        self.table.put({"pk": "live", "sk": "i1"})
        live = Check(("live", "i1"), Condition(exists=True))
        self.incidents = IncidentStore(self.table, lambda: self.world.now / SECOND, lambda _: live)
        self.project(7)

    def run(self, *, alerts: bool = True, full: bool = False, stop_after: int | None = None) -> None:
        """The steps of a run behind the reading of pipelines."""
        session = cast("Session", ScriptedSession(self.world, {}, full=full, stop_after=stop_after))
        stages = PipelinesFeature(self.table, self.incidents, alerts=alerts).stages(session)
        for stage in stages:
            if stage.name in {"figures", "alerts"}:
                asyncio.run(cast("Any", stage).read(Scope("all")))

    def found(self) -> dict[str, Incident]:
        """The open incidents by kind."""
        return {one.kind: one for one in self.incidents.of("i1")}

    def ran(self, number: int, status: str = "success", *, day: float = 9, **jobs: Any) -> None:
        """Store a pipeline of the default branch."""
        self.save(pipeline(number, status, at=day * 24), [attempt(number, **jobs)])


@pytest.fixture
def hub() -> Alerting:
    return Alerting()


def test_a_default_branch_that_turned_red_is_told_until_it_is_mended(hub: Alerting) -> None:
    hub.ran(1, day=5)
    hub.run()
    assert hub.found() == {}
    hub.ran(2, "failed", day=8.5)
    hub.ran(3, "failed")
    hub.run()
    told = hub.found()["default_branch_red"]
    assert (told.subject, told.details["pipeline_id"], told.details["project"]) == ("7", 2, "acme/shop")
    assert "acme/shop: the default branch main fails since pipeline 2." in told.hint
    hub.ran(4, day=9.1)
    hub.run()
    assert hub.found() == {}


def test_a_job_that_became_slower_is_told_until_it_is_as_before(hub: Alerting) -> None:
    for number in range(30):
        hub.ran(number + 1, day=2, duration=60.0)
        hub.ran(number + 100, duration=600.0)
    hub.run()
    told = hub.found()["jobs_regressed"]
    (job,) = told.details["jobs"]
    assert (job["job"], job["figure"], job["before"]) == ("rspec", "p95_seconds", pytest.approx(60, rel=0.01))
    assert job["now"] == pytest.approx(600, rel=0.01)
    assert f"rspec takes up to {job['now']} s (p95; it was {job['before']} s)" in told.hint
    since = told.at
    hub.world.later(3600)
    hub.ran(200, duration=600.0)
    hub.run()
    assert hub.found()["jobs_regressed"].at == since
    for number in range(30):
        hub.ran(number + 100, duration=60.0)
    hub.ran(200, duration=60.0)
    hub.run()
    assert hub.found() == {}


def test_what_is_red_for_weeks_is_told_until_it_is_mended(hub: Alerting) -> None:
    hub.ran(1, day=5)
    hub.ran(2, "failed", day=8.5)
    hub.run()
    for day in range(10, 40):
        hub.world.later(DAY)
        hub.ran(day, "failed", day=day)
        hub.run()
    assert hub.found()["default_branch_red"].details["pipeline_id"] == 2
    hub.ran(40, day=39.1)
    hub.run()
    assert hub.found() == {}


def test_jobs_that_run_no_more_are_no_worse(hub: Alerting) -> None:
    for number in range(30):
        hub.ran(number + 1, day=2, duration=60.0)
        hub.ran(number + 100, duration=600.0)
    hub.run()
    hub.world.later(DAY)
    hub.run()
    assert list(hub.found()) == ["jobs_regressed"]
    gets = hub.table.reads
    hub.run()
    assert hub.table.reads - gets == 1, "it is looked at once a day"
    hub.world.later(DAY)
    hub.run()
    assert hub.found() == {}


def test_of_a_project_that_is_gone_nothing_is_told(hub: Alerting) -> None:
    hub.ran(1, day=5)
    hub.ran(2, "failed")
    key = (projects_pk("i1"), padded(7))
    project = hub.table.get(*key)
    assert project is not None
    hub.table.put({**project, "gone_at": 1})
    hub.run()
    assert hub.found() == {}


def test_off_by_default_and_dropped_by_a_full_sync_where_it_was_switched_off(hub: Alerting) -> None:
    hub.ran(1, day=5)
    hub.ran(2, "failed")
    hub.run(alerts=False)
    assert (hub.found(), list(ProjectMarks(hub.table, alerts_pk("i1")).pages())) == ({}, [[]])
    hub.ran(3, "failed")
    hub.run()
    assert list(hub.found()) == ["default_branch_red"]
    hub.run(alerts=False)
    assert list(hub.found()) == ["default_branch_red"]
    hub.run(alerts=False, full=True)
    assert hub.found() == {}


@pytest.mark.parametrize("stop_after", range(6))
def test_whoever_carries_on_for_a_worker_that_died_looks_at_every_project(hub: Alerting, stop_after: int) -> None:
    for project in (7, 8, 9):
        hub.project(project, f"acme/shop{project}")
        hub.save(pipeline(1, at=5 * 24, project=project), [])
        hub.save(pipeline(2, "failed", at=9 * 24, project=project), [])
    try:
        hub.run(stop_after=stop_after)
    except Stopped:
        hub.run()
    assert sorted(one.subject for one in hub.incidents.of("i1")) == ["7", "8", "9"]
    assert list(ProjectMarks(hub.table, alerts_pk("i1")).pages()) == [[]]
