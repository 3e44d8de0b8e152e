"""Pipelines that GitLab lists and does not show, and those that no seek can find."""

from contextlib import suppress
from dataclasses import replace

import pytest

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostUnreachable,
    InsufficientScope,
    MissingPermissions,
    NotGitLab,
    ResourceNotFound,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.pipelines.owed import MOST_IN_A_ROW, Owed, OwedRows
from gitlab_hub.pipelines.projects import ReadState, ReadStates
from tests.unit.pipelines.pipelines_sync import Stopped, World
from tests.unit.pipelines.source_model import job

LIST = "/projects/1/pipelines"
DOWN = Unavailable("GitLab answered 500.", http_status=500)


@pytest.fixture
def world() -> World:
    return World(page=10)


def fill(world: World, count: int) -> None:
    for number in range(1, count + 1):
        world.add(number, updated=world.now - (1000 - number) * 1_000_000, status="success", jobs={number: job(number)})


def owed(world: World) -> dict[int, Owed]:
    return OwedRows(world.table, "i1").of(1)


def state(world: World) -> ReadState:
    return ReadStates(world.table, "i1").load(1)


@pytest.mark.parametrize("route", ["", "/jobs", "/bridges"])
@pytest.mark.parametrize(
    "error",
    [DOWN, UnexpectedResponse("cut off"), HostUnreachable("slow"), NotGitLab("a page")],
    ids=lambda error: type(error).__name__,
)
async def test_one_poisoned_pipeline_starves_no_other(world: World, route: str, error: GitLabError) -> None:
    fill(world, 60)
    world.gitlab.faults[f"{LIST}/3{route}"] = error
    await world.sync()
    assert set(world.stored()) == set(range(1, 61)) - {3}
    assert {number: one.code for number, one in owed(world).items()} == {3: error.code}
    assert world.partials == [("000000000001", error.code, world.partials[0][2])]
    assert "3." in world.partials[0][2]
    assert (state(world).owed, state(world).default_listed, state(world).default_stored) == (1, 60, 59)

    world.gitlab.faults.clear()
    await world.sync()
    assert (world.stored(), owed(world), state(world).owed) == (world.source(), {}, None)


@pytest.mark.parametrize("checkpoints", range(4))
async def test_what_a_worker_owed_before_it_ended_is_paid_by_the_next_run(world: World, checkpoints: int) -> None:
    fill(world, 5)
    world.gitlab.faults[f"{LIST}/3/jobs"] = DOWN
    with suppress(Stopped):
        await world.sync(stop_after=checkpoints)
    world.gitlab.faults.clear()
    for _ in range(2):
        await world.sync()
    assert (world.stored(), owed(world), state(world).owed) == (world.source(), {}, None)


@pytest.mark.parametrize("route", ["", "/jobs"])
async def test_a_refusal_of_one_pipeline_starves_no_other(world: World, route: str) -> None:
    fill(world, 60)
    world.gitlab.faults[f"{LIST}/3{route}"] = Forbidden("GitLab refuses this.")
    await world.sync()
    assert set(world.stored()) == set(range(1, 61)) - {3}
    assert {number: one.code for number, one in owed(world).items()} == {3: Forbidden.code}

    world.gitlab.faults.clear()
    await world.sync()
    assert (world.stored(), owed(world)) == (world.source(), {})


@pytest.mark.parametrize("error", [Forbidden("no"), InsufficientScope("no"), MissingPermissions("no")])
async def test_a_refusal_of_every_pipeline_is_the_projects(world: World, error: GitLabError) -> None:
    fill(world, 5)
    world.gitlab.faults |= {f"{LIST}/{number}/jobs": error for number in range(1, 6)}
    with pytest.raises(type(error)):
        await world.sync()
    assert owed(world) == {}


