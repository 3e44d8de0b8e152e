"""The API of builds."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.web.openapi import document
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER
from tests.functional.builds.builds_hub import (
    INTEGRATION,
    NEWER,
    OTHER,
    PROJECT,
    SHA,
    START,
    TRIGGER,
    World,
    merge_request,
    trigger,
)

FIELDS = {
    "id", "number", "status", "trigger_id", "project_id", "event", "ref", "sha", "actor", "delivery_id",
    "gitlab_pipeline_id", "target", "created_at", "started_at", "finished_at",
}  # fmt: skip
DEVELOPER = Principal("t-dev", Role.DEVELOPER)
STRANGER = Principal("t-other", Role.OWNER, frozenset({OTHER}))


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


def running(world: World) -> str:
    build_id = world.push()
    world.work()
    return build_id


def test_a_build_has_the_fields_of_the_contract_and_nothing_of_the_table(world: World) -> None:
    build_id = running(world)
    status, body = world.call("GET", f"/v1/builds/{build_id}")
    shown = body["build"]
    assert status == 200
    assert set(shown) >= FIELDS
    assert (shown["number"], shown["status"], shown["event"], shown["ref"], shown["sha"]) == (
        1, "running", "push", "main", SHA,
    )  # fmt: skip
    assert (shown["actor"], shown["delivery_id"], shown["gitlab_pipeline_id"]) == ("root", "dlv_0a1b_1", 99)
    assert (shown["created_at"], shown["started_at"], shown["finished_at"]) == (START, START, None)
    assert shown["target"] == {"type": "memory", "name": "m"}
    assert not {"pk", "sk", "version", "due_at", "sends", "reported", "by_time_pk"} & set(shown)


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


def test_a_paused_integration_runs_nothing_again(world: World) -> None:
    build_id = running(world)
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "failed"})
    world.gitlabs.set(paused=True)
    assert world.call("POST", f"/v1/builds/{build_id}/rerun")[1]["code"] == "integration_paused"


def test_reports_move_a_build_on_and_never_back(world: World) -> None:
    build_id = running(world)
    path = f"/v1/builds/{build_id}"
    world.now += 60
    assert world.call("PATCH", path, {"status": "pending"})[1]["build"]["status"] == "running"
    assert world.call("PATCH", path, {"status": "success"})[1]["build"]["finished_at"] == START + 60
    world.now += 60
    status, body = world.call("PATCH", path, {"status": "failed"})
    assert (status, body["code"]) == (409, "build_finished")
    status, body = world.call("PATCH", path, {"status": "success", "description": "late"})
    assert (status, body["build"]["finished_at"], body["build"]["description"]) == (200, START + 60, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "great"},
        {"status": "success", "target_url": "javascript:alert(1)"},
        {"status": "success", "description": "x" * 256},
        {"status": "success", "number": 7},
        {"status": "success", "integration_id": OTHER},
    ],
)
def test_a_report_that_is_none_changes_nothing(world: World, body: dict[str, Any]) -> None:
    build_id = running(world)
    before = world.build(build_id)
    assert world.call("PATCH", f"/v1/builds/{build_id}", body)[0] == 422
    assert world.build(build_id) == before


def test_nobody_reports_on_a_build_that_waits_for_approval(world: World) -> None:
    [build_id], _ = world.receive(merge_request(source=99))
    path = f"/v1/builds/{build_id}"
    assert world.call("PATCH", path, {"status": "success"})[1]["code"] == "awaiting_approval"
    assert world.call("POST", f"{path}/cancel")[1]["build"]["status"] == "canceled"
    assert world.call("POST", f"{path}/approve")[1]["code"] == "not_awaiting_approval"
    world.work()
    assert world.target.calls == []


def test_a_forks_build_is_not_approved_for_a_target_that_the_deployer_allows_no_more(world: World) -> None:
    world.feature.triggers.store.change(
        TRIGGER, lambda found: replace(found, target={"type": "codebuild", "project": "app"}, version=2)
    )
    [build_id], _ = world.receive(merge_request(source=99))
    path = f"/v1/builds/{build_id}/approve"
    status, answer = world.call("POST", path)
    assert (status, answer["code"]) == (422, "target_not_allowed")
    assert answer["details"]["fields"] == [{"field": "path.build_id", "problem": "target_not_allowed"}]
    assert (world.build(build_id).awaits_approval, world.audit.lines) == (True, [])
    world.allowed = AllowedArns(
        own_bus="arn:aws:events:eu-west-1:123456789012:event-bus/hub",
        projects=("arn:aws:codebuild:eu-west-1:123456789012:project/app",),
    )
    assert world.call("POST", path)[0] == 200


def test_approving_says_who_did_it_and_works_once(world: World) -> None:
    [build_id], _ = world.receive(merge_request(source=99))
    path = f"/v1/builds/{build_id}/approve"
    assert world.call("POST", path, principal=DEVELOPER)[0] == 200
    assert world.audit.lines == [("build_approved", "t-dev", {"integration_id": INTEGRATION, "build_id": build_id})]
    assert world.call("POST", path)[1]["code"] == "not_awaiting_approval"


def test_cancelling_stops_the_build_at_its_target_and_works_twice(world: World) -> None:
    build_id = running(world)
    for _ in range(2):
        assert world.call("POST", f"/v1/builds/{build_id}/cancel")[1]["build"]["status"] == "canceled"
        world.work()
    assert world.target.stopped == [build_id]
    assert world.target.calls.count(("stop", build_id)) == 1


def test_what_has_ended_is_not_canceled(world: World) -> None:
    build_id = running(world)
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "failed"})
    status, body = world.call("POST", f"/v1/builds/{build_id}/cancel")
    assert (status, body["code"]) == (409, "build_finished")


def test_a_rerun_is_a_new_build_of_the_same_commit_with_the_trigger_as_it_is_now(world: World) -> None:
    build_id = running(world)
    path = f"/v1/builds/{build_id}"
    assert world.call("POST", f"{path}/rerun")[1]["code"] == "build_not_finished"
    world.call("PATCH", path, {"status": "failed"})
    status, body = world.call("POST", f"{path}/rerun", key="k")
    assert (status, body["build"]["number"], body["build"]["rerun_of"]) == (201, 2, build_id)
    assert (body["build"]["sha"], body["build"]["status"], body["build"]["event"]) == (SHA, "pending", "push")
    assert world.call("POST", f"{path}/rerun", key="k")[1]["build"]["id"] == body["build"]["id"]
    world.work()
    assert len(world.target.builds) == 2
    world.feature.triggers.store.remove(TRIGGER)
    assert world.call("POST", f"{path}/rerun")[1]["code"] == "trigger_gone"


def test_a_rerun_overtakes_no_newer_build() -> None:
    world = World()
    world.add(trigger(cancel_previous=True))
    old = world.push()
    world.work()
    newer = world.push(NEWER, delivery="dlv_0a1b_2")
    world.work()
    world.call("POST", f"/v1/builds/{old}/rerun")
    world.work()
    assert world.build(newer).status is BuildStatus.RUNNING


@pytest.mark.parametrize("principal", [STRANGER, OWNER])
def test_foreign_and_unknown_builds_answer_the_same(world: World, principal: Principal) -> None:
    build_id = running(world)
    path = f"/v1/builds/{build_id if principal is STRANGER else 'bld_0a1b_none'}"
    before = world.rows.dump()
    answers = [
        world.call("GET", path, principal=principal),
        world.call("PATCH", path, {"status": "failed"}, principal=principal),
        *(world.call("POST", f"{path}/{verb}", principal=principal) for verb in ("cancel", "rerun", "approve")),
    ]
    assert {(status, body["code"], body["error"]) for status, body in answers} == {
        (404, "not_found", "There is no build of this build_id that your token may see. See GET /v1/builds.")
    }
    assert world.rows.dump() == before


def test_a_foreign_trigger_is_as_unknown_as_none_to_whoever_asks_for_a_build(world: World) -> None:
    body = {"trigger_id": TRIGGER, "ref": "main"}
    status, foreign = world.call("POST", "/v1/builds", body, principal=STRANGER)
    _, unknown = world.call("POST", "/v1/builds", body | {"trigger_id": "trg_0c2d_none"}, principal=STRANGER)
    assert (status, foreign) == (404, unknown)
    assert list(world.builds()) == []


def test_roles_are_those_of_the_contract(world: World) -> None:
    build_id = running(world)
    viewer = Principal("t-viewer", Role.VIEWER)
    assert world.call("GET", f"/v1/builds/{build_id}", principal=viewer)[0] == 200
    assert world.call("GET", "/v1/builds", principal=viewer)[0] == 200
    writes = [
        ("POST", "/v1/builds", {"trigger_id": TRIGGER, "ref": "main"}),
        ("PATCH", f"/v1/builds/{build_id}", {"status": "success"}),
        *(("POST", f"/v1/builds/{build_id}/{verb}", None) for verb in ("cancel", "rerun", "approve")),
    ]
    assert {world.call(method, path, body, principal=viewer)[0] for method, path, body in writes} == {403}
    secret = f"/v1/triggers/{TRIGGER}/signing-secret"
    assert world.call("POST", secret, principal=DEVELOPER)[0] == 403


def test_a_signing_secret_is_made_anew_each_time_and_the_same_for_a_repeated_key(world: World) -> None:
    path = f"/v1/triggers/{TRIGGER}/signing-secret"
    status, first = world.call("POST", path, key="k1")
    assert (status, first["signing_secret"][:6]) == (200, "whsec_")
    assert world.call("POST", path, key="k1")[1] == first
    second = world.call("POST", path)[1]
    assert second["version"] == first["version"] + 1
    assert second["signing_secret"] != first["signing_secret"]
    assert first["signing_secret"] not in repr(world.rows.dump())
    assert world.call("POST", "/v1/triggers/trg_0a1b_none/signing-secret")[0] == 404


def test_all_routes_are_described(world: World) -> None:
    described = document(world.api().routes)
    assert "/v1/builds/{build_id}/approve" in described["paths"]
