"""What GitLab gets to see, and what becomes of it where GitLab does not take it."""

from typing import Any

import httpx
import pytest

from gitlab_hub.builds.runs.actions import MOST_SENDS
from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.triggers.model import ReportStatus
from tests.fakes.gitlab import answer, lacking
from tests.functional.builds.builds_hub import INTEGRATION, NEWER, SHA, StatusWall, World, push, trigger


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


def started(world: World) -> str:
    build_id = world.push()
    world.work()
    return build_id


def patch(world: World, build_id: str, status: str, **more: Any) -> None:
    code, body = world.call("PATCH", f"/v1/builds/{build_id}", {"status": status, **more})
    assert code == 200, body
    world.work()


def test_a_status_has_the_fields_gitlab_wants_and_stays_in_its_pipeline(world: World) -> None:
    build_id = started(world)
    patch(world, build_id, "success", description="All 12 tests passed.", target_url="https://ci.example/1")
    assert world.wall.posts == [
        {
            "state": "running",
            "name": "ci/hub",
            "ref": "main",
            "target_url": f"https://console.example/{build_id}",
        },
        {
            "state": "success",
            "name": "ci/hub",
            "target_url": "https://ci.example/1",
            "description": "All 12 tests passed.",
            "pipeline_id": 99,
        },
    ]


@pytest.mark.parametrize("status", ["running", "success", "failed", "canceled"])
def test_every_status_is_shown(world: World, status: str) -> None:
    build_id = started(world)
    patch(world, build_id, status)
    assert world.wall.shown == {(SHA, "ci/hub"): status}
    assert world.build(build_id).reported_status == status


def test_a_gitlab_that_is_down_for_an_hour_shows_the_last_status_in_the_end(world: World) -> None:
    world.wall.down = True
    build_id = started(world)
    patch(world, build_id, "success")
    assert (world.failures, world.build(build_id).reported_error) == ([], "host_unreachable")
    for _ in range(60):
        world.later(60)
    assert world.wall.posts == []
    world.wall.down = False
    for _ in range(16):
        world.later(60)
    assert world.wall.states == ["success"]
    build = world.build(build_id)
    assert (build.reported_status, build.reported_error, build.due_at) == ("success", None, None)


@pytest.mark.parametrize("minutes", [10, 12 * 60])
def test_an_end_that_falls_into_a_maintenance_shows_after_it(world: World, minutes: int) -> None:
    build_id = started(world)
    world.wall.read_only = True
    patch(world, build_id, "success")
    assert (world.failures, world.build(build_id).reported_error) == ([], "gitlab_unavailable")
    for _ in range(minutes):
        world.later(60)
    assert world.wall.shown == {(SHA, "ci/hub"): "running"}
    world.wall.read_only = False
    for _ in range(16):
        world.later(60)
    build = world.build(build_id)
    assert world.wall.shown == {(SHA, "ci/hub"): "success"}
    assert (build.reported_status, build.reported_error, build.due_at) == ("success", None, None)


@pytest.mark.parametrize(("http", "page"), [(404, "text/plain"), (404, "text/html"), (403, "text/html")])
def test_an_end_that_falls_into_a_rollout_behind_an_ingress_shows_after_it(world: World, http: int, page: str) -> None:
    build_id = started(world)
    world.wall.script = [lambda: httpx.Response(http, headers={"content-type": page}, text="default backend")]
    patch(world, build_id, "success")
    assert world.build(build_id).reported_error == "not_gitlab"
    for _ in range(3):
        world.later(60)
    assert world.wall.shown == {(SHA, "ci/hub"): "success"}
    assert world.build(build_id).reported_error is None


def test_a_gitlab_that_never_comes_back_is_given_up_and_the_reason_stays(world: World) -> None:
    world.wall.down = True
    build_id = started(world)
    for _ in range(MOST_SENDS + 1):
        world.later(1000)
    build = world.build(build_id)
    assert (build.due_at, build.reported_error, build.status) == (None, "host_unreachable", BuildStatus.RUNNING)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (lambda: StatusWall.refused(403, "403 Forbidden"), True),
        (lambda: StatusWall.refused(404, "404 Not found"), True),
        (lambda: StatusWall.refused(405, "405 Not allowed"), True),
        (lambda: StatusWall.refused(500, "500 Internal Server Error"), True),
        (lambda: httpx.Response(200, text="<html>", headers={"content-type": "text/html"}), True),
        (lambda: httpx.Response(200, json={"odd": 1}), True),
        (lambda: StatusWall.refused(503, "back soon"), False),
        (lambda: httpx.Response(429, text="Retry later", headers={"Retry-After": "60"}), False),
    ],
)
def test_trouble_with_merge_requests_alone_does_not_keep_a_status_from_being_shown(
    world: World, answer: Any, shown: bool
) -> None:
    world.wall.merge_requests = answer
    build = world.build(started(world))
    assert (build.reported_status == "running") is shown
    world.wall.merge_requests = None
    world.later(90)
    assert world.wall.shown == {(SHA, "ci/hub"): "running"}


def test_a_status_that_gitlab_has_already_is_no_failure(world: World) -> None:
    world.wall.shown[(SHA, "ci/hub")] = "running"
    build_id = started(world)
    build = world.build(build_id)
    assert (build.reported_status, build.reported_error, build.due_at) == ("running", None, None)


def test_another_bad_request_is_one(world: World) -> None:
    world.wall.script = [lambda: StatusWall.refused(400, "name is too odd")]
    build = world.build(started(world))
    assert (build.status, build.reported_status, build.reported_error) == (
        BuildStatus.RUNNING,
        None,
        "unexpected_response",
    )
    assert build.due_at is None


