"""Pipelines that were stored before their end, and whose end nothing tells of."""

from contextlib import suppress
from dataclasses import replace

import pytest

from gitlab_hub.gitlab.errors import ResourceNotFound, Unavailable
from gitlab_hub.pipelines.owed import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, MOST_TRIED, Owed, OwedRows
from gitlab_hub.pipelines.read_states import ReadStates
from tests.unit.pipelines.pipelines_sync import LIST, Stopped, World, fill, state
from tests.unit.pipelines.source_model import job

DAY = 86_400


@pytest.fixture
def world() -> World:
    """A running pipeline with a running job, of which GitLab will not tell when they end."""
    made = World(page=10)
    fill(made, 3)
    made.add(9, status="running", jobs={90: job(90, status="running")})
    return made


def unfinished(world: World) -> dict[int, Owed]:
    return {number: one for number, one in OwedRows(world.table, "i1").of(1).items() if one.unfinished}


def end(world: World, number: int = 9, status: str = "success") -> None:
    """End a pipeline, and leave its time as it was."""
    pipeline = world.project()[number]
    pipeline.status, pipeline.finished = status, world.now
    for row in pipeline.jobs.values():
        row["status"] = status


async def asked(world: World, number: int = 9) -> int:
    """Sync, and say how often a pipeline was asked for."""
    world.gitlab.log.clear()
    await world.sync()
    return sum(path == f"{LIST}/{number}" for path, _ in world.gitlab.log)


async def seen(world: World) -> None:
    """Sync until no list shows what is there any more."""
    await world.sync()
    world.later(300)
    await world.sync()


