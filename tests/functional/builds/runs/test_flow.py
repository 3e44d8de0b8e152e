from dataclasses import replace

import pytest

from gitlab_hub.builds.runs.actions import MOST_STARTS
from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.runs.worker import NEEDED_SECONDS
from gitlab_hub.builds.targets.base import TargetDenied, TargetUnavailable
from gitlab_hub.storage.ports import OutOfTime, UnknownMessage, UnknownSchema
from tests.functional.builds.builds_hub import (
    INTEGRATION,
    NEWER,
    PROJECT,
    SHA,
    START,
    TRIGGER,
    World,
    merge_request,
    push,
    trigger,
)


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


def test_a_push_becomes_a_build_at_its_target_and_a_running_status_in_gitlab(world: World) -> None:
    build_id = world.push()
    assert world.build(build_id).status is BuildStatus.PENDING
    world.work()
    build = world.build(build_id)
    assert (build.status, build.number, build.started_at, build.external_id) == (
        BuildStatus.RUNNING, 1, START, f"ext:{build_id}",
    )  # fmt: skip
    assert world.target.builds[build_id]["build"]["sha"] == SHA
    assert world.target.builds[build_id]["gitlab"]["url"] == "https://gitlab.example/gitlab"
    assert world.wall.shown == {(SHA, "ci/hub"): "running"}
    assert (build.reported_status, build.status_pipeline_id, build.due_at) == ("running", 99, None)


def test_a_push_and_its_merge_request_make_one_build(world: World) -> None:
    build_id = world.push()
    assert world.receive(merge_request(), "dlv_0a1b_2") == ([], [f"{TRIGGER}: already_built"])
    world.work()
    assert list(world.target.builds) == [build_id]
    assert len(list(world.builds())) == 1


def test_a_merge_request_and_its_push_make_one_build(world: World) -> None:
    [build_id], _ = world.receive(merge_request(), "dlv_0a1b_2")
    assert world.receive(push()) == ([], [f"{TRIGGER}: already_built"])
    assert [build.id for build in world.builds()] == [build_id]


def test_a_repeated_delivery_gives_the_same_build_and_makes_none(world: World) -> None:
    build_id = world.push()
    world.work()
    world.queue.expire_ids()
    assert world.push() == build_id
    world.work()
    assert world.target.calls == [("start", build_id)]
    assert [build.number for build in world.builds()] == [1]


def test_every_trigger_makes_its_own_build_and_numbers_have_no_gaps(world: World) -> None:
    world.add(trigger("trg_0a1b_two"))
    build_ids, reasons = world.receive(push())
    build_ids += world.receive(push(NEWER), "dlv_0a1b_2")[0]
    assert reasons == []
    assert [world.build(build_id).number for build_id in build_ids] == [1, 2, 3, 4]


def test_a_tag_on_a_built_commit_is_built(world: World) -> None:
    first = world.push()
    [second], _ = world.receive(push(ref="v1.0", kind="tag_push"), "dlv_0a1b_2")
    assert first != second
    assert world.receive(push(ref="v1.0", kind="tag_push"), "dlv_0a1b_3")[0] == []


def test_an_event_that_no_trigger_waits_for_says_so(world: World) -> None:
    assert world.receive(push(project_id=PROJECT + 1)) == ([], ["no_trigger"])


def test_a_refused_event_says_which_trigger_refused_it_and_why(world: World) -> None:
    world.add(trigger("trg_0a1b_two", enabled=False))
    build_ids, reasons = world.receive(push())
    assert (len(build_ids), reasons) == (1, ["trg_0a1b_two: trigger_disabled"])


def test_the_end_of_a_branch_is_built_though_its_commit_was_and_gitlab_is_not_told() -> None:
    world = World()
    world.add(trigger(on_branch_delete=True))
    first = world.push()
    world.work()
    gone = push(before=SHA, after="0" * 40)
    [second], _ = world.receive(replace(gone, sha=None), "dlv_0a1b_2")
    posts = len(world.wall.posts)
    world.work()
    assert first != second
    assert world.target.builds[second]["build"]["ref_deleted"] is True
    assert len(world.wall.posts) == posts