def test_contention_is_tried_again_at_once_and_then_by_the_schedule(world: World) -> None:
    conflict = [lambda: StatusWall.refused(409, "Conflict")]
    world.wall.script = conflict * 3
    first = started(world)
    assert (len(world.wall.posts), world.build(first).reported_status) == (4, "running")
    world.wall.script = conflict * 4
    second = world.push(NEWER, delivery="dlv_0a1b_2")
    world.work()
    assert world.build(second).reported_status is None
    world.later(61)
    assert world.build(second).reported_status == "running"


@pytest.mark.parametrize(("refusal", "missing"), [
    (lacking("Commit Status: Create"), "Commit Status: Create"),
    (answer(403, {"error": "insufficient_scope", "scope": "api"}), "api"),
])  # fmt: skip
def test_what_the_token_lacks_is_named(world: World, refusal: httpx.Response, missing: str) -> None:
    world.wall.script = [lambda: refusal]
    build_id = started(world)
    _, body = world.call("GET", f"/v1/builds/{build_id}")
    assert body["build"]["report"]["error"] == "invalid_permissions"
    assert missing in body["build"]["report"]["hint"]
    patch(world, build_id, "success")
    _, body = world.call("GET", f"/v1/builds/{build_id}")
    assert body["build"]["report"] == {"name": "ci/hub", "status": "success", "error": None, "hint": None}


@pytest.mark.parametrize(("http", "code"), [(403, "invalid_permissions"), (404, "not_found")])
def test_a_refusal_is_final_and_visible_and_leaves_the_build_alone(world: World, http: int, code: str) -> None:
    world.wall.script = [lambda: StatusWall.refused(http, "no")]
    build_id = started(world)
    build = world.build(build_id)
    assert (build.status, build.reported_error, build.due_at) == (BuildStatus.RUNNING, code, None)
    _, body = world.call("GET", f"/v1/builds/{build_id}")
    assert body["build"]["report"] == {"name": "ci/hub", "status": None, "error": code, "hint": None}
    patch(world, build_id, "success")
    assert world.build(build_id).reported_status == "success", "a new status is a new try"


def test_a_rejected_token_is_waited_for(world: World) -> None:
    world.wall.script = [lambda: StatusWall.refused(401, "401 Unauthorized")]
    build_id = started(world)
    assert world.build(build_id).reported_error == "invalid_credentials"
    world.later(61)
    assert world.build(build_id).reported_status == "running"


def test_a_pause_that_gitlab_asks_for_is_kept(world: World) -> None:
    world.wall.script = [lambda: httpx.Response(429, text="Retry later", headers={"Retry-After": "600"})]
    build_id = started(world)
    world.later(599)
    assert len(world.wall.posts) == 1
    world.later(2)
    assert world.build(build_id).reported_status == "running"


def test_a_pipeline_that_gitlab_removed_is_left_for_another(world: World) -> None:
    build_id = started(world)
    world.wall.script = [lambda: StatusWall.refused(404, "404 Pipeline Not Found")]
    patch(world, build_id, "success")
    found = [(post.get("ref"), post.get("pipeline_id")) for post in world.wall.posts]
    assert found == [("main", None), (None, 99), ("main", None)]
    assert world.build(build_id).reported_status == "success"


@pytest.mark.parametrize(
    ("change", "code"), [({"report_statuses": False}, "report_statuses_off"), ({"paused": True}, "paused")]
)
def test_what_is_switched_off_is_not_shown_and_says_so(world: World, change: dict[str, bool], code: str) -> None:
    world.gitlabs.set(**change)
    build = world.build(started(world))
    assert (world.gitlabs.opened, build.reported_error, build.due_at) == (0, code, None)


def test_a_removed_integration_is_not_told() -> None:
    world = World()
    world.add()
    world.gitlabs.known = None
    build = world.build(started(world))
    assert (world.gitlabs.opened, build.reported_error) == (0, "integration_gone")


def test_a_trigger_that_shows_nothing_shows_nothing() -> None:
    world = World()
    world.add(trigger(report_status=ReportStatus(enabled=False)))
    build_id = started(world)
    patch(world, build_id, "failed")
    assert world.wall.posts == []
    _, body = world.call("GET", f"/v1/builds/{build_id}")
    assert body["build"]["report"] is None


def test_of_two_states_only_the_newest_is_posted(world: World) -> None:
    build_id = world.push()
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "running"})
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "failed"})
    world.work()
    assert world.wall.states == ["failed"]


def test_a_late_report_of_an_older_state_is_put_right(world: World) -> None:
    build_id = world.push()
    world.work()
    inner = world.wall._posted

    def while_it_ends(sha: str, body: dict[str, Any]) -> httpx.Response:
        world.wall._posted = inner  # type: ignore[method-assign]
        world.call("PATCH", f"/v1/builds/{build_id}", {"status": "success"})
        return inner(sha, body)

    world.wall._posted = while_it_ends  # type: ignore[method-assign]
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "running", "description": "Half of it is done."})
    world.work()
    assert world.wall.shown == {(SHA, "ci/hub"): "success"}
    assert world.build(build_id).reported_status == "success"


def test_no_secret_is_in_any_row_or_message() -> None:
    world = World()
    world.add()
    world.receive(push())
    messages = world.queue.bodies
    world.work()
    assert "glpat-" not in repr(world.rows.dump()) + repr(messages)
    assert not [row for row in world.rows.dump() if row["pk"].startswith("BUILD#") and INTEGRATION not in str(row)]
