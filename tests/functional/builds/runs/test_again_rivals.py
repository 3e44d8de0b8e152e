"""Wherever a second build of a commit ends, and whomever its worker meets, it is made once."""

import pytest

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.functional.builds.builds_hub import (
    INTEGRATION,
    NEWER,
    PROJECT,
    SHA,
    World,
    let_another_receive,
    push,
)
from tests.functional.builds.runs.second_builds import IN_THE_WAY, ZERO, by_number, cancel, gone, updated, world_of


def cut_short() -> World:
    world = world_of()
    cancel(world, world.push(SHA))
    world.queue.take()
    world.queue.expire_ids()
    return world


def calls_of_a_second() -> int:
    world, plan = cut_short(), Plan()
    world.use(faulty(world.rows, plan), world.queue)
    world.receive(push(before=NEWER), "dlv_0a1b_2")
    return len(plan.calls)


def test_a_second_build_takes_few_calls() -> None:
    assert calls_of_a_second() == 8


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 10))
def test_a_second_build_whose_worker_ends_anywhere_is_made_once(at: int, applied: bool) -> None:
    world = cut_short()
    plan = Plan(at=at, applied=applied)
    world.use(faulty(world.rows, plan), faulty(world.queue, plan))
    for _ in range(2):
        try:
            world.receive(push(before=NEWER), "dlv_0a1b_2")
        except Crash:
            continue
        break
    world.use(world.rows, world.queue)
    world.work()
    world.later(200)
    assert [(build.number, build.status) for build in by_number(world)] == [
        (1, BuildStatus.CANCELED), (2, BuildStatus.RUNNING),
    ]  # fmt: skip
    assert len(world.target.builds) == 1


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (push(before=NEWER), updated(SHA, oldrev=NEWER)),
        (updated(SHA, oldrev=NEWER), push(before=NEWER)),
        (push(before=NEWER), push(before=NEWER)),
    ],
)
def test_of_two_events_of_one_return_that_meet_at_any_call_one_makes_the_build(
    at: int, first: HookEvent, second: HookEvent
) -> None:
    world = cut_short()
    others = let_another_receive(second, world, at=at)
    found = world.receive(first, "dlv_0a1b_first")[0]
    assert len(found) + len(others) == 1
    assert [build.number for build in by_number(world)] == [1, 2]


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 20))
def test_the_end_of_a_branch_whose_worker_ends_anywhere_counts_once(at: int, applied: bool) -> None:
    world = world_of(on_branch_delete=True)
    world.push()
    plan = Plan(at=at, applied=applied)
    world.use(faulty(world.rows, plan), faulty(world.queue, plan))
    for _ in range(2):
        try:
            world.receive(gone(), "dlv_0a1b_2")
        except Crash:
            continue
        break
    world.use(world.rows, world.queue)
    assert [build.deletes_ref for build in by_number(world)] == [False, True]
    assert world.receive(gone(), "dlv_0a1b_3") == IN_THE_WAY
    assert len(world.receive(push(before=ZERO), "dlv_0a1b_4")[0]) == 1
    assert len(world.receive(gone(), "dlv_0a1b_5")[0]) == 1


def test_nothing_of_a_claim_is_left_when_the_integration_goes() -> None:
    world = cut_short()
    world.receive(push(before=NEWER), "dlv_0a1b_2")
    world.receive(gone(), "dlv_0a1b_3")
    known = set(world.feature.store.partitions(INTEGRATION))
    left = {row["pk"] for row in world.rows.dump()} - known
    assert (left, PROJECT) == (set(), 7)
