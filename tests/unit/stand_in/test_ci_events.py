"""Pipelines and jobs that move on, and what their hooks hear."""

from typing import Any

import pytest


def statuses(bodies: list[dict[str, Any]], number: int) -> list[str]:
    """What was said of one pipeline, in the order of its time; calls may overtake each other."""
    said = [each["object_attributes"] for each in bodies if each["object_kind"] == "pipeline"]
    rank = ["created", "pending", "running"]
    found = [each["status"] for each in said if each["id"] == number]
    return sorted(found, key=lambda status: rank.index(status) if status in rank else len(rank))


def test_a_pipeline_is_told_from_its_beginning_to_its_end(hooked: Any) -> None:
    hooked.hook(pipeline_events=True)
    number = hooked.do("add_pipeline", project_id=1, jobs=3)["id"]
    assert statuses(hooked.heard("Pipeline Hook"), number) in (["created"], ["pending"])
    hooked.advance(3600)
    told = statuses(hooked.heard("Pipeline Hook"), number)
    final = hooked.ask(f"/projects/1/pipelines/{number}", "admin").json["status"]
    assert told == ["pending", "running", final]
    hooked.advance(3600)
    assert hooked.heard() == []


def test_what_was_there_before_somebody_listened_is_no_news(hooked: Any) -> None:
    hooked.hook(pipeline_events=True, job_events=True)
    hooked.do("add_user", username="somebody")
    hooked.advance(30 * 86_400)
    old = hooked.heard()
    assert len(hooked.app.company.pipelines[1]) > 3
    assert len({each["object_attributes"]["id"] for each in old if each["object_kind"] == "pipeline"}) <= 1


def test_jobs_are_told_too_and_call_the_pipeline_their_commit(hooked: Any) -> None:
    hooked.hook(job_events=True)
    number = hooked.do("add_pipeline", project_id=1, jobs=2)["id"]
    hooked.advance(3600)
    jobs = [each for each in hooked.heard("Job Hook") if each["pipeline_id"] == number]
    assert {each["commit"]["id"] for each in jobs} == {number}
    rows = hooked.ask(f"/projects/1/pipelines/{number}/jobs", "admin").json
    assert {(each["build_id"], each["build_status"]) for each in jobs} >= {(row["id"], row["status"]) for row in rows}
    assert {each["build_status"] for each in jobs} >= {"created", "running"}


def test_a_retried_job_makes_its_pipeline_run_again(hooked: Any) -> None:
    hooked.hook(pipeline_events=True)
    number = hooked.do("add_pipeline", project_id=1, jobs=1)["id"]
    hooked.advance(3600)
    hooked.heard()
    job = hooked.ask(f"/projects/1/pipelines/{number}/jobs", "admin").json[0]["id"]
    hooked.do("retry_job", id=job, outcome="success")
    hooked.advance(3600)
    assert statuses(hooked.heard(), number) == ["running", "success"]


@pytest.mark.parametrize("place", ["project", "group"])
def test_a_commit_status_moves_an_external_pipeline_and_is_no_job(hooked: Any, place: str) -> None:
    home = hooked.app.company.projects[1].group_id
    path = "/projects/1/hooks" if place == "project" else f"/groups/{home}/hooks"
    hooked.hook(path, pipeline_events=True, job_events=True)
    sha = hooked.do("push", project_id=1, branch="main", files=["a.py"])["sha"]
    for state in ("running", "success"):
        sent = {"state": state, "name": "hub"}
        assert hooked.ask(f"/projects/1/statuses/{sha}", "admin", "POST", sent).status == 201
        hooked.app.catch_up()
    hooked.quiet()
    told = hooked.heard()
    assert {each["object_attributes"]["source"] for each in told} == {"external"}
    assert [each["object_attributes"]["status"] for each in told if each["builds"]] == []
    assert statuses(told, told[0]["object_attributes"]["id"]) == ["running", "success"]
    assert told[0]["object_attributes"]["stages"] == ["external"]


def test_nobody_is_told_who_does_not_listen(hooked: Any) -> None:
    hooked.hook(push_events=True)
    hooked.hook("/projects/2/hooks", pipeline_events=True)
    hooked.do("add_pipeline", project_id=1, jobs=1)
    hooked.advance(3600)
    assert [each for each in hooked.heard() if each["project"]["id"] == 1] == []
