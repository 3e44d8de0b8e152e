"""Pipelines that GitLab lists and does not show, and those that no seek can find."""

from contextlib import suppress

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
from tests.unit.pipelines.pipelines_sync import LIST, Stopped, World, fill, state

DOWN = Unavailable("GitLab answered 500.", http_status=500)


@pytest.fixture
def world() -> World:
    return World(page=10)


def owed(world: World) -> dict[int, Owed]:
    return OwedRows(world.table, "i1").of(1)


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
    with pytest.raises(type(error)) as refused:
        await world.sync()
    assert owed(world) == {}
    assert refused.value.behind_list, "a project without pipelines is no proof against it"


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
