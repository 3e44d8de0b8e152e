"""A full sync reads everything again, also what looks as it did."""

from typing import Any

import pytest

from tests.unit.pipelines.pipelines_sync import SECOND, START, Stopped, World
from tests.unit.pipelines.source_model import job


@pytest.fixture
def world() -> World:
    made = World(page=4)
    made.project()
    return made


async def test_jobs_that_changed_without_their_pipeline_are_met(world: World) -> None:
    for number in range(1, 12):
        world.add(number, updated=START - 9000 * SECOND + number * SECOND, status="success", jobs={number: job(number)})
    world.add(50, updated=START - 9000 * SECOND, source="parent_pipeline", status="success", jobs={500: job(500)})
    await world.sync()
    world.later(600)
    world.project()[3].jobs[300] = job(300, "landed late")
    world.project()[7].jobs[7] = job(7, erased_at="2026-01-01T00:00:00.000Z", status="failed")
    world.project()[50].jobs[501] = job(501, "landed late")
    await world.sync()
    assert world.stored() != world.source(), "nothing tells a usual sync of it"
    session = await world.sync(full=True)
    assert world.stored() == world.source()
    assert session.counts["rows_written"] == 3
    assert session.counts["pipelines_read"] == 12, "each once, though pages overlap"


async def test_each_of_a_crowded_millisecond_is_read_once(world: World) -> None:
    for number in range(1, 24):
        world.add(number, updated=START - 9000 * SECOND, status="success", jobs={number: job(number)})
    await world.sync()
    world.later(600)
    session = await world.sync(full=True)
    assert session.counts["pipelines_read"] == 23


async def test_a_server_without_the_filter_is_read_again_too(world: World) -> None:
    for number in range(1, 12):
        world.add(number, updated=START - number * SECOND, status="success", jobs={number: job(number)})
    world.gitlab.ignored = frozenset({"updated_after", "updated_before", "order_by", "sort"})
    await world.sync()
    world.later(600)
    world.project()[3].jobs[300] = job(300, "landed late")
    session = await world.sync(full=True)
    assert world.stored() == world.source()
    assert session.counts["pipelines_read"] == 11


@pytest.mark.parametrize("number", [3, 14])
async def test_those_without_a_date_are_read_again_too(world: World, number: int) -> None:
    long_ago = START - 9000 * SECOND
    for one in range(1, 16):
        world.add(one, updated=long_ago + one * SECOND, undated=one > number, status="success", jobs={one: job(one)})
    await world.sync()
    world.later(600)
    world.project()[15].jobs[100] = job(100, "landed late")
    session = await world.sync(full=True)
    assert world.stored() == world.source()
    assert session.counts["pipelines_read"] < 15 + world.gitlab.page, "the others once, but for a page"


async def test_a_checkpoint_does_not_grow_with_the_list(world: World) -> None:
    for number in range(1, 41):
        world.add(number, updated=START - number * SECOND, status="success", jobs={number: job(number)})
    world.gitlab.ignored = frozenset({"updated_after", "updated_before", "order_by", "sort"})
    await world.sync()
    world.later(600)
    cursors: dict[str, Any] = {}
    most = 0
    for _ in range(100):
        try:
            await world.sync(full=True, stop_after=1, resume=cursors)
        except Stopped:
            most = max(most, *(len(cursor["reread"]) for cursor in cursors.values() if cursor))
            continue
        break
    assert most <= world.gitlab.page
    assert world.stored() == world.source()


async def test_workers_that_stop_soon_get_to_the_end(world: World) -> None:
    world.gitlab.page = 100
    for number in range(1, 61):
        world.add(number, updated=START - 9000 * SECOND + number, status="success", jobs={number: job(number)})
    await world.sync()
    world.later(600)
    world.project()[60].jobs[600] = job(600, "landed late")
    cursors: dict[str, Any] = {}
    read = 0
    for _ in range(20):
        try:
            session = await world.sync(full=True, stop_after=1, resume=cursors)
        except Stopped:
            continue
        read = session.counts["pipelines_read"]
        break
    assert world.stored() == world.source()
    assert read < 20, "the last worker had only the rest to do"
    assert world.gitlab.asked("/jobs") == 120, (
        "each pipeline was read twice: by the first sync, and once by the full one"
    )
