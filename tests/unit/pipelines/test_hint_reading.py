"""A hinted pipeline is what GitLab has by its id: whatever the hint said, whoever else stores it at this moment."""

import itertools
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError, Unavailable, UnexpectedResponse
from tests.unit.pipelines.hinted_world import HintedWorld, world_hints, world_processes
from tests.unit.pipelines.source_model import job


@pytest.fixture
def world() -> HintedWorld:
    return HintedWorld()


def test_a_hint_brings_a_pipeline_with_all_its_attempts(world: HintedWorld) -> None:
    bridge = job(9, "deploy", downstream_pipeline={"id": 77, "project_id": 2, "status": "success"})
    world.add(1, status="success", jobs={1: job(1, status="failed"), 2: job(2)}, bridges={9: bridge})
    assert world.hint(1) == 1
    row = world.row(1)
    assert world.stored() == world.source()
    assert row is not None
    assert (row["job_count"], row["bridge_count"], row["source"]) == (2, 1, "push")


def test_a_hint_reads_nothing_but_its_pipeline(world: HintedWorld) -> None:
    world.add(1, status="success")
    world.add(2, status="success")
    world.hint(1)
    assert set(world.stored()) == {1}
    assert world.gitlab.requests == 4, "the project, which was new, and the pipeline, its jobs and its bridges"


async def test_a_known_project_is_not_asked_for(world: HintedWorld) -> None:
    await world.sync()
    world.add(1)
    world.gitlab.log.clear()
    world.hint_worker.pipelines.pipeline("i1", 1, 1)
    await world_processes(world)
    assert [path for path, _ in world.gitlab.log if not path.startswith("/projects/1/pipelines/1")] == []


def test_a_burst_of_events_is_one_reading_after_the_last_one(world: HintedWorld) -> None:
    pipeline = world.add(1, jobs={})
    for number in range(1, 21):
        pipeline.jobs[number] = job(number, f"job {number}")
        world.hint_worker.pipelines.pipeline("i1", 1, 1)
        world.later(0.2)
    assert world.process() == 1
    assert len(world.jobs(1)) == 20
    assert world.gitlab.asked("/pipelines/1") == 1


def test_an_event_during_the_reading_makes_another(world: HintedWorld) -> None:
    pipeline = world.add(1, status="running", jobs={1: job(1, status="running")})

    def finish(path: str) -> None:
        # The pipeline was read already, its jobs are being read: what is stored will be half of each.
        if path.endswith("/jobs"):
            world.gitlab.before = lambda _: None
            pipeline.status, pipeline.updated = "success", world.now
            world.hint_worker.pipelines.pipeline("i1", 1, 1)

    world.gitlab.before = finish
    assert world.hint(1) == 2
    assert world.stored() == world.source()


EVENTS = ("pending", "running", "failed", "running", "success")
"""What GitLab tells of a pipeline, one event each; it tells them in no certain order."""


@pytest.mark.parametrize("pause", [0, 7], ids=["at once", "slowly"])
@pytest.mark.parametrize("first", range(5))
def test_every_order_of_five_events_ends_with_gitlabs_state(first: int, pause: int) -> None:
    orders = [order for order in itertools.permutations(range(5)) if order[0] == first]
    assert len(orders) * 5 == 120
    for order in orders:
        world = HintedWorld()
        pipeline = world.add(1, status="created", jobs={1: job(1, status="created")})
        for happened, told in enumerate(order):
            # The event that arrives tells of another moment than the one at which GitLab is.
            pipeline.status = pipeline.jobs[1]["status"] = EVENTS[happened]
            pipeline.updated = world.now
            body: dict[str, Any] = {"object_attributes": {"id": 1, "status": EVENTS[told]}, "project": {"id": 1}}
            world.hint_worker.pipelines.pipeline("i1", body["project"]["id"], body["object_attributes"]["id"])
            world.later(pause)
            if pause:
                world.process()
        world.process()
        assert world.stored() == world.source(), order


@pytest.mark.parametrize("with_project", [False, True], ids=["the pipeline", "the whole project"])
def test_a_pipeline_that_is_not_there_removes_nothing(world: HintedWorld, *, with_project: bool) -> None:
    world.add(1, status="success", jobs={1: job(1)})
    world.hint(1)
    before = world.stored()
    assert before
    if with_project:
        del world.gitlab.projects[1]
    else:
        del world.project()[1]
    world.hint(1)
    assert (world.stored(), world.hint_worker.queue.sent) == (before, [])


def test_a_job_list_that_is_suddenly_empty_is_not_believed(world: HintedWorld) -> None:
    pipeline = world.add(1, status="success", jobs={1: job(1)})
    world.hint(1)
    before, jobs = world.stored(), pipeline.jobs
    pipeline.jobs, pipeline.updated = {}, world.now

    def mend(_: str) -> None:
        if world.gitlab.asked("/pipelines/1/jobs") > 4:
            pipeline.jobs = jobs

    world.gitlab.before = mend
    world.hint_worker.pipelines.pipeline("i1", 1, 1)
    [message] = world.hint_worker.queue.take()
    world.hint_worker.handler().handle(message, remaining=world.hint_worker.remaining)
    assert world.stored() == before
    assert world.hint_worker.queue.bodies[0]["tries"] == 1
    world.process()
    assert world.stored() == world.source()


@pytest.mark.parametrize("at", range(1, 5))
@pytest.mark.parametrize("error", [Unavailable("down", http_status=503), UnexpectedResponse("cut off")])
def test_a_fault_at_any_request_only_delays(world: HintedWorld, at: int, error: GitLabError) -> None:
    world.add(1, status="success", jobs={1: job(1)})
    failed = itertools.count(1)

    def fail(_: str) -> None:
        if next(failed) == at:
            raise error

    world.gitlab.before = fail
    assert world.hint(1) == 2
    assert world.stored() == world.source()


async def test_followers_see_a_hinted_change_once(world: HintedWorld) -> None:
    world.add(1, status="success", jobs={1: job(1)})
    await world_hints(world, 1)
    row = world.row(1)
    world.later(30)
    await world_hints(world, 1)
    world.later(300)
    await world.sync()
    again = world.row(1)
    assert row is not None
    assert again is not None
    assert (row["changed_at"], row["hinted"]) == (again["changed_at"], True)
    assert (again["hinted"], again["settled"]) == (False, True), "the run has the last word"


async def test_children_of_a_pipeline_that_a_hint_brought_are_still_found(world: HintedWorld) -> None:
    world.add(1, status="success")
    await world.sync()
    world.later(600)
    started = {"id": 3, "project_id": 1, "status": "running"}
    world.add(2, status="success", bridges={9: job(9, "child", downstream_pipeline=started)})
    world.add(3, source="parent_pipeline", status="running")
    await world_hints(world, 2)
    await world.sync()
    assert world.stored() == world.source()
