"""What EventBridge tells of builds, in any order, from whomever."""

from itertools import permutations
from typing import Any

import pytest

from gitlab_hub.builds.runs.actions import MOST_SENDS
from gitlab_hub.builds.runs.feature import builder_of
from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.targets.base import TargetDenied, TargetUnavailable
from tests.functional.builds.builds_hub import SHA, START, MemoryTarget, World, trigger

REGION, ACCOUNT = "eu-central-1", "123456789012"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:builds"


def codebuild(build_id: str | None, status: str, *, uuid: str = "11", project: str = "app") -> dict[str, Any]:
    variables = [{"name": "OTHER", "type": "PLAINTEXT", "value": "x"}]
    if build_id is not None:
        variables.append({"name": "HUB_BUILD_ID", "type": "PLAINTEXT", "value": build_id})
    return {
        "source": "aws.codebuild",
        "detail-type": "CodeBuild Build State Change",
        "detail": {
            "build-status": status,
            "project-name": project,
            "build-id": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:build/{project}:{uuid}",
            "additional-information": {"environment": {"environment-variables": variables}},
        },
    }


def execution(name: Any, status: str, *, machine: str = "builds") -> dict[str, Any]:
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "name": name,
            "status": status,
            "executionArn": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{name}",
            "stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}",
        },
    }


class AwsTarget(MemoryTarget):
    """A target that calls its builds as CodeBuild or Step Functions would."""

    def start(self, build: Any, message: Any) -> Any:
        started = super().start(build, message)
        kinds = {
            "codebuild": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:build/app:11",
            "stepfunctions": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:builds:{build.id}",
        }
        return type(started)(kinds[str(build.target["type"])], started.url)


def world_with(target: dict[str, Any]) -> World:
    world = World()
    world.target = AwsTarget()
    world.use(world.rows, world.queue)
    world.builder = builder_of(world.feature, {target["type"]: world.target}, draw=lambda: 0.0)
    world.add(trigger(target=target))
    return world


CODEBUILD = {"type": "codebuild", "project": "app"}
STEPS = {"type": "stepfunctions", "state_machine_arn": MACHINE}


def tell(world: World, event: dict[str, Any]) -> None:
    world.builder.on_event(event)
    world.work()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("IN_PROGRESS", "running"),
        ("SUCCEEDED", "success"),
        ("FAILED", "failed"),
        ("FAULT", "failed"),
        ("TIMED_OUT", "failed"),
        ("STOPPED", "canceled"),
        ("DREAMING", "running"),
    ],
)
def test_a_build_of_codebuild_ends_as_codebuild_says(status: str, expected: str) -> None:
    world = world_with(CODEBUILD)
    build_id = world.push()
    world.work()
    tell(world, codebuild(build_id, status))
    assert str(world.build(build_id).status) == expected
    assert world.wall.shown == {(SHA, "ci/hub"): expected}
    assert world.build(build_id).stop_pending is False


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("RUNNING", "running"),
        ("SUCCEEDED", "success"),
        ("FAILED", "failed"),
        ("TIMED_OUT", "failed"),
        ("ABORTED", "canceled"),
        ("PENDING_REDRIVE", "running"),
    ],
)
def test_an_execution_ends_as_step_functions_says(status: str, expected: str) -> None:
    world = world_with(STEPS)
    build_id = world.push()
    world.work()
    tell(world, execution(build_id, status))
    assert str(world.build(build_id).status) == expected


def test_events_in_any_order_and_twice_end_in_the_same_state() -> None:
    for order in permutations(["IN_PROGRESS", "SUCCEEDED", "IN_PROGRESS", "SUCCEEDED"]):
        world = world_with(CODEBUILD)
        build_id = world.push()
        world.work()
        for status in order:
            world.now += 1
            tell(world, codebuild(build_id, status))
        assert world.build(build_id).status is BuildStatus.SUCCESS
        assert world.build(build_id).started_at == START
        assert world.wall.shown == {(SHA, "ci/hub"): "success"}


def test_an_end_that_comes_before_the_start_was_written_down_counts_and_starts_no_second_build() -> None:
    world = world_with(CODEBUILD)
    build_id = world.push()
    tell(world, codebuild(build_id, "SUCCEEDED"))
    build = world.build(build_id)
    assert (build.status, world.target.calls) == (BuildStatus.SUCCESS, [])
    assert build.external_url is not None
    assert build.external_url.endswith("/codesuite/codebuild/123456789012/projects/app/build/app:11")