@pytest.mark.parametrize("undated", [False, True])
@pytest.mark.parametrize("source", ["push", "parent_pipeline"])
@pytest.mark.parametrize("route", ["", "/jobs"])
async def test_a_pipeline_that_is_listed_and_not_found_is_owed(
    world: World, route: str, source: str, undated: bool
) -> None:
    fill(world, 60)
    world.project()[3].source, world.project()[3].undated = source, undated
    world.gitlab.faults[f"{LIST}/3{route}"] = ResourceNotFound("GitLab does not have this.", http_status=404)
    for _ in range(3):
        await world.sync()
        world.later(86_400)
        assert set(world.stored()) == set(range(1, 61)) - {3}
        assert {number: one.code for number, one in owed(world).items()} == {3: UnexpectedResponse.code}
        assert "3. GitLab answers 404 for a pipeline that it lists." in world.partials[-1][2]

    del world.project()[3]
    await world.sync()
    assert (world.stored(), owed(world), state(world).owed) == (world.source(), {}, None)


async def test_one_that_is_deleted_between_list_and_detail_is_gone(world: World) -> None:
    fill(world, 60)

    def deleted(path: str) -> None:
        if path == f"{LIST}/3/jobs":
            world.project().pop(3, None)

    world.gitlab.before = deleted
    await world.sync()
    assert (world.stored(), owed(world), world.partials) == (world.source(), {}, [])


async def test_it_is_tried_again_with_growing_pauses(world: World) -> None:
    fill(world, 3)
    path = f"{LIST}/2/jobs"
    world.gitlab.faults[path] = DOWN
    tries = []
    for _ in range(60):
        world.gitlab.log.clear()
        await world.sync()
        tries.append(sum(asked == path for asked, _ in world.gitlab.log))
        world.later(300)
    assert tries[:2] == [2, 1]
    assert max(tries[2:]) == 1
    assert sum(tries) <= 8
    assert owed(world)[2].tries == sum(tries) - 1


async def test_an_owed_pipeline_that_changes_is_read_at_once(world: World) -> None:
    fill(world, 3)
    world.gitlab.faults[f"{LIST}/2/jobs"] = DOWN
    for _ in range(5):
        await world.sync()
        world.later(300)
    world.gitlab.faults.clear()
    world.project()[2].updated = world.now
    await world.sync()
    assert (world.stored(), owed(world)) == (world.source(), {})


async def test_an_owed_pipeline_that_is_deleted_is_forgotten(world: World) -> None:
    fill(world, 3)
    world.gitlab.faults[f"{LIST}/2/jobs"] = DOWN
    await world.sync()
    del world.project()[2]
    await world.sync()
    assert owed(world) == {}


async def test_many_in_a_row_are_trouble_of_the_project(world: World) -> None:
    fill(world, 60)
    for number in range(1, 61):
        world.gitlab.faults[f"{LIST}/{number}/jobs"] = DOWN
    with pytest.raises(Unavailable):
        await world.sync()
    assert len(owed(world)) < MOST_IN_A_ROW
    assert (state(world).default_watermark, state(world).error) == (None, "gitlab_unavailable")
    world.gitlab.faults.clear()
    await world.sync()
    assert (world.stored(), owed(world), state(world).error) == (world.source(), {}, None)


async def test_a_gitlab_that_fails_everywhere_owes_nothing(world: World) -> None:
    fill(world, 3)

    def down(path: str) -> None:
        if path.startswith(LIST) and world.gitlab.requests > 2:
            raise DOWN

    world.gitlab.before = down
    with pytest.raises(Unavailable):
        await world.sync()
    assert owed(world) == {}


@pytest.mark.parametrize("undated", [range(60, 210), range(1, 219), range(1, 5), [218], [100]], ids=str)
@pytest.mark.parametrize("page", [100, 10])
async def test_pipelines_without_a_date_are_never_lost(undated: list[int], page: int) -> None:
    world = World(page=page)
    fill(world, 218)
    for number in undated:
        world.project()[number].undated = True
    await world.sync()
    assert world.stored().keys() == world.source().keys()
    assert (state(world).default_listed, state(world).default_stored) == (218, 218)
    assert state(world).walked_at is not None


