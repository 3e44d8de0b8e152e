"""The list of pipelines with all its traps, and the life of a job."""

from itertools import pairwise
from typing import Any

import pytest

from stand_in_gitlab.ci.model import Attempt
from stand_in_gitlab.ci.state import state_at
from stand_in_gitlab.clock import iso, parse


@pytest.fixture
def project(app: Any) -> int:
    """A project with pipelines that have children and retried jobs."""
    for number in range(40):
        app.control_api._changes.verbs["add_pipeline"](1, 8, app.company.epoch - 86_400 * 3 + number * 1_000.123457)
    return 1


def test_children_are_listed_only_when_asked_for(ask: Any, control: Any, project: int) -> None:
    rows = control("GET", f"ground-truth/pipelines?project_id={project}")["rows"]
    children = {row["id"] for row in rows if row["parent_id"]}
    assert children
    assert {row["id"] for row in ask.everything(f"/projects/{project}/pipelines")} == {
        row["id"] for row in rows
    } - children
    listed = ask.everything(f"/projects/{project}/pipelines?source=parent_pipeline")
    assert {row["id"] for row in listed} == children
    child = min(children)
    assert ask(f"/projects/{project}/pipelines/{child}").json["source"] == "parent_pipeline"


def test_bridges_name_the_child_they_started(ask: Any, control: Any, project: int) -> None:
    for row in control("GET", f"ground-truth/bridges?project_id={project}")["rows"]:
        bridges = ask(f"/projects/{project}/pipelines/{row['pipeline_id']}/bridges").json
        assert [each["downstream_pipeline"]["id"] for each in bridges] == [row["downstream_pipeline_id"]]
        assert bridges[0]["id"] not in {each["id"] for each in ask.everything(f"/projects/{project}/jobs")}


