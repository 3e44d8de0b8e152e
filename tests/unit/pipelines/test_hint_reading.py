"""A hinted pipeline is what GitLab has by its id: whatever the hint said, whoever else stores it at this moment."""

import asyncio
import itertools
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound, Unavailable, UnexpectedResponse
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.keys import partitions, projects_pk
from gitlab_hub.sync.ports import Kind, SyncTarget
from tests.fakes.hints import HintWorker
from tests.unit.pipelines.pipelines_sync import SECOND, World
from tests.unit.pipelines.source_model import job


class HintedWorld(World):
    """A world with two projects and somewhere to give hints to; both have one clock."""

    def __init__(self) -> None:
        super().__init__(page=4)
        self.project(1)
        self.project(2)
        self.hint_worker = HintWorker(Kind.PIPELINES, self.table, self.gitlab, self.target, now=self.now / SECOND)

    def later(self, seconds: float) -> None:
        """Let time pass for both."""
        super().later(seconds)
        self.hint_worker.now = self.now / SECOND

    def hint(self, number: int, project: int = 1) -> int:
        """Give a hint and process whatever waits; the answer is how many messages that took."""
        self.hint_worker.pipelines.pipeline("i1", project, number)
        return self.process()

    def process(self) -> int:
        """Work on what waits."""
        done = self.hint_worker.work()
        self.now = int(self.hint_worker.now * SECOND)
        return done

    def aim(self, **changes: Any) -> None:
        """Make the integration another one."""
        fields: dict[str, Any] = {"integration_id": "i1", "credential_id": "c1", "user_id": 7, "is_admin": False}
        self.target = SyncTarget(base_url="https://gitlab.example", **fields | changes)
        self.hint_worker.targets.only = self.target


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


async def world_processes(world: HintedWorld) -> None:
    """Heed from inside a loop, as the handler has one of its own."""
    await asyncio.to_thread(world.process)


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


@pytest.mark.parametrize(
    "aim", [{"group": "other"}, {"group": "g/p1"}, {"group": "G/p"}], ids=["another group", "project's name", "prefix"]
)
def test_a_project_outside_the_group_stores_nothing(world: HintedWorld, aim: dict[str, str]) -> None:
    world.aim(**aim)
    world.add(1, status="success")
    world.hint(1)
    assert world.table.dump() == []


@pytest.mark.parametrize("group", ["g", "G"])
def test_a_project_inside_the_group_is_taken_in(world: HintedWorld, group: str) -> None:
    world.aim(group=group)
    world.add(1, status="success")
    world.hint(1)
    assert set(world.stored()) == {1}


@pytest.mark.parametrize("permissions", [{"project_access": None, "group_access": None}])
def test_a_public_project_of_others_stores_nothing(world: HintedWorld, permissions: dict[str, None]) -> None:
    world.aim()
    world.add(1, status="success")
    single = world.gitlab._single

    def public(path: str) -> Any:
        body = single(path)
        return {**body, "permissions": permissions} if path == "/projects/1" else body

    world.gitlab._single = public  # type: ignore[method-assign]  # the model is the test's own
    world.hint(1)
    assert (world.table.dump(), world.gitlab.asked("/pipelines/1")) == ([], 0)


def test_a_project_reached_by_an_invited_group_is_taken_in(world: HintedWorld) -> None:
    world.aim()
    world.add(1, status="success")
    single = world.gitlab._single

    def invited(path: str) -> Any:
        if path == "/projects/1/members/all/7":
            return {"id": 7, "access_level": 30}
        body = single(path)
        nothing = {"project_access": None, "group_access": None}
        return {**body, "permissions": nothing} if path == "/projects/1" else body

    world.gitlab._single = invited  # type: ignore[method-assign]  # the model is the test's own
    world.hint(1)
    assert set(world.stored()) == {1}


@pytest.mark.parametrize("error", [ResourceNotFound("no", http_status=404), Forbidden("no", http_status=403)])
def test_a_project_that_may_not_be_seen_stores_nothing(world: HintedWorld, error: GitLabError) -> None:
    world.add(1, status="success")
    world.gitlab.faults["/projects/1"] = error
    world.hint(1)
    assert (world.table.dump(), world.hint_worker.queue.sent) == ([], [])


@pytest.mark.parametrize(("project", "pipeline"), [(0, 1), (1, 0), (-1, 1), (1, 10**12), (10**12, 1)])
def test_ids_that_no_gitlab_has_are_no_hints(world: HintedWorld, project: int, pipeline: int) -> None:
    world.hint_worker.pipelines.pipeline("i1", project, pipeline)
    assert (world.hint_worker.queue.sent, world.table.dump()) == ([], [])


def test_another_projects_pipeline_is_not_this_ones(world: HintedWorld) -> None:
    world.add(5, project=2, status="success")
    world.hint(5, project=1)
    assert world.stored(1) == world.stored(2) == {}


async def test_a_project_that_is_new_or_back_is_one_of_the_integrations(world: HintedWorld) -> None:
    world.add(1, status="success")
    world.gitlab.unlisted = {1, 2}
    await world_hints(world, 1)
    fresh = world.table.get(projects_pk("i1"), padded(1))
    assert fresh is not None
    assert "i1#pipelines#1" in set(partitions(world.table, "i1")), "what is stored can be removed with the integration"
    world.table.put({name: value for name, value in fresh.items() if name != "hash"} | {"gone_at": 1})
    await world_hints(world, 1)
    assert world.table.get(projects_pk("i1"), padded(1)) == fresh
    world.gitlab.unlisted = set()
    session = await world.sync()
    assert session.counts["rows_written"] == 1, "the other project: this one is stored as the list shows it"


async def world_hints(world: HintedWorld, number: int, project: int = 1) -> None:
    world.hint_worker.pipelines.pipeline("i1", project, number)
    await world_processes(world)


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
