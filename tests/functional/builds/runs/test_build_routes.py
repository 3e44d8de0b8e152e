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
    DEVELOPER,
    INTEGRATION,
    NEWER,
    OTHER,
    SHA,
    START,
    STRANGER,
    TRIGGER,
    World,
    merge_request,
    running,
    trigger,
)

FIELDS = {
    "id", "number", "status", "trigger_id", "project_id", "event", "ref", "sha", "actor", "delivery_id",
    "gitlab_pipeline_id", "target", "created_at", "started_at", "finished_at",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


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