def test_a_forks_build_waits_for_approval_and_does_not_stand_in_the_way_of_the_merged_commit(world: World) -> None:
    [build_id], _ = world.receive(merge_request(source=99), "dlv_0a1b_2")
    world.work()
    assert world.target.calls == []
    assert not world.feature.store.any_active(INTEGRATION)
    assert world.wall.posts[-1]["description"] == "Waits for approval"
    own = world.push()
    assert own != build_id
    status, body = world.call("POST", f"/v1/builds/{build_id}/approve")
    assert (status, body["build"]["needs_approval"]) == (200, False)
    world.work()
    assert set(world.target.builds) == {build_id, own}
    assert world.build(build_id).status is BuildStatus.RUNNING


def test_what_the_target_refuses_fails_with_a_code_and_a_hint(world: World) -> None:
    world.target.faults = [TargetDenied("Give the builder the right.")]
    build_id = world.push()
    world.work()
    build = world.build(build_id)
    assert (build.status, build.error, build.error_hint) == (
        BuildStatus.FAILED, "target_access_denied", "Give the builder the right.",
    )  # fmt: skip
    assert world.failures == []
    assert world.wall.posts[-1]["state"] == "failed"
    assert world.wall.posts[-1]["description"] == "Give the builder the right."
    assert not world.feature.store.any_active(INTEGRATION)


def test_a_target_that_is_away_fails_the_message_and_is_asked_again_by_the_schedule(world: World) -> None:
    world.target.faults = [TargetUnavailable("away"), TargetUnavailable("away")]
    build_id = world.push()
    world.work()
    assert [type(each) for each in world.failures] == [TargetUnavailable]
    assert world.build(build_id).status is BuildStatus.PENDING
    world.later(59)
    assert len(world.target.calls) == 1
    world.later(2)
    assert len(world.target.calls) == 2
    world.later(121)
    assert world.build(build_id).status is BuildStatus.RUNNING


def test_a_target_that_stays_away_fails_the_build_in_the_end(world: World) -> None:
    world.target.faults = [TargetUnavailable("away")] * 100
    build_id = world.push()
    world.work()
    for _ in range(MOST_STARTS + 1):
        world.later(1000)
    build = world.build(build_id)
    assert (build.status, build.error) == (BuildStatus.FAILED, "target_unavailable")
    assert len(world.target.calls) == MOST_STARTS + 1
    assert world.wall.shown == {(SHA, "ci/hub"): "failed"}


def test_a_build_of_an_unknown_target_type_fails() -> None:
    world = World()
    world.add(trigger(target={"type": "teleport"}))
    build_id = world.push()
    world.work()
    assert (world.build(build_id).status, world.build(build_id).error) == (BuildStatus.FAILED, "target_refused")


def test_a_newer_build_cancels_the_earlier_ones_of_its_branch_at_their_target() -> None:
    world = World()
    world.add(trigger(cancel_previous=True))
    old, elsewhere = world.push(), world.push("d" * 40, ref="other", delivery="dlv_0a1b_2")
    world.work()
    waiting = world.push("e" * 40, delivery="dlv_0a1b_3")
    newest = world.push(NEWER, delivery="dlv_0a1b_4")
    world.work()
    found = {build.id: build.status for build in world.builds()}
    assert found == {
        old: BuildStatus.CANCELED,
        elsewhere: BuildStatus.RUNNING,
        waiting: BuildStatus.CANCELED,
        newest: BuildStatus.RUNNING,
    }
    assert old in world.target.stopped
    assert newest not in world.target.stopped
    assert world.build(old).stop_pending is False


def test_a_build_that_was_canceled_before_it_started_overtakes_nothing() -> None:
    world = World()
    world.add(trigger(cancel_previous=True))
    old = world.push()
    world.work()
    newer = world.push(NEWER, delivery="dlv_0a1b_2")
    world.call("POST", f"/v1/builds/{newer}/cancel")
    world.work()
    assert [world.build(build_id).status for build_id in (old, newer)] == [BuildStatus.RUNNING, BuildStatus.CANCELED]


