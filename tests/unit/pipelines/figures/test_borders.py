"""Figures at their borders: of days, of what a row of the table holds, and of what may be believed."""

import random
from typing import Any

import pytest

from gitlab_hub.pipelines.figures.evidence import MOST_FAILED
from gitlab_hub.pipelines.figures.store import FigureStore
from gitlab_hub.pipelines.keys import figures_version_key
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from tests.unit.pipelines.figures.figure_world import DAY, MONDAY, FigureWorld, attempt, pipeline, when


@pytest.fixture
def world() -> FigureWorld:
    world = FigureWorld()
    world.project(7)
    return world


def test_a_pipeline_whose_day_is_corrected_counts_on_one_day_only(world: FigureWorld) -> None:
    world.save(pipeline(1, at=1), [attempt(1)])
    world.save(pipeline(2, at=2), [attempt(2)])
    world.count()
    world.save(pipeline(1, at=30), [attempt(1)])
    world.count()
    days = [row["pipelines"] for row in world.get("trend", to="2026-03-03")["rows"]]
    assert days == [1, 1]
    assert [row["pipelines"] for row in world.get("trend", to="2026-03-03", project_id="7")["rows"]] == days


def test_a_success_that_began_before_the_failure_was_known_is_no_recovery(world: FigureWorld) -> None:
    def runs(number: int, status: str, at: float, hours: float) -> None:
        ended = when(MONDAY + round((at + hours) * 3600))
        world.save(pipeline(number, status, at=at, finished_at=ended), [])

    runs(1, "success", 1, 0.1)
    runs(2, "failed", 2, 2)  # until 04:00
    runs(3, "success", 3, 0.5)  # begun beside it
    runs(4, "failed", 3.6, 0.1)  # still the same trouble
    runs(5, "success", 5, 1)  # until 06:00
    world.count()
    shown = world.get("mttr")
    assert (shown["recoveries"], shown["median"]) == (1, 2 * 3600)
    assert world.get("mttr", project_id="7")["median"] == 2 * 3600


def test_a_later_success_of_the_same_run_is_the_recovery(world: FigureWorld) -> None:
    for number, status, at, hours in [(1, "success", 1, 0.1), (2, "failed", 2, 2), (3, "success", 3, 0.5),
                                      (4, "success", 3.5, 0.1), (5, "success", 4.5, 0.5)]:  # fmt: skip
        ended = when(MONDAY + round((at + hours) * 3600))
        world.save(pipeline(number, status, at=at, finished_at=ended), [])
    world.count()
    assert (world.get("mttr")["recoveries"], world.get("mttr")["median"]) == (1, 3600)


def test_a_start_beyond_a_week_is_left_out_of_every_range(world: FigureWorld) -> None:
    world.save(pipeline(1, at=1, started_at=when(MONDAY + 9 * DAY)), [])
    world.count()
    for since in ("2026-03-02", "2026-03-11"):
        assert world.get("summary", definition="gitlab", **{"from": since})["pipelines"] == 0


@pytest.mark.parametrize("duration", [-5, -0.5, 1e307, 10**400])
def test_what_can_be_no_duration_is_none(world: FigureWorld, duration: float) -> None:
    odd = attempt(2, "odd", duration=duration, queued_duration=duration)
    worse = attempt(3, "odd", "failed", duration=duration)
    world.save(pipeline(1, duration=duration), [attempt(1), odd, worse])
    world.count()
    assert world.get("cost")["minutes"] == 0.5
    assert world.get("summary")["duration"]["mean"] is None
    assert world.get("queue")["p95"] == pytest.approx(2, rel=0.005)
    assert world.get("flaky")["wasted_minutes"] == 0


@pytest.mark.parametrize("query", [{"from": "0001-01-01", "to": "0001-01-05"}, {"to": "0001-01-05"},
                                   {"from": "9999-12-01", "to": "9999-12-31"}])  # fmt: skip
def test_days_that_no_pipeline_can_have_are_refused(world: FigureWorld, query: dict[str, Any]) -> None:
    for definition in ("hub", "gitlab"):
        status, body = world.ask("summary", definition=definition, **query)
        assert (status, body["code"]) == (422, "invalid_input"), body


def test_flaky_jobs_that_are_cut_are_told(world: FigureWorld) -> None:
    jobs = [attempt(number, f"job {number}", "failed") for number in range(1, MOST_FAILED + 10)]
    world.save(pipeline(1), jobs)
    world.count()
    told = world.get("flaky")["completeness"]
    assert (told["complete"], told["cut"]) == (False, 1)
    told = world.get("summary")["completeness"]
    assert (told["complete"], told["cut"]) == (True, 0), "which loses nothing"


def test_a_day_without_room_for_its_evidence_says_so(world: FigureWorld) -> None:
    draw = random.Random(3)  # noqa: S311 - test data
    for number in range(1, 12):
        jobs = [attempt(number * 1000 + n, f"{draw.getrandbits(1200):x}", draw.choice(["failed", "success"]))
                for n in range(300)]  # fmt: skip
        world.save(pipeline(number, draw.choice(["failed", "success"]), at=number), jobs)
    world.count()
    told = world.get("flaky")["completeness"]
    assert (told["complete"], told["cut"]) == (False, 1)
    assert world.get("mttr")["completeness"]["complete"]


def test_days_with_more_recoveries_than_a_row_holds_are_read_by_project(
    world: FigureWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.project(8, "acme/other")
    for project in (7, 8):
        for number, status in enumerate(["success", "failed", "success"], project * 10):
            world.save(pipeline(number, status, at=number % 10, project=project), [])
    world.count()
    monkeypatch.setattr("gitlab_hub.pipelines.figures.store.MAX_CHUNK", 100)
    FigureStore(world.table, "i1").add_up("2026-03-02")
    assert world.get("mttr")["recoveries"] == 2
    assert world.get("mttr")["completeness"]["complete"]


def test_a_group_is_as_whole_as_the_projects_that_are_there(world: FigureWorld) -> None:
    world.group(3, "acme")
    world.project(8, "acme/gone")
    row = world.table.get("i1#projects", f"{8:012d}")
    assert row is not None
    world.table.put({**row, "gone_at": 5})
    ReadStates(world.table, "i1").save(8, ReadState(default_watermark=5_000, error="resource_not_found"))
    world.save(pipeline(1), [])
    world.count()
    assert world.get("summary", group_id="3")["completeness"] == world.get("summary")["completeness"]


def test_figures_of_a_gone_project_follow_the_rules_too(world: FigureWorld) -> None:
    world.save(pipeline(1), [attempt(1)])
    world.count()
    pk, sk = figures_version_key("i1")
    world.table.put({"pk": pk, "sk": sk, "version": 0, "schema_version": 1})
    world.project(7, default_branch="trunk")
    row = world.table.get("i1#projects", f"{7:012d}")
    assert row is not None
    world.table.put({**row, "gone_at": 5})
    world.count()
    assert [row["key"] for row in world.get("summary", group_by="ref_class")["rows"]] == ["other"]
