"""Wherever a request, a start or a report ends, the retry finishes it exactly once."""

from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.builds.targets.base import TargetUnavailable
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty, unavailable
from tests.functional.builds.builds_hub import INTEGRATION, SHA, GitLabs, World, push

CALLS = range(1, 40)


def away() -> Exception:
    return TargetUnavailable("Try again.")


class FaultyGitLabs(GitLabs):
    """A GitLab whose answers fail as planned."""

    def __init__(self, world: World, plan: Plan) -> None:
        super().__init__(faulty(world.wall, plan))


def break_into(world: World, plan: Plan) -> None:
    world.use(
        faulty(world.rows, plan),
        faulty(world.queue, plan),
        faulty(world.target, plan),
        FaultyGitLabs(world, plan),
    )


def deliver(world: World) -> None:
    """Do as the deliveries queue: the message comes again until it was worked on."""
    for _ in range(3):
        try:
            world.receive(push())
        except (Crash, StorageUnavailable, TargetUnavailable):
            continue
        return


def drive(world: World) -> None:
    """Do as the builds queue: a message whose worker ended comes again."""
    waiting = world.queue.take()
    while waiting:
        message = waiting.pop(0)
        try:
            world.builder(message.body, remaining=lambda: 60.0)
        except (Crash, Exception):  # noqa: BLE001 whatever it was, the message was not done
            waiting.append(message)
        waiting += world.queue.take()


def calls_of(scenario: Callable[[World], None]) -> int:
    world, plan = World(), Plan()
    world.add()
    break_into(world, plan)
    scenario(world)
    return len(plan.calls)


def whole(world: World) -> None:
    deliver(world)
    drive(world)


def test_all_calls_of_a_build_are_tried() -> None:
    assert calls_of(whole) < max(CALLS)


@BEFORE_OR_AFTER
@pytest.mark.parametrize("error", [Crash, unavailable, away])
@pytest.mark.parametrize("at", CALLS)
def test_a_build_whose_worker_ends_anywhere_is_built_once(at: int, error: Any, applied: bool) -> None:
    world = World()
    world.add()
    plan = Plan(at=at, error=error, applied=applied)
    break_into(world, plan)
    whole(world)
    world.use(world.rows, world.queue)
    for _ in range(3):
        world.later(2_000)
    [build] = world.builds()
    assert (build.number, build.status, build.due_at) == (1, BuildStatus.RUNNING, None)
    assert build.external_id == f"ext:{build.id}"
    assert list(world.target.builds) == [build.id]
    assert world.wall.shown == {(SHA, "ci/hub"): "running"}
    counter = world.rows.get(f"INTEGRATION#{INTEGRATION}", "COUNTER#builds")
    assert counter is not None
    assert counter["value"] == 1


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 25))
def test_a_cancellation_whose_worker_ends_anywhere_stops_the_build_at_its_target(at: int, applied: bool) -> None:
    world = World()
    world.add()
    build_id = world.push()
    world.work()
    break_into(world, Plan(at=at, applied=applied))
    for _ in range(2):
        try:
            assert world.call("POST", f"/v1/builds/{build_id}/cancel")[0] == 200
        except Crash:
            continue
        break
    drive(world)
    world.use(world.rows, world.queue)
    for _ in range(3):
        world.later(2_000)
    build = world.build(build_id)
    assert (build.status, build.stop_pending, build.due_at) == (BuildStatus.CANCELED, False, None)
    assert world.target.stopped == [build_id]
    assert world.wall.shown == {(SHA, "ci/hub"): "canceled"}
    assert not world.feature.store.any_active(INTEGRATION)


def test_the_whole_queue_redriven_twice_has_no_further_effect() -> None:
    world = World()
    world.add()
    build_id = world.push()
    seen = []
    while messages := world.queue.take():
        for message in messages:
            seen.append(message)
            world.builder(message.body, remaining=lambda: 60.0)
    world.call("PATCH", f"/v1/builds/{build_id}", {"status": "success"})
    seen += world.queue.sent
    world.work()
    rows, calls, posts = world.rows.dump(), list(world.target.calls), list(world.wall.posts)
    for message in seen * 2:
        world.builder(message.body, remaining=lambda: 60.0)
    assert len(seen) >= 4
    assert (world.rows.dump(), world.target.calls, world.wall.posts) == (rows, calls, posts)


def test_a_build_that_was_kept_and_never_sent_for_is_started_by_the_schedule() -> None:
    world = World()
    world.add()
    build_id = world.push()
    world.queue.take()  # The messages are lost.
    world.later(59)
    assert world.target.calls == []
    world.later(2)
    assert world.build(build_id).status is BuildStatus.RUNNING


def test_a_delivery_that_comes_again_sends_for_a_build_whose_message_was_lost() -> None:
    world = World()
    world.add()
    build_id = world.push()
    world.queue.take()
    world.queue.expire_ids()
    assert world.push() == build_id
    world.work()
    assert world.build(build_id).status is BuildStatus.RUNNING