def test_time_filters_are_inclusive_and_times_are_cut_to_milliseconds(ask: Any, project: int) -> None:
    rows = ask.everything(f"/projects/{project}/pipelines?order_by=updated_at&sort=asc")
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)
    middle = rows[len(rows) // 2]
    after = ask.everything(f"/projects/{project}/pipelines?updated_after={middle['updated_at']}")
    assert {row["id"] for row in after} == {row["id"] for row in rows if row["updated_at"] >= middle["updated_at"]}
    # The database knows microseconds: before the millisecond that was shown, the row itself is not yet in.
    before = ask.everything(f"/projects/{project}/pipelines?updated_before={middle['updated_at']}")
    assert {row["id"] for row in before} <= {row["id"] for row in rows if row["updated_at"] <= middle["updated_at"]}
    created = ask.everything(f"/projects/{project}/pipelines?created_after={middle['created_at']}")
    assert {row["id"] for row in created} == {row["id"] for row in rows if row["created_at"] >= middle["created_at"]}


def test_a_row_of_exactly_that_moment_is_in_both_ways(ask: Any, app: Any) -> None:
    number = app.control_api._changes.verbs["add_pipeline"](1, 0, app.company.epoch - 86_400.125)["id"]
    row = ask(f"/projects/1/pipelines/{number}").json
    assert row["updated_at"] == row["created_at"]
    for name in ("updated_after", "updated_before", "created_after", "created_before"):
        assert number in {each["id"] for each in ask.everything(f"/projects/1/pipelines?{name}={row['updated_at']}")}


def test_a_wrong_time_is_a_bad_request(ask: Any) -> None:
    assert ask("/projects/1/pipelines?updated_after=yesterday").json == {"error": "updated_after is invalid"}


def test_rows_lack_what_only_the_detail_has(ask: Any, project: int) -> None:
    row = ask(f"/projects/{project}/pipelines").json[0]
    assert not {"duration", "coverage", "user", "queued_duration"} & set(row)
    assert {"duration", "coverage", "user"} <= set(ask(f"/projects/{project}/pipelines/{row['id']}").json)


def test_retried_attempts_are_hidden_unless_asked_for(ask: Any, control: Any, project: int) -> None:
    truth = control("GET", f"ground-truth/jobs?project_id={project}")["rows"]
    assert any(row["retried"] for row in truth)
    for pipeline in {row["pipeline_id"] for row in truth}:
        mine = [row for row in truth if row["pipeline_id"] == pipeline]
        path = f"/projects/{project}/pipelines/{pipeline}/jobs"
        newest = {row["name"]: row["id"] for row in sorted(mine, key=lambda row: row["id"])}
        assert {row["id"] for row in ask.everything(path)} == set(newest.values())
        assert {row["id"] for row in ask.everything(f"{path}?include_retried=true")} == {row["id"] for row in mine}
        assert {row["id"] for row in mine if not row["retried"]} == set(newest.values())
    assert {row["id"] for row in ask.everything(f"/projects/{project}/jobs")} == {row["id"] for row in truth}


def test_a_retried_job_reopens_its_pipeline(ask: Any, control: Any, project: int) -> None:
    rows = ask.everything(f"/projects/{project}/jobs")
    job = next(row for row in rows if row["status"] == "success" and not row["allow_failure"])
    path = f"/projects/{project}/pipelines/{job['pipeline']['id']}"
    before = ask(path).json
    control("POST", "advance", {"seconds": 60, "idle": True})
    new = control("POST", "changes", {"do": "retry_job", "id": job["id"], "outcome": "failed"})["id"]
    running = ask(path).json
    assert (running["status"], running["finished_at"]) == ("running", None)
    assert running["updated_at"] > before["updated_at"]
    control("POST", "advance", {"seconds": 600, "idle": True})
    after = ask(path).json
    assert after["status"] == "failed"
    assert after["updated_at"] > running["updated_at"]
    assert ask(f"/projects/{project}/jobs/{new}").json["failure_reason"] == "script_failure"
    assert ask(f"/projects/{project}/jobs/{job['id']}").json["status"] == "success"


def test_erasing_a_job_leaves_its_pipeline_untouched(ask: Any, control: Any, project: int) -> None:
    job = next(
        row for row in control("GET", f"ground-truth/jobs?project_id={project}")["rows"] if row["status"] == "success"
    )
    path = f"/projects/{project}/pipelines/{job['pipeline_id']}"
    before = ask(path).json["updated_at"]
    control("POST", "changes", {"do": "erase_job", "id": job["id"]})
    row = ask(f"/projects/{project}/jobs/{job['id']}").json
    assert (row["artifacts"], ask(path).json["updated_at"]) == ([], before)
    assert row["erased_at"] is not None


def test_a_deleted_pipeline_is_gone_with_its_child(ask: Any, control: Any, project: int) -> None:
    child = next(
        row for row in control("GET", f"ground-truth/pipelines?project_id={project}")["rows"] if row["parent_id"]
    )
    gone = control("POST", "changes", {"do": "remove_pipeline", "id": child["parent_id"]})["ids"]
    assert gone == [child["parent_id"], child["id"]]
    for number in gone:
        assert ask(f"/projects/{project}/pipelines/{number}").json == {"message": "404 Not found"}


def test_a_job_goes_through_its_states() -> None:
    job = Attempt(id=1, name="a", stage="test", created=0, queued=10, started=20, finished=30, outcome="failed")
    seen = [
        (job.status(now), state_at(0, [job], now).status, state_at(0, [job], now).updated) for now in (5, 15, 25, 35)
    ]
    assert seen == [
        ("created", "created", 0),
        ("pending", "pending", 10),
        ("running", "running", 20),
        ("failed", "failed", 30),
    ]


@pytest.mark.parametrize("moment", [1_790_000_000.0, 1_790_000_000.123, 1_790_000_000.123456, 1_790_000_000.999999])
def test_times_are_cut_not_rounded(moment: float) -> None:
    assert parse(iso(moment)) <= moment
    assert moment - parse(iso(moment)) < 0.001
    assert iso(parse(iso(moment))) == iso(moment)


def test_an_update_is_never_older_than_the_one_before(app: Any) -> None:
    view, start = app.rest.view, app.clock.now()
    fresh = [app.control_api._changes.verbs["add_pipeline"](1, 8, start + number)["id"] for number in range(30)]
    app.control_api._progress.work(start, start + 400, 8)
    app.control_api._progress.work(start + 400, start + 900, 8)
    for pipeline in (app.company.pipelines[1][number] for number in fresh):
        moments = [pipeline.created + step * 3.7 for step in range(500)]
        states = [view.state(pipeline, moment) for moment in moments]
        view.discard(pipeline.id)
        assert all(state.updated <= moment for state, moment in zip(states, moments, strict=True))
        for before, after in pairwise(states):
            assert after.updated >= before.updated
            assert after.status == before.status or after.updated > before.updated
