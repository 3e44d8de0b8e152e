"""Pipelines whose date is missing or old are found all the same."""

from dataclasses import replace

import pytest

from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from tests.unit.pipelines.pipelines_sync import LIST, World, fill, state
from tests.unit.pipelines.source_model import ModelPipeline, Row, job


@pytest.fixture
def world() -> World:
    return World(page=10)


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


async def test_a_row_that_cannot_be_read_hides_none_below_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world, 30)
    await world.sync()
    world.later(300)
    for number in range(100, 115):
        world.add(number, status="success").undated = True
    odd = world.add(115, status="success")
    odd.undated = True
    as_listed = ModelPipeline.row

    def row(pipeline: ModelPipeline, project_id: int) -> Row:
        whole = as_listed(pipeline, project_id)
        return {**whole, "id": None} if pipeline is odd else whole

    monkeypatch.setattr(ModelPipeline, "row", row)
    await world.sync()
    assert world.stored().keys() == world.source().keys() - {odd.id}


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