async def test_pipelines_without_a_date_are_found_in_a_project_that_was_read_before(world: World) -> None:
    fill(world, 30)
    await world.sync()
    # As an earlier release has left it: rows it could not find, and no count.
    for number in (4, 5):
        world.add(number + 100, updated=world.now, status="success").undated = True
    states = ReadStates(world.table, "i1")
    states.save(1, ReadState(default_watermark=states.load(1).default_watermark))
    await world.sync()
    assert world.stored().keys() == world.source().keys()


@pytest.mark.parametrize("source", ["push", "parent_pipeline"])
@pytest.mark.parametrize("count", [1, 25])
async def test_a_new_pipeline_without_a_date_is_found_at_the_next_sync(world: World, source: str, count: int) -> None:
    fill(world, 30)
    world.add(31, source="parent_pipeline", status="success")
    await world.sync()
    world.later(300)
    for number in range(count):
        world.add(100 + number, status="success", source=source).undated = True
    world.add(200, status="success", source=source)
    await world.sync()
    assert world.stored() == world.source()
    listed = (state(world).default_listed, state(world).child_listed)
    assert listed == ((30, count + 2) if source == "parent_pipeline" else (count + 31, 1))

    world.later(300)
    world.gitlab.log.clear()
    await world.sync()
    asked = [params["order_by"] for path, params in world.gitlab.log if path == LIST]
    assert asked == ["updated_at", "id"] * 2, "each of both streams"


async def test_an_imported_pipeline_with_an_old_date_is_found_at_the_next_sync(world: World) -> None:
    fill(world, 30)
    await world.sync()
    world.later(300)
    world.add(31, updated=world.now - 10**13, status="success", jobs={31: job(31)})
    await world.sync()
    assert world.stored() == world.source()


async def test_a_state_of_a_release_before_finds_what_is_new(world: World) -> None:
    fill(world, 30)
    await world.sync()
    states = ReadStates(world.table, "i1")
    states.save(1, replace(states.load(1), default_newest=None, child_newest=None))
    world.later(300)
    world.add(31, status="success").undated = True
    await world.sync()
    assert world.stored() == world.source()


async def test_the_whole_list_is_read_once_and_not_in_every_run(world: World) -> None:
    fill(world, 30)
    for number in range(1, 31):
        world.project()[number].undated = True
    await world.sync()
    world.later(300)
    world.gitlab.log.clear()
    await world.sync()
    assert world.gitlab.asked("/pipelines") <= 3


async def test_gitlabs_count_is_compared_once_a_day(world: World) -> None:
    fill(world, 30)
    await world.sync()
    counts = []
    for _ in range(4):
        world.later(43_300)
        world.gitlab.log.clear()
        await world.sync()
        counts.append(
            sum(
                (params.get("order_by"), params.get("sort")) == ("updated_at", "desc") for _, params in world.gitlab.log
            )
        )
    assert counts == [0, 1, 0, 1]


async def test_a_row_without_an_id_is_named_and_its_neighbours_are_stored(world: World) -> None:
    fill(world, 5)
    honest = world.gitlab._listed
    world.gitlab._listed = lambda *args: [  # type: ignore[method-assign]  # the model is the test's own
        {**row, "id": None} if row["id"] == 3 else row for row in honest(*args)
    ]
    await world.sync()
    assert set(world.stored()) == {1, 2, 4, 5}
    assert "None" in world.partials[0][2]


@pytest.mark.parametrize("field", ["status", "created_at", "updated_at", "ref", "source"])
async def test_a_detail_that_lacks_a_field_is_stored_all_the_same(world: World, field: str) -> None:
    fill(world, 3)
    honest = world.gitlab._single
    world.gitlab._single = lambda path: (  # type: ignore[method-assign]  # the model is the test's own
        {**honest(path), field: None} if path == f"{LIST}/2" else honest(path)
    )
    await world.sync()
    assert set(world.stored()) == {1, 2, 3}