async def runs(world: World, seconds: int, *, every: int = 300) -> None:
    for _ in range(seconds // every):
        world.later(every)
        await world.sync()


@pytest.mark.parametrize("status", ["running", "pending", "created", "waiting_for_resource", "scheduled", "new_one"])
async def test_an_end_that_nothing_tells_of_is_found(world: World, status: str) -> None:
    world.project()[9].status = status
    await seen(world)
    assert (set(unfinished(world)), state(world).unfinished) == ({9}, 1)
    world.later(600)
    end(world)
    await runs(world, FIRST_PAUSE_SECONDS)
    assert world.stored() == world.source()
    assert (unfinished(world), state(world).unfinished, state(world).owed) == ({}, 0, None)
    assert world.partials == [], "nothing needs a person"


async def test_its_jobs_are_read_although_it_stays_as_it_is(world: World) -> None:
    await seen(world)
    world.project()[9].jobs[90]["status"] = "failed"
    await runs(world, FIRST_PAUSE_SECONDS + 300)
    assert world.stored() == world.source()
    assert set(unfinished(world)) == {9}


async def test_a_job_that_runs_on_behind_its_pipeline_is_asked_for(world: World) -> None:
    world.add(10, updated=world.now - 3600 * 10**6, status="canceled", jobs={100: job(100, status="running")})
    await seen(world)
    assert set(unfinished(world)) == {9, 10}
    end(world, 10, "canceled")
    await runs(world, FIRST_PAUSE_SECONDS + 300)
    assert world.jobs(10) == {100: "canceled"}
    assert set(unfinished(world)) == {9}


async def test_it_is_left_alone_for_a_first_pause(world: World) -> None:
    assert await asked(world) == 1
    world.later(FIRST_PAUSE_SECONDS - 60)
    assert await asked(world) == 0
    world.later(120)
    assert await asked(world) == 1


async def test_it_is_asked_for_with_growing_pauses(world: World) -> None:
    await seen(world)
    tries = []
    for _ in range(3 * DAY // 300):
        world.later(300)
        tries.append(await asked(world))
    assert max(tries) == 1
    assert 8 <= sum(tries) <= 10
    assert unfinished(world)[9].due_at - world.now // 10**6 <= LONGEST_PAUSE_SECONDS


async def test_one_that_changes_as_it_should_is_asked_for_no_more(world: World) -> None:
    await world.sync()
    world.later(400)
    end(world)
    world.project()[9].updated = world.now
    assert await asked(world) == 1
    world.later(150)
    assert await asked(world) == 1, "a job's row can land late"
    assert unfinished(world) == {}
    for _ in range(20):
        world.later(300)
        assert await asked(world) == 0


async def test_one_that_waits_for_a_person_is_left_alone(world: World) -> None:
    world.project()[9].status = "manual"
    world.project()[9].jobs[90]["status"] = "manual"
    await world.sync()
    assert (unfinished(world), state(world).unfinished) == ({}, 0)


async def test_one_that_is_gone_is_marked(world: World) -> None:
    await seen(world)
    world.later(FIRST_PAUSE_SECONDS)
    del world.project()[9]
    await world.sync()
    row = world.row(9)
    assert row is not None
    assert row["deleted_at_source"] == pytest.approx(world.now // 10**6, abs=30)
    assert (unfinished(world), state(world).unfinished) == ({}, 0)


async def test_a_404_for_one_that_is_listed_means_no_end(world: World) -> None:
    await seen(world)
    world.later(FIRST_PAUSE_SECONDS)
    world.project()[9].updated -= 10**6  # A list shows it, at another time than it was stored with.
    world.gitlab.faults[f"{LIST}/9"] = ResourceNotFound("no", http_status=404)
    await world.sync()
    row = world.row(9)
    assert row is not None
    assert row["deleted_at_source"] is None
    assert [code for _, code, _ in world.partials] == ["unexpected_response"]
    world.gitlab.faults.clear()
    world.later(FIRST_PAUSE_SECONDS)
    await world.sync()
    assert (world.stored(), set(unfinished(world)), state(world).owed) == (world.source(), {9}, None)


async def test_one_that_cannot_be_read_is_told_like_any_other(world: World) -> None:
    await seen(world)
    world.later(FIRST_PAUSE_SECONDS)
    world.gitlab.faults[f"{LIST}/9/jobs"] = Unavailable("busy", http_status=500)
    await world.sync()
    assert (state(world).owed, state(world).unfinished) == (1, 0)
    assert [code for _, code, _ in world.partials] == ["gitlab_unavailable"]
    world.gitlab.faults.clear()
    world.later(DAY)
    await world.sync()
    assert (set(unfinished(world)), state(world).owed) == ({9}, None)


async def test_a_run_asks_for_a_bounded_number(world: World) -> None:
    for number in range(20, 50):
        world.add(number, status="running", jobs={number: job(number, status="running")})
    await seen(world)
    world.later(DAY)
    for number in (9, *range(20, 50)):
        end(world, number)
    done = []
    for _ in range(6):
        done.append((await world.sync()).counts["unfinished_asked"])
        world.later(300)
    assert done == [MOST_TRIED, MOST_TRIED, MOST_TRIED, 7, 0, 0]
    assert world.stored() == world.source()


async def test_what_a_hint_stored_is_asked_for_as_well(world: World) -> None:
    fresh = World()
    fresh.add(9, status="running", jobs={90: job(90, status="running")})
    await fresh.sync()
    rows = OwedRows(fresh.table, "i1")
    rows.drop(1, 9)
    states = ReadStates(fresh.table, "i1")
    states.save(1, replace(states.load(1), unfinished=0))
    await fresh.sync()
    assert (set(unfinished(fresh)), state(fresh).unfinished) == ({9}, 1)


async def test_what_an_earlier_release_stored_is_looked_for_once(world: World) -> None:
    await world.sync()
    OwedRows(world.table, "i1").drop(1, 9)
    states = ReadStates(world.table, "i1")
    states.save(1, replace(states.load(1), unfinished=None))
    world.later(3600)
    await world.sync()
    assert (set(unfinished(world)), state(world).unfinished) == ({9}, 1)
    end(world)
    world.later(FIRST_PAUSE_SECONDS)
    await world.sync()
    assert world.stored() == world.source()


@pytest.mark.parametrize("checkpoints", range(4))
async def test_a_worker_that_ends_early_forgets_none(world: World, checkpoints: int) -> None:
    with suppress(Stopped):
        await world.sync(stop_after=checkpoints)
    await world.sync()
    assert (set(unfinished(world)), state(world).unfinished) == ({9}, 1)
