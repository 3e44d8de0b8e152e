"""What happens to single things in GitLab, and what the next sync makes of it."""

from typing import Any

import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.stored_rows import access, pipelines, truth


@pytest.fixture
def synced(hub: SyncHub) -> SyncHub:
    hub.sync(Kind.ACCESS)
    hub.sync(Kind.PIPELINES)
    return hub


def test_a_retried_job_takes_its_pipeline_from_failed_over_running_to_success(synced: SyncHub) -> None:
    server = synced.server
    project = server.truth("projects")[0]["id"]
    pipeline = server.change("add_pipeline", project_id=project, jobs=1)["id"]
    synced.later(7_200)
    [job] = server.truth("jobs", pipeline_id=pipeline)
    for outcome in ("failed", "success", "failed"):
        retried = server.change("retry_job", id=job["id"], outcome=outcome)["id"]
        server.control("POST", "advance", {"seconds": 25, "idle": True})
        synced.now += 25
        synced.sync(Kind.PIPELINES)
        seen = pipelines(synced)
        assert seen["pipelines"][project, pipeline][0] == "running"
        assert seen["jobs"][project, pipeline, retried] == (job["name"], "running", False)

        synced.later(3_600)
        synced.sync(Kind.PIPELINES)
        seen = pipelines(synced)
        assert seen["jobs"][project, pipeline, retried] == (job["name"], outcome, False)
        assert seen["jobs"][project, pipeline, job["id"]][2] is True
        assert seen == truth(synced, Kind.PIPELINES)


def test_the_first_end_of_a_pipeline_is_remembered_through_retries(synced: SyncHub) -> None:
    server = synced.server
    row = next(row for row in server.truth("pipelines") if row["status"] == "success")
    before = item(synced, row)
    job = server.truth("jobs", pipeline_id=row["id"])[0]["id"]
    server.change("retry_job", id=job, outcome="failed")
    synced.later(3_600)
    synced.sync(Kind.PIPELINES)
    after = item(synced, row)
    assert (before["first_terminal_status"], after["first_terminal_status"]) == ("success", "success")
    assert before["first_terminal_at"] == after["first_terminal_at"]
    assert after["status"] == pipelines(synced)["pipelines"][row["project_id"], row["id"]][0]


def item(hub: SyncHub, row: dict[str, Any]) -> dict[str, Any]:
    """A pipeline as it is stored."""
    found = hub.rows[Kind.PIPELINES].get(f"{ID}#pipelines#{row['project_id']}", f"{row['id']:012d}")
    assert found is not None
    return found


def test_a_deleted_project_takes_its_grants_along(synced: SyncHub) -> None:
    server = synced.server
    project = server.truth("members", source="project")[0]["source_id"]
    server.change("remove_project", id=project)
    run = synced.sync(Kind.ACCESS)
    assert (run.status, access(synced)) == (RunStatus.IDLE, truth(synced, Kind.ACCESS))
    assert project not in access(synced)["projects"]
    assert not [key for key in access(synced)["grants"] if key[:2] == ("project", project)]
    synced.sync(Kind.PIPELINES)
    gone = synced.rows[Kind.PIPELINES].get(f"{ID}#projects", f"{project:012d}")
    assert gone is not None
    assert "gone_at" in gone


def test_a_deleted_group_takes_everything_below_along(synced: SyncHub) -> None:
    server = synced.server
    parent = server.change("add_group", path="doomed")["id"]
    below = server.change("add_group", path="below", parent_id=parent)["id"]
    project = server.change("add_project", path="inside", group_id=below)["id"]
    for source, number in (("group", parent), ("group", below), ("project", project)):
        server.change("add_member", source=source, source_id=number, user_id=1, level=40)
    synced.sync(Kind.ACCESS)
    assert {("group", below, 1), ("project", project, 1)} <= access(synced)["grants"].keys()
    server.change("remove_group", id=parent)
    synced.sync(Kind.ACCESS)
    if synced.run(Kind.ACCESS).status is RunStatus.SUSPECT:
        synced.service.accept(ID, Kind.ACCESS, actor="t-owner")
        synced.work(Kind.ACCESS)
    assert access(synced) == truth(synced, Kind.ACCESS)
    assert not {parent, below} & access(synced)["groups"].keys()


def test_a_deleted_user_goes_with_all_grants(synced: SyncHub) -> None:
    server = synced.server
    user = server.change("add_user", username="short.stay")["id"]
    server.change("add_member", source="group", source_id=1, user_id=user, level=20)
    synced.sync(Kind.ACCESS)
    assert ("group", 1, user) in access(synced)["grants"]
    server.change("remove_user", id=user)
    assert synced.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert access(synced) == truth(synced, Kind.ACCESS)


def test_a_renamed_user_is_the_same_and_a_recycled_name_is_another(synced: SyncHub) -> None:
    server = synced.server
    first = server.change("add_user", username="popular.name")["id"]
    server.change("add_member", source="group", source_id=1, user_id=first, level=20)
    synced.sync(Kind.ACCESS)
    server.change("update_user", id=first, username="married.name")
    second = server.change("add_user", username="popular.name")["id"]
    synced.sync(Kind.ACCESS)
    accounts, grants = access(synced)["accounts"], access(synced)["grants"]
    assert (accounts[first][0], accounts[second][0]) == ("married.name", "popular.name")
    assert ("group", 1, first) in grants
    assert ("group", 1, second) not in grants


def test_states_levels_and_ends_follow(synced: SyncHub) -> None:
    server = synced.server
    user = server.change("add_user", username="many.states")["id"]
    for state, level, day in (("active", 10, None), ("blocked", 30, "2026-12-31"), ("active", 50, "2020-01-01")):
        server.change("update_user", id=user, state=state)
        server.change("add_member", source="group", source_id=1, user_id=user, level=level, expires_at=day)
        synced.sync(Kind.ACCESS)
        assert access(synced) == truth(synced, Kind.ACCESS)


def test_a_share_comes_and_goes_even_with_a_group_that_does_not_change(synced: SyncHub) -> None:
    server = synced.server
    other = server.change("add_group", path="guests")["id"]
    project = server.truth("projects")[0]["id"]
    for verb, level in (("add_share", {"level": 30}), ("remove_share", {})):
        server.change(verb, source="group", source_id=1, group_id=other, **level)
        server.change(verb, source="project", source_id=project, group_id=other, **level)
        synced.sync(Kind.ACCESS)
        assert access(synced) == truth(synced, Kind.ACCESS)
