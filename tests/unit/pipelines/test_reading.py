"""Stored pipelines equal GitLab's, whatever happens while they are listed."""

from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound, Unavailable, UnexpectedResponse
from gitlab_hub.gitlab.fields import iso, padded
from gitlab_hub.pipelines.keys import cursors_pk
from gitlab_hub.pipelines.projects import ReadStates
from tests.unit.pipelines.pipelines_sync import SECOND, START, Stopped, World
from tests.unit.pipelines.source_model import job

LIST = "/projects/1/pipelines"


@pytest.fixture
def world() -> World:
    made = World(page=4)
    made.project()
    return made


def lists(world: World) -> list[dict[str, Any]]:
    return [params for path, params in world.gitlab.log if path == LIST and "order_by" in params]


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


def state_of(world: World) -> tuple[int | None, str | None]:
    """Up to where the project counts as read, and why no further."""
    state = ReadStates(world.table, "i1").load(1)
    return state.default_watermark, state.error


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


async def test_a_server_that_does_not_know_children_gives_no_second_copy(world: World) -> None:
    world.add(1, status="success")
    world.gitlab.ignored = frozenset({"source"})
    await world.sync()
    assert world.stored() == world.source()
    assert world.table.get(cursors_pk("i1"), padded(1)) is not None


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


async def test_a_full_sync_reads_children_from_the_beginning_too(world: World) -> None:
    world.add(1, status="success")
    await world.sync()
    world.add(2, updated=START - 9000 * SECOND, source="parent_pipeline", status="success")
    world.later(600)
    await world.sync(full=True)
    assert world.stored() == world.source()


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


async def test_bridges_that_may_not_be_seen_are_no_reason_to_fail(world: World) -> None:
    bridge = job(9, "deploy", downstream_pipeline={"id": 77, "project_id": 2, "status": "success"})
    world.add(1, status="success", bridges={9: bridge})
    await world.sync()
    world.gitlab.faults[f"{LIST}/1/bridges"] = Forbidden("no", http_status=403)
    world.later(300)
    world.project()[1].status, world.project()[1].updated = "failed", world.now
    await world.sync()
    row = world.row(1)
    assert row is not None
    assert (row["status"], row["bridge_chunks"]) == ("failed", 1), "what was seen before stays"


@pytest.mark.parametrize(
    ("error", "code"),
    [(Forbidden("no", http_status=403), "invalid_permissions"), (ResourceNotFound("no", http_status=404), "not_found")],
)
async def test_hidden_bridges_are_said_until_they_are_shown(world: World, error: GitLabError, code: str) -> None:
    bridge = job(9, "deploy", downstream_pipeline={"id": 77, "project_id": 2, "status": "success"})
    world.add(1, status="success", bridges={9: bridge}, jobs={1: job(1)})
    world.gitlab.faults[f"{LIST}/1/bridges"] = error
    for _ in range(3):
        world.partials.clear()
        await world.sync()
        assert [(one, "bridges" in reason) for _, one, reason in world.partials] == [(code, True)]
        world.later(3_600)
    world.gitlab.faults.clear()
    world.partials.clear()
    await world.sync(full=True)
    assert (world.stored(), world.partials) == (world.source(), [])


async def test_a_worker_that_ends_in_between_has_told_of_hidden_bridges(world: World) -> None:
    world.add(1, status="success", jobs={1: job(1)})
    world.gitlab.faults[f"{LIST}/1/bridges"] = Forbidden("no", http_status=403)
    cursors: dict[str, Any] = {}
    with suppress(Stopped):
        await world.sync(stop_after=1, resume=cursors)
    world.gitlab.faults.clear()
    await world.sync(resume=cursors)
    assert [code for _, code, _ in world.partials] == ["invalid_permissions"]


async def test_a_closed_project_is_the_engines_to_judge(world: World) -> None:
    world.gitlab.faults[LIST] = Forbidden("no", http_status=403)
    with pytest.raises(Forbidden):
        await world.sync()


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


async def test_a_finished_pipeline_is_read_once_more_and_then_rests(world: World) -> None:
    pipeline = world.add(1, status="success", jobs={1: job(1)})
    await world.sync()
    pipeline.jobs[2] = job(2, "late")
    world.later(60)
    await world.sync()
    assert world.gitlab.asked("/pipelines/1") == 1, "too early"
    world.later(61)
    await world.sync()
    assert world.stored() == world.source()
    world.later(60)
    await world.sync()
    assert world.gitlab.asked("/pipelines/1") == 2


async def test_a_retried_pipeline_shows_the_truth_and_keeps_its_first_end(world: World) -> None:
    pipeline = world.add(1, status="failed", jobs={1: job(1, status="failed", failure_reason="script_failure")})
    await world.sync()
    world.later(30)
    pipeline.status, pipeline.updated, pipeline.finished = "success", world.now, world.now
    pipeline.jobs[2] = job(2)
    await world.sync()
    row = world.row(1)
    assert row is not None
    assert world.stored() == world.source()
    assert (row["first_terminal_status"], row["first_terminal_at"]) == ("failed", START // SECOND)


async def test_children_are_asked_for_daily_until_there_are_some_then_always(world: World) -> None:
    world.add(1, status="success")
    await world.sync()
    world.later(600)
    world.gitlab.log.clear()
    await world.sync()
    assert not [params for params in lists(world) if "source" in params]
    world.later(86_400)
    world.add(2, source="parent_pipeline", status="success")
    await world.sync()
    world.later(600)
    world.add(3, source="parent_pipeline", status="success")
    await world.sync()
    assert world.stored() == world.source()


async def test_a_trigger_job_into_the_same_project_gives_its_children_away(world: World) -> None:
    world.add(1, status="success")
    await world.sync()
    world.later(600)
    started = {"id": 3, "project_id": 1, "status": "running"}
    world.add(2, status="success", bridges={9: job(9, "child", downstream_pipeline=started)})
    world.add(3, source="parent_pipeline", status="running")
    await world.sync()
    assert world.stored() == world.source()


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