def test_a_fork_overtakes_no_branch_of_the_project_that_has_the_same_name() -> None:
    world = World()
    world.add(trigger(cancel_previous=True, merge_requests=replace(trigger().merge_requests, forks="allow")))
    own = world.push()
    world.work()
    world.receive(merge_request(NEWER, source=99), "dlv_0a1b_2")
    world.work()
    assert world.build(own).status is BuildStatus.RUNNING


def test_a_build_that_waits_or_runs_is_in_the_way_of_a_removal_until_it_ends(world: World) -> None:
    build_id = world.push()
    for status in (None, "running", "success"):
        if status is not None:
            world.call("PATCH", f"/v1/builds/{build_id}", {"status": status})
        assert world.feature.store.any_active(INTEGRATION) is (status != "success")


def test_a_build_that_is_gone_is_no_failure(world: World) -> None:
    before = world.rows.dump()
    for action in ("start", "stop", "report"):
        world.builder({"schema": 1, action: "bld_0a1b_nothing"}, remaining=lambda: 60.0)
    assert (world.rows.dump(), world.target.calls) == (before, [])


@pytest.mark.parametrize("message", [{"schema": 2, "start": "bld_0a1b_1"}, {"schema": 1}, {"schema": 1, "boil": "egg"}])
def test_a_message_of_another_release_waits_for_that_release(world: World, message: dict[str, object]) -> None:
    with pytest.raises(UnknownMessage):
        world.builder(message, remaining=lambda: 60.0)


def test_a_message_that_there_is_no_time_for_is_not_begun_with(world: World) -> None:
    build_id = world.push()
    with pytest.raises(OutOfTime):
        world.builder({"schema": 1, "start": build_id}, remaining=lambda: NEEDED_SECONDS - 1)
    assert (world.target.builds, world.build(build_id).starting_at) == ({}, None)


def test_a_row_of_a_later_release_is_read_without_what_is_new_in_it(world: World) -> None:
    build_id = world.push()
    row = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert row is not None
    world.rows.put({**row, "schema_version": 2, "warp_factor": 9})
    world.work()
    assert world.build(build_id).status is BuildStatus.RUNNING
    stored = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert stored is not None
    assert (stored["schema_version"], stored["warp_factor"], stored["status"]) == (2, 9, "running")


def test_a_build_whose_status_only_a_later_release_knows_waits_for_it_and_holds_up_no_other(world: World) -> None:
    unknown, known = world.push(), world.push(NEWER, delivery="dlv_0a1b_2")
    row = world.rows.get(f"BUILD#{unknown}", "BUILD")
    assert row is not None
    odd = {**row, "schema_version": 2, "status": "dreaming"}
    world.rows.put(odd)
    world.queue.sent.clear()
    with pytest.raises(UnknownSchema):
        world.builder({"schema": 1, "start": unknown}, remaining=lambda: 60.0)
    world.later(100)
    assert world.build(known).status is BuildStatus.RUNNING
    assert world.rows.get(f"BUILD#{unknown}", "BUILD") == odd


def test_a_row_of_an_earlier_release_has_what_it_lacks_at_its_default(world: World) -> None:
    build_id = world.push()
    row = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert row is not None
    later = {"report_after", "deletes_ref", "rerun_of", "source_project_id", "external_url"}
    world.rows.put({name: value for name, value in row.items() if name not in later})
    world.work()
    assert world.build(build_id).status is BuildStatus.RUNNING


def test_a_removed_integration_leaves_no_build_behind(world: World) -> None:
    world.push()
    world.push(NEWER, delivery="dlv_0a1b_2")
    world.work()
    for partition in world.feature.store.partitions(INTEGRATION):
        keys = [(str(row["pk"]), str(row["sk"])) for row in world.rows.query(partition).items]
        world.rows.write(deletes=keys)
    assert world.rows.dump() == []
    world.later(100)
    assert world.rows.dump() == []
