"""What a deployment has brought: its merge requests, asked for apart, and what becomes of those that GitLab hides."""

import pytest

from gitlab_hub.pipelines.deployments.reading import LINKED_AFTER, MOST_TRIES
from gitlab_hub.pipelines.deployments.state import DAY, HOUR
from tests.unit.pipelines.deployments.deploying_world import PROJECT, Deploying, changes, shipped


@pytest.fixture
def world() -> Deploying:
    return Deploying()


def test_merge_requests_are_asked_for_once_gitlab_has_linked_them(world: Deploying) -> None:
    world.deploy()
    world.later(60)
    world.merge("one")
    world.later(60)
    world.deploy()
    world.sync()
    assert ("/deployments/2/merge_requests" in world.asked(), world.is_marked) == (False, True)
    assert changes(world)[-1].lead_times is None
    world.later(max(HOUR, LINKED_AFTER))
    world.sync(marked=False)
    assert world.asked() == ["/deployments", "/deployments/2/merge_requests"]
    assert (changes(world)[-1].lead_times, world.is_marked) == ([60], False)


def test_one_whose_merge_requests_gitlab_cannot_tell_holds_up_nothing(world: Deploying) -> None:
    """A list of merge requests may time out for one deployment for weeks."""
    shipped(world)
    world.broken["/deployments/2/merge_requests"] = 500
    world.sync()
    assert (len(changes(world)), changes(world)[1].lead_times, world.asides) == (2, None, [])
    assert (world.state.recount_from, world.state.error, world.is_marked) == (None, None, True)
    for _ in range(MOST_TRIES - 1):
        assert world.is_marked
        world.later(HOUR)
        world.sync(marked=False)
    assert not world.is_marked, "it is given up in the end"
    world.later(DAY)
    world.merge("three")
    world.deploy()
    world.later(600)
    world.sync()
    assert changes(world)[-1].lead_times == [0]


def test_merge_requests_that_come_in_the_end_are_counted(world: Deploying) -> None:
    shipped(world)
    world.broken["/deployments/2/merge_requests"] = 500
    world.sync()
    world.broken.clear()
    world.later(HOUR)
    world.sync(marked=False)
    assert (changes(world)[1].lead_times, world.is_marked) == ([1_800], False)


def test_where_none_can_be_told_only_a_few_are_asked(world: Deploying) -> None:
    for number in range(MOST_TRIES + 5):
        world.deploy(files=f"{number}.py")
        world.later(600)
        world.broken[f"/deployments/{number + 1}/merge_requests"] = 500
    world.sync()
    asked = {path for path in world.asked() if path.endswith("merge_requests")}
    assert (len(asked), len(changes(world)), world.is_marked) == (MOST_TRIES, MOST_TRIES + 5, True)


def test_merge_requests_that_are_refused_are_said_and_hold_up_nothing(world: Deploying) -> None:
    shipped(world)
    world.broken["/deployments/2/merge_requests"] = 403
    world.sync()
    assert (len(changes(world)), world.state.error, world.is_marked) == (2, None, True)
    assert [(key, status) for key, status, _ in world.asides] == [(f"{PROJECT:012d}", "forbidden")]
