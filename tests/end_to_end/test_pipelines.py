"""Pipelines, jobs and trees as the API shows them after a sync: GitLab's, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import seconds, told
from tests.end_to_end.hub_client import Hub
from tests.end_to_end.truth import real, shown

PIPELINE = {
    "id", "iid", "project_id", "sha", "before_sha", "ref", "tag", "status", "source", "created_at", "updated_at",
    "started_at", "finished_at", "duration", "queued_duration", "coverage", "web_url", "user", "failure_class",
    "first_terminal_status", "deleted_at_source",
}  # fmt: skip
JOB = {
    "id", "name", "stage", "status", "ref", "tag", "allow_failure", "created_at", "started_at", "finished_at",
    "duration", "queued_duration", "failure_reason", "web_url", "user", "runner", "attempt_no", "attempt_count",
    "retried", "failure_class", "first_terminal_status",
}  # fmt: skip
PARTS = ("user", "runner")


@pytest.fixture(scope="module")
def pipelines(hub: Hub, one: str) -> list[dict[str, Any]]:
    return hub.rows(f"{one}/pipelines")


def place(one: str, row: Mapping[str, Any]) -> str:
    return f"{one}/projects/{row['project_id']}/pipelines/{row['id']}"


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """Fields that both have, and that are not the same; times are compared as seconds."""
    for name in (ours.keys() & theirs.keys()) - {*PARTS, "name"}:
        expected = seconds(theirs[name]) if name.endswith("_at") else theirs[name]
        if ours[name] != expected:
            yield f"{name}: {ours[name]!r} instead of {expected!r}"


def test_everything_is_there_and_nothing_else(hub: Hub, gitlab: Running, one: str) -> None:
    expected = real(gitlab)
    assert shown(hub, one) == expected
    assert len(expected["jobs"]) > len(expected["pipelines"]) > 0


def test_pipelines_are_gitlabs(hub: Hub, gitlab: Running, one: str, pipelines: list[dict[str, Any]]) -> None:
    for row in pipelines[::4]:
        theirs = told(gitlab, f"/projects/{row['project_id']}/pipelines/{row['id']}")
        shown = hub.get(place(one, row))["pipeline"]
        assert shown.keys() >= PIPELINE
        assert list(differences(shown, theirs)) == []
        assert shown["user"]["id"] == theirs["user"]["id"]
        assert shown == row


def test_jobs_are_gitlabs(hub: Hub, gitlab: Running, one: str, pipelines: list[dict[str, Any]]) -> None:
    for row in pipelines[::4]:
        theirs = told(gitlab, f"/projects/{row['project_id']}/pipelines/{row['id']}/jobs?include_retried=true")
        every = hub.rows(f"{place(one, row)}/jobs", include_retried="true")
        assert {job["id"] for job in every} == {job["id"] for job in theirs}
        for job in every:
            source = next(each for each in theirs if each["id"] == job["id"])
            assert job.keys() >= JOB
            assert (job["name"], list(differences(job, source))) == (source["name"], [])
        latest = hub.rows(f"{place(one, row)}/jobs")
        assert latest == [job for job in every if not job["retried"]]


def test_attempts_are_counted(hub: Hub, gitlab: Running, one: str) -> None:
    retried = next(row for row in gitlab.truth("jobs") if row["retried"])
    path = f"{one}/projects/{retried['project_id']}/pipelines/{retried['pipeline_id']}/jobs"
    attempts = [job for job in hub.rows(path, include_retried="true") if job["name"] == retried["name"]]
    attempts.sort(key=lambda job: int(job["id"]))
    assert [job["attempt_no"] for job in attempts] == list(range(1, len(attempts) + 1))
    assert {job["attempt_count"] for job in attempts} == {len(attempts)}
    assert [job["retried"] for job in attempts] == [True] * (len(attempts) - 1) + [False]


def test_a_tree_has_the_pipelines_that_were_started(hub: Hub, gitlab: Running, one: str) -> None:
    child = next(row for row in gitlab.truth("pipelines") if row["parent_id"])
    parent = {"project_id": child["project_id"], "id": child["parent_id"]}
    tree = hub.get(f"{place(one, parent)}/tree")["pipeline"]
    assert tree["id"] == parent["id"]
    started = [bridge["downstream_pipeline"] for bridge in tree["bridges"] if bridge["downstream_pipeline"]]
    assert [(pipeline["id"], pipeline["status"]) for pipeline in started] == [(child["id"], child["status"])]


def test_pipelines_can_be_filtered(hub: Hub, one: str, pipelines: list[dict[str, Any]]) -> None:
    listing = f"{one}/pipelines"
    ids = {row["id"] for row in pipelines}
    assert len(ids) == len(pipelines)
    for name in ("project_id", "ref", "status", "source"):
        value = pipelines[0][name]
        found = {row["id"] for row in hub.rows(listing, **{name: value})}
        assert found == {row["id"] for row in pipelines if row[name] == value}
    middle = sorted(row["created_at"] for row in pipelines)[len(pipelines) // 2]
    late = {row["id"] for row in hub.rows(listing, created_after=middle)}
    assert late == {row["id"] for row in pipelines if row["created_at"] >= middle}
    assert hub.call("GET", f"{listing}?status=no_such_status").status == 422


def test_followers_see_changes_in_order(hub: Hub, one: str, pipelines: list[dict[str, Any]]) -> None:
    feed = hub.rows(f"{one}/pipelines", updated_after=0, limit=7)
    assert {row["id"] for row in feed} == {row["id"] for row in pipelines}
    assert hub.rows(f"{one}/pipelines", updated_after=9_999_999_999) == []


def test_what_is_not_there_is_not_found(hub: Hub, one: str, pipelines: list[dict[str, Any]]) -> None:
    project = pipelines[0]["project_id"]
    for path in (f"{one}/projects/{project}/pipelines/99999", f"{one}/projects/99999/pipelines/{pipelines[0]['id']}"):
        for more in ("", "/jobs", "/tree"):
            assert hub.call("GET", path + more).refusal == (404, "not_found")


@pytest.mark.parametrize("query", ["project_id=x", "created_after=today", "updated_after=-1", "limit=0", "limit=201"])
def test_filters_that_make_no_sense_are_refused(hub: Hub, one: str, query: str) -> None:
    assert hub.call("GET", f"{one}/pipelines?{query}").refusal == (422, "invalid_input")
