"""Figures over a fixture that is small enough to be computed by hand.

| pipeline | hour | ref | source | status (first end) | seconds | jobs: name, status, class, run s, queued s |
|---|---|---|---|---|---|---|
| 1 | 1 | main | push | success | 100 | rspec success 60, 2; lint success 30, 4 |
| 2 | 2 | main | push | failed, later retried: success | 200 | rspec failed script 50, 2; rspec success 70, 6 |
| 3 | 3 | merge request | merge_request_event | failed | 400 | rspec failed infra 10, 8 |
| 4 | 26 (Tuesday) | v1, a tag | push | canceled | none | none |
| 5 | 27 (Tuesday) | main | schedule | success | 300 | rspec success 60, 10 |
| 6 | 28 (Tuesday), project 8 | main | push | running | none | none |
"""

from typing import Any

import pytest

from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from tests.unit.pipelines.figures.figure_world import DAY, MONDAY, FigureWorld, attempt, pipeline, when

WITHIN = 0.005


@pytest.fixture(scope="module")
def world() -> FigureWorld:
    world = FigureWorld()
    world.project(7, "acme/shop")
    world.project(8, "acme/tools/cli")
    world.group(1, "acme")
    world.group(2, "acme/tools")
    ours = {"id": 9, "description": "own", "runner_type": "project_type"}
    world.save(
        pipeline(1, at=1, duration=100),
        [attempt(11, duration=60.0), attempt(12, "lint", queued_duration=4.0, runner=ours, tag_list=["docker"])],
    )
    failed = attempt(21, status="failed", failure_reason="script_failure", duration=50.0)
    world.save(pipeline(2, "failed", at=2, duration=200), [failed])
    world.save(pipeline(2, at=2, duration=200), [failed, attempt(22, duration=70.0, queued_duration=6.0)])
    world.save(
        pipeline(3, "failed", at=3, duration=400, ref="refs/merge-requests/4/head", source="merge_request_event"),
        [attempt(31, status="failed", failure_reason="api_failure", duration=10.0, queued_duration=8.0)],
    )
    world.save(pipeline(4, "canceled", at=26, ref="v1", tag=True, duration=None, started_at=None), [])
    world.save(
        pipeline(5, at=27, duration=300, source="schedule", sha=f"{1:040x}"),
        [attempt(51, duration=60.0, queued_duration=10.0)],
    )
    world.save(pipeline(6, "running", at=28, project=8, duration=None, finished_at=None), [])
    world.count()
    return world


def test_the_summary_counts_pipelines_by_their_first_end(world: FigureWorld) -> None:
    shown = world.get("summary")
    # 1 and 5 succeeded, 2 and 3 failed at first, 4 was canceled, 6 runs: 2 / (2 + 2).
    assert shown["pipelines"] == 6
    assert shown["by_status"] == {"success": 2, "failed": 2, "canceled": 1, "skipped": 0, "other": 1}
    assert shown["success_rate"] == 0.5
    # Durations 100, 200, 300, 400: the median lies between 200 and 300, p75 a quarter before 325, the mean is exact.
    assert shown["duration"]["p50"] == pytest.approx(250, rel=WITHIN)
    assert shown["duration"]["p75"] == pytest.approx(325, rel=WITHIN)
    assert shown["duration"]["p95"] == pytest.approx(385, rel=WITHIN)
    assert shown["duration"]["mean"] == 250
    # Jobs waited 2, 2, 4, 6, 8, 10 seconds: the median is 5, p95 three quarters of the way from 8 to 10.
    assert shown["queue"]["p50"] == pytest.approx(5, rel=WITHIN)
    assert shown["queue"]["p95"] == pytest.approx(9.5, rel=WITHIN)
    assert (shown["from"], shown["to"], shown["timezone"]) == (MONDAY, MONDAY + 14 * DAY, "UTC")
    assert shown["definition"]["name"] == "hub"
    assert "success / (success + failed)" in shown["definition"]["text"]


def test_gitlabs_rate_is_of_all_that_started_by_their_last_status(world: FigureWorld) -> None:
    shown = world.get("summary", definition="gitlab")
    # 1, 2 and 5 succeeded in the end, 3 failed, 6 runs; 4 never started: 3 / 5.
    assert (shown["pipelines"], shown["success_rate"]) == (5, 0.6)


def test_dxs_rate_is_by_the_status_that_counts_most_among_the_attempts(world: FigureWorld) -> None:
    shown = world.get("summary", definition="dx")
    # 2 and 3 have failed attempts, 1 and 5 have none; 4 and 6 have no jobs and count by their own status.
    assert shown["by_status"] == {"success": 2, "failed": 2, "canceled": 1, "skipped": 0, "other": 1}


