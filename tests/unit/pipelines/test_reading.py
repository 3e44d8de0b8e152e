"""Stored pipelines equal GitLab's, whatever happens while they are listed."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import iso, padded
from tests.unit.pipelines.pipelines_sync import LIST, SECOND, START, Stopped, World, lists, state_of
from tests.unit.pipelines.source_model import job


@pytest.fixture
def world() -> World:
    made = World(page=4)
    made.project()
    return made


async def test_the_first_sync_reads_everything_with_jobs_and_children(world: World) -> None:
    for number in range(1, 12):
        world.add(number, updated=START - number * SECOND, status="success", jobs={number: job(number)})
    world.add(50, source="parent_pipeline", status="failed", jobs={500: job(500, status="failed")})
    session = await world.sync()
    assert world.stored() == world.source()
    assert (session.counts["pipelines_read"], session.counts["jobs_read"]) == (12, 12)


async def test_a_second_sync_with_nothing_new_asks_twice_a_project_and_writes_nothing(world: World) -> None:
    for number in range(1, 4):
        world.add(number, updated=START - 3600 * SECOND, status="success", jobs={number: job(number)})
    await world.sync()
    world.later(600)
    world.table.written, world.gitlab.requests = 0, 0
    await world.sync()
    assert world.table.written == 0
    assert world.gitlab.requests == 3, "the projects, what has changed by its date, and what is new by its id"


async def test_the_window_reaches_back_so_that_a_late_commit_is_met(world: World) -> None:
    world.add(1, status="success")
    world.add(2, updated=START - 100 * SECOND, visible_from=START + 30 * SECOND)
    await world.sync()
    world.later(60)
    await world.sync()
    assert world.stored() == world.source()


async def test_a_row_that_moves_while_listing_is_met_again(world: World) -> None:
    for number in range(1, 10):
        world.add(number, updated=START - (100 - number) * SECOND)

    def touch(path: str) -> None:
        world.now += 1000
        if path == LIST:
            first = min(world.project().values(), key=lambda pipeline: pipeline.updated)
            first.updated = world.now

    world.gitlab.before = touch
    await world.sync()
    world.gitlab.before = lambda _: None
    world.later(5)
    await world.sync()
    assert world.stored() == world.source()


async def test_more_rows_in_one_millisecond_than_a_page_holds_are_all_read(world: World) -> None:
    for number in range(1, 30):
        world.add(number, updated=START - 50 * SECOND + number)
    world.add(30)
    await world.sync()
    assert world.stored() == world.source()


async def test_a_row_that_leaves_a_crowded_millisecond_hides_no_other(world: World) -> None:
    for number in range(1, 14):
        world.add(number, updated=START - 50 * SECOND)
    left = iter([1])

    def leave(path: str) -> None:
        page = lists(world)[-1] if path == LIST else {}
        if page.get("order_by") == "id" and page["page"] == 2 and (number := next(left, None)):
            world.project()[number].updated = world.now

    world.gitlab.before = leave
    await world.sync()
    assert world.stored() == world.source()


async def test_a_millisecond_that_never_rests_is_an_error_and_not_a_gap(world: World) -> None:
    for number in range(1, 200):
        world.add(number, updated=START - 50 * SECOND)
    leaving = iter(range(1, 200))

    def leave(path: str) -> None:
        if path == LIST:
            world.project()[next(leaving)].updated = world.now

    world.gitlab.before = leave
    with pytest.raises(UnexpectedResponse):
        await world.sync()
    assert state_of(world) == (None, "unexpected_response")


async def test_a_server_that_ignores_the_filter_is_read_through(world: World) -> None:
    for number in range(1, 12):
        world.add(number, updated=START - number * SECOND)
    await world.sync()
    world.gitlab.ignored = frozenset({"updated_after", "updated_before", "order_by", "sort"})
    world.later(1000)
    world.project()[2].status = "success"
    world.project()[2].updated = world.now
    await world.sync()
    assert world.stored() == world.source()


async def test_a_worker_that_stops_goes_on_from_its_checkpoint(world: World) -> None:
    for number in range(1, 40):
        world.add(number, updated=START - (100 - number) * SECOND, status="success")
    cursors: dict[str, Any] = {}
    with pytest.raises(Stopped):
        await world.sync(stop_after=5, resume=cursors)
    asked = len(lists(world))
    await world.sync(resume=cursors)
    assert world.stored() == world.source()
    assert lists(world)[asked]["updated_after"] > iso(START // 1000 - 100_000)


async def test_progress_within_a_page_is_noted_so_that_a_slow_run_is_not_taken_for_a_broken_one(world: World) -> None:
    world.gitlab.page = 100
    for number in range(1, 31):
        world.add(number, updated=START - number * SECOND, status="success")
    cursors: dict[str, Any] = {}
    with pytest.raises(Stopped):
        await world.sync(stop_after=1, resume=cursors)
    assert (len(world.stored()), cursors[padded(1)]["copied"]) == (16, 16)
    world.gitlab.log.clear()
    await world.sync(resume=cursors)
    assert world.stored() == world.source()
    assert world.gitlab.asked("/jobs") == 14


async def test_a_full_sync_starts_from_the_beginning(world: World) -> None:
    world.add(1, updated=START - 9000 * SECOND, status="success")
    world.add(3, status="success")
    await world.sync()
    world.add(2, updated=START - 9000 * SECOND, status="success")
    world.later(600)
    await world.sync()
    assert 2 not in world.stored(), "nothing shows it: neither its time nor its id is new"
    await world.sync(full=True)
    assert world.stored() == world.source()


async def test_an_empty_answer_moves_no_watermark(world: World) -> None:
    world.add(1, status="success")
    await world.sync()
    hidden = dict(world.project())
    world.project().clear()
    world.later(3600)
    await world.sync()
    world.project().update(hidden)
    world.add(2, updated=world.now - 3000 * SECOND, status="success")
    await world.sync()
    assert world.stored() == world.source()


async def test_a_date_far_in_the_future_becomes_no_watermark(world: World) -> None:
    world.add(1, status="success")
    world.gitlab.skew = 86_400
    await world.sync()
    world.gitlab.skew = 0
    world.later(600)
    world.add(2, status="success")
    await world.sync()
    assert world.stored() == world.source()


async def test_a_server_without_a_clock_is_read_too(world: World) -> None:
    world.gitlab.dates = False
    for number in range(1, 12):
        world.add(number, updated=START - number * SECOND, status="success")
    await world.sync()
    world.later(600)
    world.add(12, status="success")
    await world.sync()
    assert world.stored() == world.source()


async def test_a_server_whose_clock_is_behind_is_read_to_the_end(world: World) -> None:
    world.gitlab.skew = -3600
    for number in range(1, 20):
        world.add(number, updated=START - (100 - number) * SECOND, status="success")
    await world.sync()
    assert len(world.stored()) == 19
    world.later(600)
    for number in range(20, 40):
        world.add(number, updated=world.now - (100 - number) * SECOND, status="success")
    await world.sync()
    assert world.stored() == world.source()
