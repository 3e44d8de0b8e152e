"""One empty list of jobs is no fact: a pipeline that shows none is read once more in a later run."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Unavailable
from gitlab_hub.pipelines.owed import MOST_WITHOUT_JOBS, OwedRows
from tests.unit.pipelines.pipelines_sync import LIST, SECOND, START, World, state
from tests.unit.pipelines.source_model import job

LONG_AGO = START - 9000 * SECOND


@pytest.fixture
def world() -> World:
    made = World()
    made.add(1, updated=LONG_AGO, status="success", jobs={10: job(10), 11: job(11)})
    made.add(2, updated=LONG_AGO, status="failed", jobs={20: job(20)})
    return made


def owed(world: World) -> list[int]:
    return sorted(number for number, one in OwedRows(world.table, "i1").of(1).items() if not one.unfinished)


async def test_an_empty_answer_is_made_up_for_by_the_next_run(world: World) -> None:
    jobs = dict(world.project()[1].jobs)
    world.project()[1].jobs.clear()
    await world.sync(sync_id="s1")
    assert world.row(1) is not None, "it is shown all the same"
    assert (owed(world), state(world).owed) == ([1], 1)
    assert world.partials == [], "nothing needs a person"
    assert world.gitlab.asked("/jobs") == 2, "a later run asks again, not this one"
    world.project()[1].jobs.update(jobs)
    await world.sync(sync_id="s2")
    assert world.stored() == world.source()
    assert owed(world) == []


async def test_what_has_none_the_second_time_has_none(world: World) -> None:
    world.project()[1].jobs.clear()
    for sync_id in ("s1", "s2"):
        await world.sync(sync_id=sync_id)
    assert owed(world) == []
    world.gitlab.log.clear()
    await world.sync()
    assert world.gitlab.asked("/jobs") == 0


async def test_one_that_cannot_be_read_the_second_time_is_told_like_any_other(world: World) -> None:
    world.project()[1].jobs.clear()
    await world.sync(sync_id="s1")
    world.project()[1].jobs[10] = job(10)
    world.gitlab.faults[f"{LIST}/1"] = Unavailable("busy", http_status=500)
    await world.sync(sync_id="s2")
    assert [(key, code) for key, code, _ in world.partials] == [("000000000001", "gitlab_unavailable")]
    world.gitlab.faults.clear()
    world.later(3600)
    await world.sync(sync_id="s3")
    assert (world.stored(), owed(world)) == (world.source(), [])


@pytest.mark.parametrize("fields", [{"source": "external"}, {"status": "skipped"}, {"status": "running"}])
async def test_pipelines_that_may_have_none_are_read_once(world: World, fields: Any) -> None:
    world.add(3, updated=LONG_AGO, **{"status": "success", **fields})
    await world.sync()
    assert owed(world) == []


async def test_a_project_full_of_them_is_taken_as_it_is(world: World) -> None:
    for number in range(100, 100 + 2 * MOST_WITHOUT_JOBS):
        world.add(number, updated=LONG_AGO + number, status="failed")
    await world.sync()
    assert len(owed(world)) == MOST_WITHOUT_JOBS
