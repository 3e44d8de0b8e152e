"""A hint is about a project that the integration reaches, or it stores nothing."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.keys import partitions, projects_pk
from tests.unit.pipelines.hinted_world import HintedWorld, world_hints


@pytest.fixture
def world() -> HintedWorld:
    return HintedWorld()


@pytest.mark.parametrize(
    "aim", [{"group": "other"}, {"group": "g/p1"}, {"group": "G/p"}], ids=["another group", "project's name", "prefix"]
)
def test_a_project_outside_the_group_stores_nothing(world: HintedWorld, aim: dict[str, str]) -> None:
    world.aim(**aim)
    world.add(1, status="success")
    world.hint(1)
    assert world.table.dump() == []


@pytest.mark.parametrize("group", ["g", "G"])
def test_a_project_inside_the_group_is_taken_in(world: HintedWorld, group: str) -> None:
    world.aim(group=group)
    world.add(1, status="success")
    world.hint(1)
    assert set(world.stored()) == {1}


@pytest.mark.parametrize("permissions", [{"project_access": None, "group_access": None}])
def test_a_public_project_of_others_stores_nothing(world: HintedWorld, permissions: dict[str, None]) -> None:
    world.aim()
    world.add(1, status="success")
    single = world.gitlab._single

    def public(path: str) -> Any:
        body = single(path)
        return {**body, "permissions": permissions} if path == "/projects/1" else body

    world.gitlab._single = public  # type: ignore[method-assign]  # the model is the test's own
    world.hint(1)
    assert (world.table.dump(), world.gitlab.asked("/pipelines/1")) == ([], 0)


def test_a_project_reached_by_an_invited_group_is_taken_in(world: HintedWorld) -> None:
    world.aim()
    world.add(1, status="success")
    single = world.gitlab._single

    def invited(path: str) -> Any:
        if path == "/projects/1/members/all/7":
            return {"id": 7, "access_level": 30}
        body = single(path)
        nothing = {"project_access": None, "group_access": None}
        return {**body, "permissions": nothing} if path == "/projects/1" else body

    world.gitlab._single = invited  # type: ignore[method-assign]  # the model is the test's own
    world.hint(1)
    assert set(world.stored()) == {1}


@pytest.mark.parametrize("error", [ResourceNotFound("no", http_status=404), Forbidden("no", http_status=403)])
def test_a_project_that_may_not_be_seen_stores_nothing(world: HintedWorld, error: GitLabError) -> None:
    world.add(1, status="success")
    world.gitlab.faults["/projects/1"] = error
    world.hint(1)
    assert (world.table.dump(), world.hint_worker.queue.sent) == ([], [])


@pytest.mark.parametrize(("project", "pipeline"), [(0, 1), (1, 0), (-1, 1), (1, 10**12), (10**12, 1)])
def test_ids_that_no_gitlab_has_are_no_hints(world: HintedWorld, project: int, pipeline: int) -> None:
    world.hint_worker.pipelines.pipeline("i1", project, pipeline)
    assert (world.hint_worker.queue.sent, world.table.dump()) == ([], [])


def test_another_projects_pipeline_is_not_this_ones(world: HintedWorld) -> None:
    world.add(5, project=2, status="success")
    world.hint(5, project=1)
    assert world.stored(1) == world.stored(2) == {}


async def test_a_project_that_is_new_or_back_is_one_of_the_integrations(world: HintedWorld) -> None:
    world.add(1, status="success")
    world.gitlab.unlisted = {1, 2}
    await world_hints(world, 1)
    fresh = world.table.get(projects_pk("i1"), padded(1))
    assert fresh is not None
    assert "i1#pipelines#1" in set(partitions(world.table, "i1")), "what is stored can be removed with the integration"
    world.table.put({name: value for name, value in fresh.items() if name != "hash"} | {"gone_at": 1})
    await world_hints(world, 1)
    assert world.table.get(projects_pk("i1"), padded(1)) == fresh
    world.gitlab.unlisted = set()
    session = await world.sync()
    assert session.counts["rows_written"] == 1, "the other project: this one is stored as the list shows it"
