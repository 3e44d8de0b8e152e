"""Pipelines that change after their end: retried jobs, children, and bridges that lead to them."""

from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.keys import cursors_pk
from tests.unit.pipelines.pipelines_sync import LIST, SECOND, START, Stopped, World, lists
from tests.unit.pipelines.source_model import job


@pytest.fixture
def world() -> World:
    made = World(page=4)
    made.project()
    return made


async def test_a_server_that_does_not_know_children_gives_no_second_copy(world: World) -> None:
    world.add(1, status="success")
    world.gitlab.ignored = frozenset({"source"})
    await world.sync()
    assert world.stored() == world.source()
    assert world.table.get(cursors_pk("i1"), padded(1)) is not None


async def test_a_full_sync_reads_children_from_the_beginning_too(world: World) -> None:
    world.add(1, status="success")
    await world.sync()
    world.add(2, updated=START - 9000 * SECOND, source="parent_pipeline", status="success")
    world.later(600)
    await world.sync(full=True)
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
