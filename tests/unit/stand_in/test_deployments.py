"""Deployments and environments: what GitLab's API tells of them, and with which merge requests."""

import json
from itertools import pairwise
from typing import Any

import pytest

from stand_in_gitlab.company.deployment_model import guessed_tier
from tests.unit.stand_in.test_schemas import JOB, MANAGER, RUNNER, V4, assert_fits, without

HERE = "/projects/1/deployments"

DEPLOYMENT = {
    "id", "iid", "ref", "sha", "created_at", "updated_at", "user", "environment", "deployable", "status",
}  # fmt: skip
"""lib/api/entities/deployment.rb."""


@pytest.mark.parametrize(("name", "tier"), [
    ("production", "production"), ("prod-eu", "production"), ("live", "production"), ("review/x", "development"),
    ("pre-production", "staging"), ("staging", "staging"), ("qa", "testing"), ("canary", "other"),
])  # fmt: skip
def test_an_environment_without_a_tier_gets_the_one_that_its_name_suggests(name: str, tier: str) -> None:
    assert guessed_tier(name) == tier


def test_a_deployment_by_the_api_has_no_job_and_its_environment_no_tier(hooked: Any) -> None:
    made = hooked.do("deploy", project_id=1, environment="prod")
    (row,) = hooked.ask(HERE).json
    assert set(row) == DEPLOYMENT
    assert (row["id"], row["status"], row["deployable"], row["ref"]) == (made["id"], "success", None, "main")
    assert (row["environment"]["name"], "tier" in row["environment"]) == ("prod", False)
    (environment,) = hooked.ask("/projects/1/environments").json
    assert (environment["id"], environment["tier"]) == (row["environment"]["id"], "production")
    assert hooked.ask(f"/projects/1/environments/{environment['id']}").json == environment
    assert hooked.ask("/projects/1/environments/99").status == 404
    assert hooked.ask(f"{HERE}/{made['id']}").json == row
    assert hooked.ask(f"{HERE}/99").status == 404


def test_a_deployment_by_a_job_shows_the_job(hooked: Any) -> None:
    pipeline = hooked.do("add_pipeline", project_id=1)["id"]
    hooked.do("deploy", project_id=1, pipeline_id=pipeline, status="running")
    (row,) = hooked.ask(HERE).json
    job = without(row["deployable"], JOB)
    job["runner"] = job["runner"] and without(job["runner"], RUNNER)
    job["runner_manager"] = job["runner_manager"] and without(job["runner_manager"], MANAGER)
    assert_fits("job.json", job)
    assert job["pipeline"]["id"] == pipeline
    assert set(row["user"]) >= set(json.loads((V4 / "user" / "basic.json").read_text("utf-8"))["required"])


def test_the_list_goes_by_updates_only_in_their_order(hooked: Any) -> None:
    first = hooked.do("deploy", project_id=1, status="running")["id"]
    hooked.advance(60)
    second = hooked.do("deploy", project_id=1, status="failed")["id"]
    hooked.advance(60)
    hooked.do("move_deployment", project_id=1, id=first, status="success")
    moment = hooked.ask(f"{HERE}/{first}").json["updated_at"]
    everything = hooked.ask(f"{HERE}?order_by=updated_at&sort=asc").json
    assert [row["id"] for row in everything] == [second, first]
    later = hooked.ask(f"{HERE}?order_by=updated_at&updated_after={moment}").json
    assert [row["id"] for row in later] == [first]
    for query in ("updated_after", "order_by=id&updated_before", "order_by=finished_at&finished_after"):
        assert hooked.ask(f"{HERE}?{query}={moment}").status == 400
    done = hooked.ask(f"{HERE}?order_by=finished_at&status=success&finished_after={moment}").json
    assert [row["id"] for row in done] == [first]
    assert [row["id"] for row in hooked.ask(f"{HERE}?status=failed").json] == [second]
    assert hooked.ask(f"{HERE}?status=gone").status == 400


def test_a_past_of_deliveries_has_merge_requests_and_failures(hooked: Any) -> None:
    made = hooked.do("deliver", project_id=1, changes=4)["deployments"]
    rows = {row["id"]: row for row in hooked.ask(f"{HERE}?sort=asc").json}
    assert sorted(rows) == made
    assert [rows[one]["status"] for one in made] == [*["success"] * 3, "failed", "success", "success"]
    brought = [[one["title"] for one in hooked.ask(f"{HERE}/{number}/merge_requests").json] for number in made]
    assert brought[1:] == [["Merge delivery-2"], ["Merge delivery-3"], [], ["Merge delivery-3-again"],
                           ["Merge delivery-4"]]  # fmt: skip
    assert all(rows[one]["updated_at"] < rows[two]["updated_at"] for one, two in pairwise(made))


def merged(hooked: Any, branch: str) -> int:
    iid: int = hooked.do("open_merge_request", project_id=1, source_branch=branch, files=[f"{branch}.py"])["iid"]
    hooked.do("update_merge_request", project_id=1, iid=iid, action="merge")
    return iid


def brought(hooked: Any, **how: Any) -> list[int]:
    made = hooked.do("deploy", project_id=1, **how)["id"]
    return [row["iid"] for row in hooked.ask(f"{HERE}/{made}/merge_requests").json]


def test_a_deployment_brings_what_was_merged_since_the_last_success_there(hooked: Any) -> None:
    first, second = merged(hooked, "one"), merged(hooked, "two")
    before = hooked.ask("/projects/1/repository/branches/main").json["commit"]["id"]
    assert brought(hooked) == [second, first]  # The first one counts for all that were ever merged.
    third = merged(hooked, "three")
    assert brought(hooked, status="failed") == []
    assert brought(hooked) == [third]
    assert brought(hooked) == []
    assert brought(hooked, sha=before) == []  # Going back brings nothing.
    assert brought(hooked, environment="review/three") == []  # Folders have no merge requests …
    assert brought(hooked, environment="eu/production") == [third, second, first]  # … unless they are production.
    row = hooked.ask(f"/projects/1/merge_requests/{third}").json
    assert row["merged_at"] == row["updated_at"]


def test_who_may_not_look_gets_403(hooked: Any) -> None:
    hooked.do("deploy", project_id=1)
    project = hooked.app.company.projects[1]
    for off in ({"environments_enabled": False}, {"builds_enabled": False}, {"has_repository": False}):
        hooked.do("update_project", id=1, **off)
        assert [hooked.ask(path).status for path in (HERE, "/projects/1/environments")] == [403, 403]
        hooked.do("update_project", id=1, **dict.fromkeys(off, True))
    project.visibility = "public"
    hooked.do("add_user", username="guest.one")
    hooked.do("add_token", name="guest", user_id=max(hooked.app.company.users), scopes=["read_api"])
    assert hooked.ask(HERE, "guest").status == 403
