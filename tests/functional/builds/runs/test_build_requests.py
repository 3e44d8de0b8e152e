"""Builds that a person asks for: by ref or commit, once for a key, and only where the trigger's target is allowed."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.targets.allowed import AllowedArns
from tests.functional.builds.builds_hub import (
    DEVELOPER,
    PROJECT,
    SHA,
    STRANGER,
    TRIGGER,
    World,
    running,
    trigger,
)


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


@pytest.mark.parametrize("body", [{"ref": "main"}, {"ref": "main", "sha": SHA[:8]}, {"sha": SHA}])
def test_a_person_has_a_ref_or_a_commit_built(world: World, body: dict[str, str]) -> None:
    status, answer = world.call("POST", "/v1/builds", {"trigger_id": TRIGGER, **body}, principal=DEVELOPER)
    shown = answer["build"]
    assert status == 201
    assert (shown["event"], shown["ref"], shown["sha"], shown["actor"]) == (
        "manual", body.get("ref", SHA), SHA, "t-dev",
    )  # fmt: skip
    world.work()
    assert world.build(shown["id"]).status is BuildStatus.RUNNING
    assert world.wall.posts[-1].get("ref") == body.get("ref")
    assert world.audit.lines[-1][:2] == ("build_requested", "t-dev")


def test_a_request_is_fulfilled_once_for_its_idempotency_key_and_as_often_as_it_is_made_without(world: World) -> None:
    body = {"trigger_id": TRIGGER, "ref": "main"}
    first, again = (world.call("POST", "/v1/builds", body, key="k1")[1]["build"]["id"] for _ in range(2))
    assert first == again
    assert world.call("POST", "/v1/builds", body)[1]["build"]["number"] == 2


def test_a_manual_build_does_not_keep_the_push_from_building(world: World) -> None:
    world.call("POST", "/v1/builds", {"trigger_id": TRIGGER, "ref": "main"})
    assert world.build(world.push()).number == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"trigger_id": TRIGGER}, 422, "invalid_input"),
        ({"trigger_id": TRIGGER, "ref": "nope"}, 422, "ref_not_found"),
        ({"trigger_id": TRIGGER, "ref": "../../users"}, 422, "invalid_input"),
        ({"trigger_id": TRIGGER, "ref": "."}, 422, "invalid_input"),
        ({"trigger_id": TRIGGER, "ref": "main~1"}, 422, "invalid_input"),
        ({"trigger_id": TRIGGER, "sha": "zz"}, 422, "invalid_input"),
        ({"trigger_id": TRIGGER, "ref": "main", "project_id": 8}, 422, "invalid_input"),
        ({"trigger_id": TRIGGER, "ref": "main", "status": "success"}, 422, "invalid_input"),
        ({"trigger_id": "trg_0a1b_none", "ref": "main"}, 404, "not_found"),
        ({"trigger_id": "trg_9z9z_one", "ref": "main"}, 404, "not_found"),
        ({"trigger_id": "trigger", "ref": "main"}, 404, "not_found"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(world: World, body: dict[str, Any], status: int, code: str) -> None:
    answer = world.call("POST", "/v1/builds", body)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert list(world.builds()) == []


def test_a_trigger_of_a_group_has_to_be_told_the_project(world: World) -> None:
    world.add(trigger("trg_0a1b_grp", project_id=None, group="acme"))
    body = {"trigger_id": "trg_0a1b_grp", "ref": "main"}
    assert world.call("POST", "/v1/builds", body)[1]["details"]["fields"][0]["field"] == "body.project_id"
    status, answer = world.call("POST", "/v1/builds", body | {"project_id": PROJECT})
    assert (status, answer["build"]["project_id"], answer["build"]["project_path"]) == (201, PROJECT, "acme/app")
    assert world.call("POST", "/v1/builds", body | {"project_id": 9})[0] == 201


def test_what_the_deployer_allows_no_more_is_not_built_on_request(world: World) -> None:
    build_id = running(world)
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "failed"})
    kept = trigger("trg_0a1b_out", target={"type": "codebuild", "project": "app"})
    world.add(kept)
    world.feature.triggers.store.change(TRIGGER, lambda found: replace(found, target=kept.target, version=2))
    body = {"trigger_id": "trg_0a1b_out", "ref": "main"}
    for path, given, field in (
        ("/v1/builds", body, "body.trigger_id"),
        (f"/v1/builds/{build_id}/rerun", None, "path.build_id"),
    ):
        status, answer = world.call("POST", path, given)
        assert (status, answer["code"]) == (422, "target_not_allowed")
        assert "BuildProjectArns" in answer["error"]
        assert answer["details"]["fields"] == [{"field": field, "problem": "target_not_allowed"}]
    assert len(list(world.builds())) == 1
    world.allowed = AllowedArns(
        own_bus="arn:aws:events:eu-west-1:123456789012:event-bus/hub",
        projects=("arn:aws:codebuild:eu-west-1:123456789012:project/app",),
    )
    assert world.call("POST", "/v1/builds", body)[0] == 201
    assert world.call("POST", f"/v1/builds/{build_id}/rerun")[0] == 201


@pytest.mark.parametrize("elsewhere", [8, 404])
def test_a_trigger_of_a_group_builds_no_project_that_lies_elsewhere(world: World, elsewhere: int) -> None:
    world.add(trigger("trg_0a1b_grp", project_id=None, group="acme"))
    body = {"trigger_id": "trg_0a1b_grp", "ref": "main", "project_id": elsewhere}
    status, answer = world.call("POST", "/v1/builds", body)
    assert (status, answer["details"]["fields"]) == (422, [{"field": "body.project_id", "problem": "not_of_trigger"}])
    assert list(world.builds()) == []


@pytest.mark.parametrize(("change", "code"), [({"paused": True}, "integration_paused"), (None, "invalid_credentials")])
def test_nothing_is_built_for_a_paused_or_powerless_integration(
    world: World, change: dict[str, bool] | None, code: str
) -> None:
    if change is None:
        world.gitlabs.known = None
    else:
        world.gitlabs.set(**change)
    assert world.call("POST", "/v1/builds", {"trigger_id": TRIGGER, "ref": "main"})[1]["code"] == code


def test_a_foreign_trigger_is_as_unknown_as_none_to_whoever_asks_for_a_build(world: World) -> None:
    body = {"trigger_id": TRIGGER, "ref": "main"}
    status, foreign = world.call("POST", "/v1/builds", body, principal=STRANGER)
    _, unknown = world.call("POST", "/v1/builds", body | {"trigger_id": "trg_0c2d_none"}, principal=STRANGER)
    assert (status, foreign) == (404, unknown)
    assert list(world.builds()) == []