def test_a_build_that_was_canceled_before_its_name_was_known_is_stopped_when_it_shows_up() -> None:
    world = world_with(CODEBUILD)
    build_id = world.push()
    world.call("POST", f"/v1/builds/{build_id}/cancel")
    world.work()
    assert world.target.stopped == []
    tell(world, codebuild(build_id, "IN_PROGRESS"))
    assert (world.build(build_id).status, world.target.stopped) == (BuildStatus.CANCELED, [build_id])


@pytest.mark.parametrize(
    "event",
    [
        codebuild("bld_0a1b_none", "SUCCEEDED"),
        codebuild(None, "SUCCEEDED"),
        execution("somebody-elses", "FAILED"),
        execution(None, "FAILED"),
        {"detail-type": "Scheduled Event", "detail": {}},
        {"detail-type": "CodeBuild Build State Change", "detail": None},
        {"detail-type": "CodeBuild Build State Change", "detail": {"build-status": ["SUCCEEDED"]}},
        {
            "detail-type": "CodeBuild Build State Change",
            "detail": {
                "build-status": "FAILED",
                "additional-information": {"environment": {"environment-variables": 7}},
            },
        },
        {},
    ],
)
def test_an_event_about_no_build_of_the_hub_is_nothing(event: dict[str, Any]) -> None:
    world = world_with(CODEBUILD)
    world.push()
    before = world.rows.dump()
    world.builder.on_event(event)
    assert world.rows.dump() == before


def test_only_the_very_build_that_was_started_is_listened_to() -> None:
    world = world_with(CODEBUILD)
    build_id = world.push()
    tell(world, codebuild(build_id, "SUCCEEDED", project="other"))
    tell(world, execution(build_id, "SUCCEEDED"))
    assert world.build(build_id).status is BuildStatus.RUNNING
    for stranger in (codebuild(build_id, "SUCCEEDED", uuid="22"), codebuild(build_id, "SUCCEEDED", project="other")):
        tell(world, stranger)
        assert world.build(build_id).status is BuildStatus.RUNNING


def test_an_execution_of_another_machine_with_a_builds_name_is_not_listened_to() -> None:
    world = world_with(STEPS)
    build_id = world.push()
    tell(world, execution(build_id, "SUCCEEDED", machine="other"))
    assert world.build(build_id).status is BuildStatus.RUNNING


def test_an_end_whose_event_was_lost_is_looked_up() -> None:
    world = world_with(CODEBUILD)
    build_id = world.push()
    world.work()
    polls = [("poll", build_id)]
    world.later(899)
    assert world.target.calls[1:] == []
    world.later(2)
    assert world.target.calls[1:] == polls
    assert world.build(build_id).status is BuildStatus.RUNNING
    world.target.ends[build_id] = BuildStatus.SUCCESS
    world.target.faults = [TargetUnavailable("away")]
    world.later(901)
    assert world.build(build_id).status is BuildStatus.RUNNING
    world.later(901)
    assert world.build(build_id).status is BuildStatus.SUCCESS
    assert world.wall.shown == {(SHA, "ci/hub"): "success"}
    world.later(901)
    assert world.target.calls[1:] == polls * 3
    assert world.failures == []


def test_a_build_that_may_not_be_looked_up_says_so_until_it_has_ended() -> None:
    world = world_with(CODEBUILD)
    build_id = world.push()
    world.work()
    world.target.faults = [TargetDenied("The builder may not look.")]
    world.later(901)
    build = world.build(build_id)
    assert (build.status, build.error, build.error_hint) == (
        BuildStatus.RUNNING, "target_access_denied", "The builder may not look.",
    )  # fmt: skip
    world.target.ends[build_id] = BuildStatus.SUCCESS
    world.later(901)
    build = world.build(build_id)
    assert (build.status, build.error, build.error_hint) == (BuildStatus.SUCCESS, None, None)


def test_a_build_is_looked_up_for_as_long_as_it_runs() -> None:
    world = world_with(STEPS)
    build_id = world.push()
    world.work()
    for _ in range(MOST_SENDS + 5):
        world.later(901)
    world.target.ends[build_id] = BuildStatus.FAILED
    world.later(901)
    assert world.build(build_id).status is BuildStatus.FAILED
