"""What GitLab refuses or loses while its pipelines are read leaves no gap, and no pipeline that looks complete."""

from contextlib import suppress

import pytest

from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound, Unavailable, UnexpectedResponse
from gitlab_hub.gitlab.fields import padded
from tests.unit.pipelines.pipelines_sync import LIST, SECOND, START, Stopped, World, state_of
from tests.unit.pipelines.source_model import job


@pytest.fixture
def world() -> World:
    made = World(page=4)
    made.project()
    return made


async def test_a_server_that_forgets_the_filter_in_the_middle_is_an_error(world: World) -> None:
    for number in range(1, 9):
        world.add(number, updated=START - 50 * SECOND)
    world.add(9)
    world.gitlab.ignored = frozenset({"updated_before"})
    with pytest.raises(UnexpectedResponse):
        await world.sync()


async def test_a_pipeline_thought_deleted_is_read_when_it_is_listed(world: World) -> None:
    world.add(1, updated=START - 150 * SECOND, status="success")
    await world.sync()
    row = world.table.get("i1#pipelines#1", padded(1))
    assert row is not None
    world.table.put({**row, "deleted_at_source": 77})
    await world.sync()
    assert world.row(1) == {**(world.row(1) or {}), "deleted_at_source": None}


async def test_a_pipeline_deleted_while_it_is_listed_costs_no_other(world: World) -> None:
    for number in (1, 2, 3):
        world.add(number, status="success")

    def delete(path: str) -> None:
        if path == f"{LIST}/2":
            world.project().pop(2, None)

    world.gitlab.before = delete
    session = await world.sync()
    assert set(world.stored()) == {1, 3}
    assert session.counts["pipelines_vanished"] == 1


async def test_pipelines_that_vanish_with_their_project_are_not_taken_as_read(world: World) -> None:
    world.add(1, status="success")

    def hide(path: str) -> None:
        if path == f"{LIST}/1":
            world.gitlab.projects.clear()

    world.gitlab.before = hide
    with pytest.raises(ResourceNotFound):
        await world.sync()
    assert state_of(world) == (None, "not_found")


async def test_jobs_that_cannot_be_read_leave_no_pipeline_that_looks_complete(world: World) -> None:
    world.add(1, status="success", jobs={1: job(1)})
    world.gitlab.faults[f"{LIST}/1/jobs"] = Unavailable("down", http_status=503)
    await world.sync()
    assert (world.stored(), [code for _, code, _ in world.partials]) == ({}, ["gitlab_unavailable"])
    world.gitlab.faults.clear()
    await world.sync()
    assert world.stored() == world.source()


@pytest.mark.parametrize("write", range(1, 7))
async def test_a_crash_at_any_write_is_healed_by_the_next_sync(world: World, write: int) -> None:
    world.add(1, status="running", jobs={1: job(1, status="running")})
    await world.sync()
    world.later(5)
    world.add(1, status="success", jobs={1: job(1), 2: job(2)})
    world.table.breaks_at = world.table.written + write
    with suppress(Stopped):
        await world.sync()
    world.table.breaks_at = None
    world.later(300)
    await world.sync()
    assert world.stored() == world.source()


async def test_a_closed_project_is_the_engines_to_judge(world: World) -> None:
    world.gitlab.faults[LIST] = Forbidden("no", http_status=403)
    with pytest.raises(Forbidden):
        await world.sync()


async def test_a_job_list_that_is_suddenly_empty_is_not_believed(world: World) -> None:
    pipeline = world.add(1, status="success", jobs={1: job(1)})
    await world.sync()
    before = world.stored()
    world.later(600)
    jobs, pipeline.jobs, pipeline.updated = pipeline.jobs, {}, world.now
    await world.sync()
    assert (world.stored(), [code for _, code, _ in world.partials]) == (before, ["unexpected_response"])
    pipeline.jobs = jobs
    await world.sync()
    assert world.stored() == world.source()
