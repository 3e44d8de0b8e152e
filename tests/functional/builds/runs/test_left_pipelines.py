"""The end of a build that several pipelines have shown: in which order they are told, and what one of them is worth."""

import httpx
import pytest

from tests.functional.builds.builds_hub import SHA, World
from tests.functional.builds.runs.test_reports import patch, started


@pytest.fixture
def world() -> World:
    world = World()
    world.add()
    return world


def left_by(world: World, *pipelines: int) -> str:
    """A running build that was shown in these pipelines before the one in which it is shown now."""
    build_id = started(world)
    row = world.rows.get(f"BUILD#{build_id}", "BUILD")
    assert row is not None
    world.rows.put({**row, "left_pipelines": {str(pipeline): SHA for pipeline in pipelines}})
    return build_id


def test_the_pipeline_that_shows_a_build_now_is_told_its_end_before_those_it_has_left(world: World) -> None:
    build_id = left_by(world, *range(1, 21))
    patch(world, build_id, "success")
    assert [post.get("pipeline_id") for post in world.wall.posts[1:]] == [99, *range(20, 0, -1)]


def test_pipelines_that_take_no_status_do_not_keep_the_one_that_counts_from_it(world: World) -> None:
    build_id = left_by(world, 1, 2)
    took = httpx.Response(201, json={"id": 1, "pipeline_id": 99})
    world.wall.script = [lambda: took, lambda: httpx.Response(502)]
    patch(world, build_id, "success")
    assert [post.get("pipeline_id") for post in world.wall.posts[1:]] == [99, 2]
    assert world.build(build_id).reported_error == "gitlab_unavailable"
    assert world.build(build_id).reported_status == "success"
    world.later(60)
    assert world.build(build_id).reported_error is None
    # GitLab would make a second status of an end that it is told twice.
    assert [post.get("pipeline_id") for post in world.wall.posts[3:]] == [2, 1]


def test_a_pipeline_that_has_taken_the_end_is_not_told_it_again_for_the_sake_of_another_one(world: World) -> None:
    build_id = left_by(world, 1, 2)
    took, down = httpx.Response(201, json={"id": 1, "pipeline_id": 99}), httpx.Response(502)
    world.wall.script = [lambda: took, lambda: took, lambda: down, lambda: down]
    patch(world, build_id, "success")
    assert [post.get("pipeline_id") for post in world.wall.posts[1:]] == [99, 2, 1]
    for _ in range(3):
        world.later(3_600)
    assert [post.get("pipeline_id") for post in world.wall.posts[4:]] == [1, 1]
    assert world.build(build_id).reported_error is None


def answers(world: World, said: dict[int | None, list[httpx.Response]]) -> None:
    """Have each pipeline (None: none is named) answer in this way, one post after the other; the last one stays."""

    def answer() -> httpx.Response:
        turns = said[world.wall.posts[-1].get("pipeline_id")]
        return turns.pop(0) if len(turns) > 1 else turns[0]

    world.wall.script = [answer] * 20


def took(pipeline: int) -> httpx.Response:
    return httpx.Response(201, json={"id": 1, "pipeline_id": pipeline})


DOWN, REFUSED, GONE = httpx.Response(502), httpx.Response(403, json={}), httpx.Response(404, json={"message": "404"})


def test_what_a_left_pipeline_has_taken_stays_told_where_the_one_that_counts_refuses(world: World) -> None:
    build_id = left_by(world, 1, 2)
    answers(world, {99: [REFUSED], 2: [took(2)], 1: [DOWN, DOWN, took(1)]})
    patch(world, build_id, "success")
    for _ in range(2):
        world.later(3_600)
    posted = [post.get("pipeline_id") for post in world.wall.posts[1:]]
    assert (posted.count(2), posted.count(1)) == (1, 3)


def test_a_pipeline_that_shows_the_end_is_not_told_it_again_once_another_one_counts(world: World) -> None:
    build_id = left_by(world, 1)
    answers(world, {99: [took(99)], 100: [took(100)], 1: [DOWN, took(1)]})
    patch(world, build_id, "success")
    opened = {"iid": 3, "source_project_id": 7, "sha": SHA, "state": "opened"}
    asked = iter([[opened], {"sha": SHA, "head_pipeline": {"id": 100, "sha": SHA, "project_id": 7}}])
    world.wall.merge_requests = lambda: httpx.Response(200, json=next(asked))
    world.later(3_600)
    assert [post.get("pipeline_id") for post in world.wall.posts[1:]] == [99, 1, 100, 1]
    assert world.build(build_id).reported_error is None


def test_a_pipeline_that_gitlab_chose_instead_is_told_once(world: World) -> None:
    build_id = left_by(world, 98)
    answers(world, {99: [GONE], None: [took(98)], 98: [took(98)]})
    patch(world, build_id, "success")
    assert [post.get("pipeline_id") for post in world.wall.posts[1:]] == [99, None]
