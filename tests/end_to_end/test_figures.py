"""Figures after a sync: what the lists of pipelines and jobs add up to."""

from collections import Counter
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.hub_client import Hub

FIGURES = ("summary", "trend", "queue", "duration", "failures", "flaky", "mttr", "cost")
ENDS = ("success", "failed", "canceled", "skipped")


@pytest.fixture(scope="module")
def pipelines(hub: Hub, one: str) -> list[dict[str, Any]]:
    return hub.rows(f"{one}/pipelines")


@pytest.fixture(scope="module")
def jobs(hub: Hub, one: str) -> list[dict[str, Any]]:
    return hub.rows(f"{one}/jobs", limit=200)


@pytest.fixture(scope="module")
def span(pipelines: list[dict[str, Any]]) -> dict[str, Any]:
    moments = [row["created_at"] for row in pipelines]
    return {"from": max(min(moments), max(moments) - 399 * 86_400), "to": max(moments) + 1}


def test_every_figure_says_what_it_is_and_how_whole(hub: Hub, one: str, span: dict[str, Any]) -> None:
    for figure in FIGURES:
        shown = hub.get(f"{one}/analytics/{figure}", **span)
        assert shown["definition"]["text"]
        assert not shown["completeness"]["pending"], figure


def test_the_summary_is_what_the_list_of_pipelines_adds_up_to(
    hub: Hub, one: str, span: dict[str, Any], pipelines: list[dict[str, Any]]
) -> None:
    counts = Counter(row["first_terminal_status"] or row["status"] for row in pipelines)
    shown = hub.get(f"{one}/analytics/summary", **span, group_by="project")
    assert shown["pipelines"] == len(pipelines)
    assert {name: shown["by_status"][name] for name in ENDS} == {name: counts[name] for name in ENDS}
    by_project = Counter(row["project_id"] for row in pipelines)
    assert {row["project_id"]: row["pipelines"] for row in shown["rows"]} == by_project


def test_a_group_has_the_pipelines_of_its_projects(hub: Hub, one: str, span: dict[str, Any]) -> None:
    paths = {row["id"]: row["full_path"] for row in hub.rows(f"{one}/projects")}
    for group in hub.rows(f"{one}/groups"):
        expected = hub.rows(f"{one}/pipelines", group_id=group["id"])
        assert all(paths[row["project_id"]].startswith(f"{group['full_path']}/") for row in expected)
        shown = hub.get(f"{one}/analytics/summary", **span, group_id=group["id"])
        assert shown["pipelines"] == len(expected)


def test_jobs_across_pipelines_are_all_attempts(hub: Hub, gitlab: Running, jobs: list[dict[str, Any]]) -> None:
    seen = {row["project_id"] for row in jobs}
    assert {row["id"] for row in jobs} == {row["id"] for row in gitlab.truth("jobs") if row["project_id"] in seen}
    assert all(row["failure_class"] for row in jobs if row["status"] == "failed")


def test_failures_and_cost_are_what_the_jobs_add_up_to(
    hub: Hub, one: str, span: dict[str, Any], jobs: list[dict[str, Any]]
) -> None:
    failed = Counter(row["failure_class"] for row in jobs if row["status"] == "failed")
    shown = hub.get(f"{one}/analytics/failures", **span)
    assert {row["failure_class"]: row["count"] for row in shown["rows"]} == failed
    minutes = sum(row["duration"] or 0 for row in jobs) / 60
    assert hub.get(f"{one}/analytics/cost", **span)["minutes"] == pytest.approx(minutes, abs=0.01)


def test_the_retried_job_is_flaky(hub: Hub, one: str, span: dict[str, Any], jobs: list[dict[str, Any]]) -> None:
    retried = next(row for row in jobs if row["status"] == "failed" and row["retried"])
    rows = hub.get(f"{one}/analytics/flaky", **span, project_id=retried["project_id"])["rows"]
    assert (retried["failure_class"] == "infra") is (retried["name"] not in {row["job_name"] for row in rows})