@pytest.mark.parametrize(
    ("query", "pipelines"),
    [
        ({"project_id": 7}, 5),
        ({"project_id": 8}, 1),
        ({"project_id": 99}, 0),
        ({"group_id": 1}, 6),
        ({"group_id": 2}, 1),
        ({"group_id": 2, "project_id": 7}, 0),
        ({"ref_class": "default_branch"}, 4),
        ({"ref_class": "merge_request"}, 1),
        ({"ref_class": "tag", "project_id": 7}, 1),
        ({"ref_class": "other"}, 0),
        ({"to": "2026-03-02"}, 3),
        ({"from": "2026-03-03"}, 3),
        ({"from": str(MONDAY), "to": str(MONDAY + DAY)}, 3),
        ({"from": "2026-03-03T05:00:00Z", "to": "2026-03-03T06:00:00Z"}, 3),
    ],
)
def test_figures_are_of_what_was_asked_for(world: FigureWorld, query: dict[str, Any], pipelines: int) -> None:
    assert world.get("summary", **query)["pipelines"] == pipelines


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("project", [("7", 5), ("8", 1)]),
        ("ref_class", [("default_branch", 4), ("merge_request", 1), ("tag", 1)]),
        ("source", [("push", 4), ("merge_request_event", 1), ("schedule", 1)]),
    ],
)
def test_the_summary_has_rows(world: FigureWorld, group_by: str, expected: list[tuple[str, int]]) -> None:
    rows = world.get("summary", group_by=group_by)["rows"]
    assert [(row["key"], row["pipelines"]) for row in rows] == expected


def test_rows_of_projects_say_what_they_are_called(world: FigureWorld) -> None:
    rows = world.get("summary", group_by="project")["rows"]
    assert [(row["project_id"], row["full_path"]) for row in rows] == [(7, "acme/shop"), (8, "acme/tools/cli")]


def test_the_trend_has_every_day_of_the_range(world: FigureWorld) -> None:
    rows = world.get("trend", to="2026-03-04")["rows"]
    assert [(row["key"], row["pipelines"], row["success_rate"]) for row in rows] == [
        ("2026-03-02", 3, pytest.approx(1 / 3, abs=1e-6)),
        ("2026-03-03", 3, 1.0),
        ("2026-03-04", 0, None),
    ]
    assert [row["key"] for row in world.get("trend", group_by="week")["rows"]] == ["2026-03-02", "2026-03-09"]
    assert [row["pipelines"] for row in world.get("trend", group_by="month")["rows"]] == [6]
    assert [row["pipelines"] for row in world.get("trend", definition="gitlab", to="2026-03-03")["rows"]] == [3, 2]


def test_the_queue_is_told_by_runner_and_tag(world: FigureWorld) -> None:
    runners = world.get("queue", group_by="runner")["rows"]
    assert [(row["key"], row["count"]) for row in runners] == [("1", 5), ("9", 1)]
    assert runners[0]["p50"] == pytest.approx(6, rel=WITHIN), "2, 2, 6, 8, 10"
    assert [(row["key"], row["count"]) for row in world.get("queue", group_by="tag")["rows"]] == [("docker", 1)]


def test_durations_are_told_by_job(world: FigureWorld) -> None:
    rows = world.get("duration", group_by="job")["rows"]
    assert [(row["key"], row["count"], row["mean"]) for row in rows] == [("rspec", 5, 50.0), ("lint", 1, 30.0)]
    assert world.get("duration", definition="gitlab")["mean"] == 250


def test_failures_are_told_by_class_with_their_jobs(world: FigureWorld) -> None:
    shown = world.get("failures")
    assert shown["count"] == 2
    assert [(row["failure_class"], row["count"], row["jobs"]) for row in shown["rows"]] == [
        ("infra", 1, [{"name": "rspec", "count": 1}]),
        ("script", 1, [{"name": "rspec", "count": 1}]),
    ]


def test_a_flaky_job_failed_and_succeeded_on_one_commit(world: FigureWorld) -> None:
    (row,) = world.get("flaky")["rows"]
    # Only on the commit of pipeline 2; the failure of 3 is the runner's. rspec ran on the commits of 1 (= 5) and 2.
    expected = {"project_id": 7, "job_name": "rspec", "commits": 1, "failed": 1, "success": 1, "rate": 0.5}
    assert {name: row[name] for name in expected} == expected
    assert row["wasted_minutes"] == pytest.approx(50 / 60, abs=1e-3)
    assert row["examples"] == [{"pipeline_id": 2, "job_id": 21}]


