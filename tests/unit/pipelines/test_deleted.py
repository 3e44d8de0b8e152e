"""What GitLab has no more is told so: found by the counts, confirmed one by one, and never taken from a list alone."""

from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import Forbidden, Unavailable
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import BY_CHANGE
from gitlab_hub.pipelines.read_states import RECONCILE_SECONDS
from gitlab_hub.pipelines.window import WALK_SECONDS
from gitlab_hub.sync.ports import Session
from tests.unit.pipelines.pipelines_sync import LIST, SECOND, ScriptedSession, Stopped, World, fill, lists, state
from tests.unit.pipelines.source_model import job


@pytest.fixture
def world() -> World:
    made = World(page=4)
    made.project()
    fill(made, 14)
    return made


def deleted(world: World, project: int = 1) -> set[int]:
    rows = (world.row(number, project) for number in world.stored(project))
    return {row["id"] for row in rows if row is not None and row["deleted_at_source"] is not None}


async def test_a_day_later_deleted_pipelines_are_told(world: World) -> None:
    await world.sync()
    for number in (1, 6, 7, 14):
        del world.project()[number]
    world.later(600)
    await world.sync()
    assert deleted(world) == set(), "counts are compared once a day"
    world.later(RECONCILE_SECONDS)
    session = await world.sync()
    assert deleted(world) == {1, 6, 7, 14}
    assert session.counts["pipelines_deleted"] == 4
    assert all(row["deleted_at_source"] == world.now // SECOND for row in [world.row(6)] if row)
    feed = world.table.query("i1", index=BY_CHANGE, limit=100).items
    assert [item["id"] for item in feed][-4:] == [1, 6, 7, 14], "the feed of changes shows them"


async def test_what_is_known_to_be_deleted_is_not_asked_about_again(world: World) -> None:
    await world.sync()
    del world.project()[6]
    world.later(RECONCILE_SECONDS)
    await world.sync()
    world.later(RECONCILE_SECONDS)
    world.gitlab.log.clear()
    written = world.table.written
    await world.sync()
    assert world.gitlab.asked("/6") == 0
    assert len([params for params in lists(world) if params.get("sort") == "asc" and params["order_by"] == "id"]) == 0
    assert world.table.written - written == 2, "that counts were compared, and children asked for"


async def test_what_came_while_the_list_was_read_hides_nothing_that_goes_later(world: World) -> None:
    await world.sync()
    del world.project()[6]
    world.later(RECONCILE_SECONDS)

    def come_on_the_second_page(path: str) -> None:
        params = world.gitlab.log[-1][1]
        if path == LIST and params.get("page") == 2 and 15 not in world.project():
            for number in (15, 16):
                world.add(number, status="success", jobs={number: job(number)})

    world.gitlab.before = come_on_the_second_page
    await world.sync()
    assert world.stored().keys() >= {15, 16}
    # As many again as GitLab counted before it was read.
    del world.project()[7], world.project()[8]
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == {6, 7, 8}


@pytest.mark.parametrize("stop_after", range(4))
async def test_what_a_stopped_worker_has_stored_hides_nothing_that_goes_later(world: World, stop_after: int) -> None:
    await world.sync()
    world.later(60)
    world.add(15, status="success", jobs={15: job(15)})
    with pytest.raises(Stopped):
        await world.sync(stop_after=stop_after)
    # As many again as were counted before.
    del world.project()[6]
    world.later(60)
    await world.sync()
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == {6}


async def test_all_of_them_may_be_gone(world: World) -> None:
    await world.sync()
    world.project().clear()
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == set(range(1, 15))


async def test_a_list_that_shows_nothing_is_not_taken_at_its_word(world: World) -> None:
    await world.sync()
    kept, listed = world.gitlab._listed, 0

    def empty(pipelines: Any, project_id: int, params: Any) -> Any:
        nonlocal listed
        listed += 1
        return kept(pipelines, project_id, params)[:0]

    world.gitlab._listed = empty  # type: ignore[method-assign]
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert listed
    assert deleted(world) == set(), "each of them is still shown by its id"


async def test_a_list_that_cannot_be_read_so_far_down_costs_nothing_else(world: World) -> None:
    """GitLab may never answer in time for the last pages of a list of hundreds of thousands."""
    world.gitlab.counts_up_to = 10
    await world.sync()
    del world.project()[2]
    world.later(WALK_SECONDS)
    world.add(40, source="parent_pipeline", status="success", jobs={400: job(400)})
    world.add(41, status="success", jobs={410: job(410)})

    def deep(path: str) -> None:
        if path == LIST and world.gitlab.log[-1][1].get("page", 1) >= 3:
            raise Unavailable("busy", http_status=500)

    world.gitlab.before = deep
    cursors: dict[str, Any] = {}
    for _ in range(30):
        try:
            await world.sync(stop_after=2, resume=cursors)
        except Stopped:
            continue
        break
    assert deleted(world) == {2}
    assert {40, 41} <= world.stored().keys()
    assert [code for _, code, _ in world.partials] == ["gitlab_unavailable"]
    assert state(world).default_watermark == world.now // SECOND * 1000
    world.gitlab.log.clear()
    await world.sync()
    assert [params for params in lists(world) if params.get("sort") == "asc" and params["order_by"] == "id"] == []
    world.gitlab.before = lambda _: None
    del world.project()[9]
    world.later(WALK_SECONDS)
    await world.sync()
    assert deleted(world) == {2, 9}


async def test_as_many_new_as_deleted_ones_hide_nothing(world: World) -> None:
    await world.sync()
    for day in range(1, 3):
        del world.project()[day]
        world.later(RECONCILE_SECONDS)
        world.add(14 + day, status="success", jobs={14 + day: job(14 + day)})
        session = ScriptedSession(world, {}, full=False, stop_after=None)
        hint = {"project_id": 1, "pipeline_id": 14 + day}
        await PipelinesFeature(world.table).refresh(cast("Session", session), hint)
        await world.sync()
    assert deleted(world) == {1, 2}


@pytest.mark.parametrize("error", [Unavailable("busy", http_status=500), Forbidden("no", http_status=403)])
async def test_only_a_404_confirms_it(world: World, error: Exception) -> None:
    await world.sync()
    del world.project()[1]
    world.later(RECONCILE_SECONDS)
    await world.sync()
    del world.project()[6], world.project()[9]
    world.gitlab.faults[f"{LIST}/6"] = error
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == {1, 9}
    world.gitlab.faults.clear()
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == {1, 6, 9}


async def test_a_project_that_disappears_meanwhile_has_lost_nothing(world: World) -> None:
    await world.sync()
    del world.project()[6]
    world.later(RECONCILE_SECONDS)

    def disappears(path: str) -> None:
        if path == f"{LIST}/6":
            world.gitlab.faults[LIST] = Forbidden("no", http_status=403)

    world.gitlab.before = disappears
    with pytest.raises(Forbidden):
        await world.sync()
    assert deleted(world) == set()


async def test_deleted_children_are_told(world: World) -> None:
    world.add(40, source="parent_pipeline", status="success", jobs={400: job(400)})
    world.add(41, source="parent_pipeline", status="success", jobs={410: job(410)})
    await world.sync()
    del world.project()[40]
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == {40}


async def test_a_full_sync_tells_at_once(world: World) -> None:
    await world.sync()
    del world.project()[6]
    world.later(60)
    await world.sync(full=True)
    assert deleted(world) == {6}


async def test_beyond_what_gitlab_counts_the_list_is_read_once_a_week(world: World) -> None:
    world.gitlab.counts_up_to = 10
    await world.sync()
    del world.project()[6]
    for _ in range(6):
        world.later(RECONCILE_SECONDS)
        await world.sync()
    assert deleted(world) == set()
    world.later(RECONCILE_SECONDS)
    await world.sync()
    assert deleted(world) == {6}


async def test_beyond_what_gitlab_counts_children_are_compared_too(world: World) -> None:
    world.gitlab.counts_up_to = 3
    for number in range(40, 46):
        world.add(number, source="parent_pipeline", status="success", jobs={10 * number: job(10 * number)})
    await world.sync()
    del world.project()[6], world.project()[42]
    world.later(WALK_SECONDS)
    await world.sync()
    assert deleted(world) == {6, 42}


async def test_workers_that_stop_soon_compare_what_lies_behind_the_last_page(world: World) -> None:
    for number in range(15, 60):
        world.add(number, status="success", jobs={number: job(number)})
    await world.sync()
    for number in range(13, 60):
        del world.project()[number]
    world.later(RECONCILE_SECONDS)
    cursors: dict[str, Any] = {}
    for _ in range(60):
        try:
            await world.sync(stop_after=1, resume=cursors)
        except Stopped:
            continue
        break
    assert deleted(world) == set(range(13, 60))


async def test_workers_that_stop_soon_get_to_the_end(world: World) -> None:
    await world.sync()
    for number in range(2, 14):
        del world.project()[number]
    world.later(RECONCILE_SECONDS)
    cursors: dict[str, Any] = {}
    for _ in range(30):
        try:
            await world.sync(stop_after=1, resume=cursors)
        except Stopped:
            continue
        break
    assert deleted(world) == set(range(2, 14))
    assert sum(path.startswith(f"{LIST}/") and "/jobs" not in path for path, _ in world.gitlab.log) < 14 * 2 + 12 * 3


async def test_pipelines_of_a_project_that_is_gone_are_told_and_come_back_with_it(world: World) -> None:
    await world.sync()
    gone = world.gitlab.projects.pop(1)
    world.project(2)
    world.later(60)
    await world.sweep()
    assert deleted(world) == set(range(1, 15))
    world.gitlab.projects[1] = gone
    world.later(60)
    await world.sync()
    assert deleted(world) == set()
    assert world.stored() == world.source()


@pytest.mark.parametrize("asked", [f"{LIST}/6", LIST], ids=["the pipeline", "the project"])
async def test_what_a_webhook_has_written_while_gitlab_was_asked_stays(world: World, asked: str) -> None:
    await world.sync()
    del world.project()[6]
    world.later(RECONCILE_SECONDS)
    world.gitlab.log.clear()

    def written_meanwhile(path: str) -> None:
        if path == asked and world.gitlab.asked("/pipelines/6"):
            stored = world.table.get("i1#pipelines#1", "000000000006")
            assert stored is not None
            world.table.put({**stored, "digest": "younger", "written_at": world.now // 1000})

    world.gitlab.before = written_meanwhile
    await world.sync(full=True)
    assert deleted(world) == set()
    assert (world.row(6) or {})["digest"] == "younger"
    world.gitlab.before = lambda _: None
    await world.sync(full=True)
    assert deleted(world) == {6}, "the next comparison asks again"


async def test_what_is_there_and_never_listed_costs_a_look_at_the_list_once_a_week(world: World) -> None:
    await world.sync()
    world.project()[6].visible_from = world.now + 365 * RECONCILE_SECONDS * SECOND
    walks = []
    for _ in range(8):
        world.later(RECONCILE_SECONDS)
        world.gitlab.log.clear()
        await world.sync()
        walks.append(world.gitlab.asked("/pipelines/6"))
    assert deleted(world) == set()
    assert walks == [1, 0, 0, 0, 0, 0, 0, 1]
