"""Pushes that arrive behind those that followed them, where a trigger wants only the newest build of a branch."""

from collections.abc import Callable

import pytest

from gitlab_hub.builds.runs.model import BuildStatus
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from tests.functional.builds.builds_hub import NEWER, SHA, World, merge_request, push, trigger

BEFORE, OTHER = "c" * 40, "d" * 40
RUNS, CUT_SHORT = BuildStatus.RUNNING, BuildStatus.CANCELED


@pytest.fixture
def world() -> World:
    world = World()
    world.add(trigger(cancel_previous=True))
    return world


def happen(world: World, *events: HookEvent) -> list[BuildStatus]:
    """Let events arrive in this order; how their builds are in the end."""
    build_ids = []
    for number, event in enumerate(events):
        build_ids += world.receive(event, f"dlv_0a1b_{number}")[0]
        world.work()
    return [world.build(build_id).status for build_id in build_ids]


def test_a_push_that_arrives_late_does_not_cancel_the_one_that_followed_it(world: World) -> None:
    world.wall.commits["main"] = NEWER
    assert happen(world, push(NEWER, before=SHA), push(SHA, before=BEFORE)) == [RUNS, CUT_SHORT]
    assert len([call for call in world.target.calls if call[0] == "start"]) == 1
    assert [build.superseded for build in world.builds() if build.sha == SHA] == [True]


def test_a_branch_that_was_set_back_over_a_commit_that_does_not_build_is_built(world: World) -> None:
    world.wall.commits["main"] = SHA
    assert happen(world, push(NEWER, before=SHA), push(SHA, before=OTHER)) == [CUT_SHORT, RUNS]


@pytest.mark.parametrize(
    "silent", [lambda world: world.wall.commits.clear(), lambda world: setattr(world.wall, "down", True)]
)
def test_where_gitlab_does_not_say_the_last_one_to_arrive_is_built(
    world: World, silent: Callable[[World], None]
) -> None:
    silent(world)
    assert happen(world, push(NEWER, before=SHA), push(SHA, before=BEFORE)) == [CUT_SHORT, RUNS]


@pytest.mark.parametrize(
    "events",
    [
        (push(SHA, before=BEFORE), push(NEWER, before=SHA)),
        (push(NEWER, before=SHA), push(SHA, before=NEWER)),
        (push(NEWER, before=SHA), merge_request(SHA)),
    ],
    ids=["in order", "set back at once", "opened"],
)
def test_what_is_clear_is_not_asked(world: World, events: tuple[HookEvent, ...]) -> None:
    world.wall.commits["main"] = OTHER
    assert happen(world, *events) == [CUT_SHORT, RUNS]