def test_a_default_branch_recovers_with_the_next_success(world: FigureWorld) -> None:
    shown = world.get("mttr", group_by="project")
    # 2 failed a minute past 02:00, 5 succeeded a minute past 03:00 of the next day: 25 hours.
    assert (shown["recoveries"], shown["median"], shown["p90"]) == (1, 25 * 3600, 25 * 3600)
    assert [(row["key"], row["recoveries"]) for row in shown["rows"]] == [("7", 1)]
    assert world.get("mttr", to="2026-03-02")["recoveries"] == 0, "its end lies behind the range"


def test_minutes_cost_what_their_type_of_runner_costs(world: FigureWorld) -> None:
    shown = world.get("cost")
    # 60 + 50 + 70 + 10 + 60 seconds on instance runners, 30 on the project's own.
    assert (shown["minutes"], shown["cost"]) == (pytest.approx(280 / 60, abs=1e-3), None)
    # The failed attempt of 2 was retried and succeeded.
    assert shown["retried_minutes"] == shown["flaky_minutes"] == pytest.approx(50 / 60, abs=1e-3)
    world.prices = {"instance_type": 0.6}
    assert world.get("cost")["cost"] is None, "the project's own runner has no price"
    world.prices = {"instance_type": 0.6, "default": 0}
    assert world.get("cost")["cost"] == 2.5
    rows = world.get("cost", group_by="job")["rows"]
    assert [(row["key"], row["cost"]) for row in rows] == [("rspec", 2.5), ("lint", 0.0)]


def test_an_answer_says_how_whole_it_is(world: FigureWorld) -> None:
    expected = {
        "complete": True,
        "projects": 2,
        "unread": 0,
        "owed": 0,
        "without_details": 0,
        "without_lead_time": 0,
        "pending": False,
        "cut": 0,
    }
    expected["until"] = MONDAY + 10 * DAY
    assert world.get("summary")["completeness"] == expected
    assert world.get("summary", project_id=8)["completeness"] == {**expected, "projects": 1}
    assert not world.get("summary", project_id=99)["completeness"]["complete"]


@pytest.mark.parametrize(("state", "unread", "until"), [
    (ReadState(reconciled_at=MONDAY), 0, MONDAY),
    (ReadState(error="ci_disabled"), 0, MONDAY + 10 * DAY),
    (ReadState(error="ci_disabled", default_watermark=MONDAY * 1000), 0, MONDAY + 10 * DAY),
    (ReadState(reconciled_at=MONDAY, error="gitlab_unavailable"), 1, MONDAY + 10 * DAY),
    (ReadState(), 1, MONDAY + 10 * DAY),
    (ReadState(owed=1), 1, MONDAY + 10 * DAY),
], ids=["no pipelines", "switched off", "switched off later", "failed", "never read", "under way"])  # fmt: skip
def test_a_project_without_pipelines_is_read_like_any_other(
    world: FigureWorld, state: ReadState, unread: int, until: int
) -> None:
    world.project(9, "acme/empty")
    ReadStates(world.table, "i1").save(9, state)
    whole = world.get("summary")["completeness"]
    assert (whole["complete"], whole["projects"], whole["unread"], whole["until"]) == (not unread, 3, unread, until)


@pytest.mark.parametrize(
    ("figure", "query", "field"),
    [
        ("flaky", {"definition": "gitlab"}, "query.definition"),
        ("summary", {"definition": "dx", "group_by": "source"}, "query.group_by"),
        ("summary", {"group_by": "runner"}, "query.group_by"),
        ("summary", {"from": "2026-03-05", "to": "2026-03-04"}, "query.from"),
        ("summary", {"from": "2020-03-05", "to": "2026-03-04"}, "query.from"),
        ("summary", {"from": "yesterday"}, "query.from"),
        ("summary", {"to": "99999999999"}, "query.to"),
    ],
)
def test_what_makes_no_sense_is_refused(world: FigureWorld, figure: str, query: dict[str, Any], field: str) -> None:
    status, body = world.ask(figure, **query)
    assert (status, body["code"]) == (422, "invalid_input")
    assert [one["field"] for one in body["details"]["fields"]] == [field]


def test_a_group_that_nobody_knows_is_not_found(world: FigureWorld) -> None:
    assert world.ask("summary", group_id=55)[0] == 404


def test_without_a_range_the_last_thirty_days_are_told(world: FigureWorld) -> None:
    status, body = world.ask("summary")
    assert (status, body["to"] - body["from"], body["to"]) == (200, 30 * DAY, MONDAY + 11 * DAY)
    assert when(body["from"]).endswith("T00:00:00.000Z")
