"""A worker that processes a pipeline hint and dies, or meets a fault, anywhere: nothing is lost or half stored."""

from contextlib import suppress
from typing import Any, cast

import pytest

from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from tests.fakes.engine import Driver
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, every_call, faulty, unavailable
from tests.fakes.hints import HintWorker
from tests.unit.pipelines.pipelines_sync import SECOND, World
from tests.unit.pipelines.source_model import job

NEW = pytest.mark.parametrize("new", [True, False], ids=["new project", "known pipeline"])


def scenario(*, new: bool) -> tuple[World, HintWorker, dict[str, Any]]:
    """A pipeline that has moved on since it was stored, or that nobody has heard of; and the message about it."""
    world = World()
    pipeline = world.add(1, status="running", jobs={1: job(1, status="running")})
    hint_worker = HintWorker(Kind.PIPELINES, world.table, world.gitlab, world.target, now=world.now / SECOND)
    hint_worker.pipelines.pipeline("i1", 1, 1)
    [message] = hint_worker.queue.take()
    if not new:
        hint_worker.handler().handle(message, remaining=hint_worker.remaining)
        hint_worker.pipelines.pipeline("i1", 1, 1)
        hint_worker.queue.take()
    world.later(5)
    hint_worker.now += 5
    bridge = job(9, "deploy", downstream_pipeline={"id": 77, "project_id": 2, "status": "success"})
    pipeline.jobs, pipeline.bridges = {1: job(1, status="failed"), 2: job(2)}, {9: bridge}
    pipeline.status, pipeline.updated, pipeline.finished = "success", world.now, world.now
    return world, hint_worker, message


@NEW
@BEFORE_OR_AFTER
def test_a_kill_at_any_call_to_the_table_loses_nothing(*, new: bool, applied: bool) -> None:
    for plan in every_call(applied=applied, repeat=True):
        world, hint_worker, message = scenario(new=new)
        view = faulty(world.table, plan)
        with suppress(Crash):
            hint_worker.handler(table=view).handle(message, remaining=hint_worker.remaining)
        assert new or 1 in world.stored(), plan
        # Whoever dies does not delete the message: the queue delivers it again.
        hint_worker.handler().handle(message, remaining=hint_worker.remaining)
        hint_worker.work()
        assert world.stored() == world.source(), plan
    assert plan.at > 6


@NEW
@BEFORE_OR_AFTER
def test_a_kill_that_takes_the_message_along_is_healed_by_the_next_run(*, new: bool, applied: bool) -> None:
    for plan in every_call(applied=applied, repeat=True):
        world, hint_worker, message = scenario(new=new)
        view = faulty(world.table, plan)
        with suppress(Crash):
            hint_worker.handler(table=view).handle(message, remaining=hint_worker.remaining)
        assert sync(world).status is RunStatus.IDLE
        assert world.stored() == world.source(), plan


@NEW
@BEFORE_OR_AFTER
def test_a_fault_at_any_call_to_the_table_only_delays(*, new: bool, applied: bool) -> None:
    for plan in every_call(applied=applied, error=unavailable):
        world, hint_worker, message = scenario(new=new)
        view = faulty(world.table, plan)
        try:
            hint_worker.handler(table=view).handle(message, remaining=hint_worker.remaining)
        except StorageUnavailable:
            assert plan.at == 1, "only a mark that could not be taken away"
            hint_worker.handler().handle(message, remaining=hint_worker.remaining)
        hint_worker.work()
        assert world.stored() == world.source(), plan


def sync(world: World) -> Any:
    """A whole run of the schedule's."""
    gitlab: Any = world.gitlab
    driver = Driver(world.table, PipelinesFeature(world.table), cast("Any", gitlab))
    driver.now = world.now / SECOND
    return driver.work(driver.start())


def test_a_hint_in_the_middle_of_a_run_touches_nothing_of_the_run() -> None:
    world, hint_worker, message = scenario(new=False)
    gitlab: Any = world.gitlab
    driver = Driver(world.table, PipelinesFeature(world.table), cast("Any", gitlab))
    driver.now = world.now / SECOND
    work = driver.start()
    driver.remaining = iter([900.0] * 6 + [0.0] * 50).__next__
    driver.engine().handle(work, remaining=driver.remaining)
    assert driver.run.status is RunStatus.RUNNING, "handed over in the middle"
    before = [row for row in world.table.dump() if row["pk"].startswith(("INTEGRATION#", "JOURNAL#"))]
    hint_worker.handler().handle(message, remaining=lambda: 900.0)
    assert world.stored() == world.source(), "at once, not when the run is over"
    assert [row for row in world.table.dump() if row["pk"].startswith(("INTEGRATION#", "JOURNAL#"))] == before
    driver.remaining = lambda: 900.0
    run = driver.work(driver.queue.take()[0])
    assert (run.status, run.suspected, world.stored()) == (RunStatus.IDLE, {}, world.source())
