"""Workers that meet: whichever call the other one comes before, there is one outcome."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.builds.runs.model import BuildStatus
from tests.fakes.faults import Plan, faulty
from tests.fakes.threads import together
from tests.functional.builds.builds_hub import SHA, World, let_another_receive, merge_request, push, trigger

CALLS_OF_A_REQUEST = 5
CALLS_OF_A_START, CALLS_BEFORE_A_START = 6, 2


@pytest.mark.parametrize("first", [push(), merge_request()])
def test_of_two_events_of_one_commit_that_meet_at_any_call_one_makes_the_build(first: Any) -> None:
    second = merge_request() if first.kind == "push" else push()
    for at in range(1, CALLS_OF_A_REQUEST + 1):
        world = added()
        others = let_another_receive(second, world, at=at)
        found, _ = world.receive(first, "dlv_0a1b_first")
        assert len(found) + len(others) == 1, at
        world.use(world.rows, world.queue)
        world.work()
        assert [build.number for build in world.builds()] == [1]
        assert len(world.target.builds) == 1


def test_builds_that_are_made_between_any_two_calls_of_another_have_numbers_of_their_own() -> None:
    for at in range(1, CALLS_OF_A_REQUEST + 1):
        world = added()
        let_another_receive(push("f" * 40), world, at=at)
        world.receive(push(), "dlv_0a1b_first")
        assert sorted(build.number for build in world.builds()) == [1, 2]


def added() -> World:
    """A hub with a trigger."""
    world = World()
    world.add()
    return world


def test_the_other_worker_of_these_tests_has_met_every_call() -> None:
    world, plan = World(), Plan()
    world.add()
    world.use(faulty(world.rows, plan), world.queue)
    world.receive(push())
    assert len(plan.calls) == CALLS_OF_A_REQUEST


def test_a_build_that_is_canceled_while_it_is_started_is_stopped_where_it_went() -> None:
    world = World()
    world.add()
    build_id = world.push()
    inner = world.target.start

    def start(build: Any, message: Any) -> Any:
        started = inner(build, message)
        assert world.feature.service.change(build_id, lambda one: replace(one, status=BuildStatus.CANCELED)) is not None
        return started

    world.target.start = start  # type: ignore[method-assign]
    world.work()
    assert (world.build(build_id).status, world.target.stopped) == (BuildStatus.CANCELED, [build_id])


def test_two_ticks_at_once_push_a_build_once() -> None:
    world = World()
    world.add(trigger())
    world.push()
    world.queue.take()
    world.queue.expire_ids()
    world.now += 100
    assert world.builder.tick() == {"pushed": 1}
    assert world.builder.tick() == {"pushed": 0}


def test_an_index_that_is_behind_pushes_nothing_again() -> None:
    world = World()
    world.add()
    build_id = world.push()
    world.queue.take()
    world.queue.expire_ids()
    stale = world.feature.store.due(now=int(world.now) + 100, limit=10)
    world.now += 30
    world.feature.store.due = lambda **_: stale  # type: ignore[method-assign]
    assert (stale, world.builder.tick()) == ([build_id], {"pushed": 0})
    assert world.queue.sent == []


def test_many_workers_with_one_delivery_and_many_with_others_make_each_build_once() -> None:
    world = World()
    world.add()

    def work(number: int) -> list[str]:
        return world.receive(push(f"{number % 3 + 1}" * 40), f"dlv_0a1b_{number % 3}")[0]

    found = [result for result in together(12, work) if isinstance(result, list)]
    assert len(found) == 12
    assert sorted(build.number for build in world.builds()) == [1, 2, 3]
    assert len({build_id for ids in found for build_id in ids}) == 3


@pytest.mark.parametrize("at", range(1, CALLS_OF_A_START + 1))
def test_an_end_that_is_reported_between_any_two_calls_of_a_start_stays(at: int) -> None:
    world = World()
    world.add()
    build_id = world.push()

    def report() -> None:
        clean = copy.copy(world)
        clean.use(world.rows, world.queue)
        assert clean.call("PATCH", f"/v1/builds/{build_id}", {"status": "success"})[0] == 200

    world.use(faulty(world.rows, Plan(at=at, meanwhile=report)), world.queue, world.target, world.gitlabs)
    world.work()
    world.use(world.rows, world.queue)
    for _ in range(2):
        world.later(200)
    assert world.build(build_id).status is BuildStatus.SUCCESS
    assert world.wall.shown == {(SHA, "ci/hub"): "success"}
    assert bool(world.target.builds) is (at > CALLS_BEFORE_A_START)


def test_all_calls_of_a_start_were_met() -> None:
    world, plan = World(), Plan()
    world.add()
    world.push()
    world.use(faulty(world.rows, plan), world.queue)
    world.work()
    assert len(plan.calls) == CALLS_OF_A_START
