"""Deployments are read where something may have been deployed, with few requests, and counted as they come."""

from dataclasses import replace

import pytest

from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.state import DAY, HOUR, DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import CountedDay
from tests.fakes.faults import Crash, Plan
from tests.unit.pipelines.deployments.deploying_world import EPOCH, PROJECT, Deploying, changes, shipped, stored
from tests.unit.pipelines.pipelines_sync import Stopped

WRITES = {"put", "write", "delete", "transact"}
MONDAY, TUESDAY = "2026-09-21", "2026-09-22"


@pytest.fixture
def world() -> Deploying:
    return Deploying()


def test_a_project_is_read_and_counted(world: Deploying) -> None:
    shipped(world)
    world.deploy(environment="staging")
    world.sync()
    assert world.asked() == ["/deployments", "/environments", "/deployments/2/merge_requests"]
    assert world.log[0][1] == {
        "per_page": "100", "order_by": "updated_at", "sort": "asc",
        "updated_after": "2025-08-17T17:03:20.000Z",
    }  # fmt: skip
    first = Change(id=1, environment_id=1, at=EPOCH + 600, lead_times=None, is_first=True)
    second = Change(id=2, environment_id=1, at=EPOCH + 6_000, lead_times=[1_800], failed=True)
    assert world.days() == {MONDAY: CountedDay([first, second], 2)}
    assert (world.asides, world.partials, world.is_marked) == ([], [], False)


def test_an_idle_project_costs_nothing(world: Deploying) -> None:
    shipped(world)
    world.sync()
    world.later(10 * DAY)
    world.sync(marked=False)
    assert world.asked() == []


def test_a_project_that_deploys_is_asked_once_an_hour_while_pipelines_change(world: Deploying) -> None:
    shipped(world)
    world.sync()
    world.later(HOUR - 1)
    world.sync()
    assert (world.asked(), world.is_marked) == ([], True)
    world.later(1)
    world.sync(marked=False)
    assert (world.asked(), world.is_marked) == (["/deployments"], False)


def test_a_project_that_does_not_is_asked_once_a_day(world: Deploying) -> None:
    world.sync()
    assert (world.asked(), world.is_marked) == (["/deployments"], False)
    world.later(DAY - 1)
    world.sync()
    assert world.asked() == []
    world.later(1)
    world.sync()
    assert world.asked() == ["/deployments"]


def test_a_full_sync_asks_all(world: Deploying) -> None:
    world.sync(full=True, marked=False)
    assert world.asked() == ["/deployments"]
    shipped(world)
    world.sync(full=True, marked=False)
    assert world.asked() == ["/deployments", "/environments", "/deployments/2/merge_requests"]
    world.sync(full=True, marked=False)
    assert world.asked() == ["/deployments", "/environments"]


def test_what_brings_nothing_is_not_asked_for_merge_requests(world: Deploying) -> None:
    old = world.do("push", project_id=PROJECT, branch="main", files=["b.py"])["after"]
    world.deploy()
    world.later(600)
    world.deploy(files="c.py")
    world.later(600)
    world.deploy(sha=old)
    world.later(600)
    world.deploy(status="canceled")
    world.later(600)
    world.sync()
    assert world.asked() == ["/deployments", "/environments", "/deployments/2/merge_requests"]
    assert [(one.id, one.failed, one.restored_after) for one in changes(world)] == [(1, False, None), (2, True, 600)]
    assert world.days()[MONDAY].successes == 3


def test_a_failure_of_today_is_told_of_the_change_of_yesterday(world: Deploying) -> None:
    world.deploy()
    world.later(600)
    world.sync()
    assert not changes(world)[0].failed
    world.later(DAY)
    world.deploy(files="b.py", status="failed")
    world.later(HOUR)
    world.deploy()
    world.later(600)
    world.sync()
    assert [(one.failed, one.restored_after) for one in changes(world)] == [(True, HOUR), (False, None)]
    assert list(world.days()) == [MONDAY, TUESDAY]


def test_a_deployment_under_way_counts_when_it_has_ended(world: Deploying) -> None:
    pipeline = world.do("add_pipeline", project_id=PROJECT, jobs=1)["id"]
    number = world.deploy(status="running", pipeline_id=pipeline)
    world.sync()
    assert (world.days(), stored(world, number)["status"], world.is_marked) == ({}, "running", False)
    world.later(HOUR)
    world.do("move_deployment", project_id=PROJECT, id=number, status="success")
    world.sync()
    row = stored(world, number)
    assert (row["status"], row["pipeline_id"]) == ("success", pipeline)
    job = world.app.rest.view.attempts(world.app.company.pipelines[PROJECT][pipeline])[-1]
    assert row["finished_at"] == int(job.finished)  # Of its job: a deployment is noted somewhat later.
    assert len(changes(world)) == 1


def test_one_that_no_job_makes_is_asked_for_until_it_has_ended(world: Deploying) -> None:
    number = world.deploy(status="running")
    world.sync()
    assert world.is_marked
    world.later(HOUR)
    world.do("move_deployment", project_id=PROJECT, id=number, status="success")
    world.sync(marked=False)
    assert (len(changes(world)), world.is_marked) == (1, False)


def test_where_nothing_is_at_hand_to_be_counted_nothing_is_pending(world: Deploying) -> None:
    """What had ended may be there no more: an integration's rows are removed and read again."""
    DeploymentStates(world.table, "i1").save(PROJECT, DeploymentState(recount_from=EPOCH, has_more=True))
    world.sync()
    assert (world.state.recount_from, world.state.has_more, world.is_marked) == (None, False, False)


@pytest.mark.parametrize("months", [2, 11])
def test_one_that_ends_long_after_it_was_made_counts_on_that_day(world: Deploying, months: int) -> None:
    """A job that is started by hand, a deployment that has to be approved: the id tells nothing of the end."""
    world.deploy(status="blocked")
    world.sync()
    world.later(months * 30 * DAY)
    for _ in range(2):
        world.deploy(files=f"{world.now}.py")
        world.later(DAY)
    world.sync()
    world.do("move_deployment", project_id=PROJECT, id=1, status="success")
    world.later(HOUR)
    world.sync()
    assert sorted(one.id for one in changes(world)) == [1, 2, 3]
    world.later(20 * DAY)
    world.deploy(status="failed", files="b.py")
    world.later(HOUR)
    world.sync()
    by_id = {one.id: one for one in changes(world)}
    assert [number for number, one in by_id.items() if one.failed] == [1], "it was the last that was deployed"


def test_a_full_sync_finds_those_that_ended_late_and_were_stored_before(world: Deploying) -> None:
    world.deploy(status="blocked")
    world.later(300 * DAY)
    world.do("move_deployment", project_id=PROJECT, id=1, status="success")
    world.later(HOUR)
    world.sync()
    before = world.days()
    DeploymentStates(world.table, "i1").save(PROJECT, replace(world.state, late=(), days=()))
    world.store.put_days(PROJECT, {}, before)
    world.sync(full=True)
    assert (len(before), world.days()) == (1, before)


def test_an_environment_of_another_tier_counts_otherwise(world: Deploying) -> None:
    world.deploy(environment="canary")
    world.later(600)
    world.sync()
    assert world.days() == {}
    world.later(DAY)
    world.deploy(environment="canary", tier="production", files="b.py")
    world.later(600)
    world.sync()
    assert [one.id for one in changes(world)] == [1, 2]
    world.later(DAY)
    world.deploy(environment="canary", tier="testing", files="c.py")
    world.later(600)
    world.sync()
    assert world.days() == {}


def test_a_few_new_environments_are_asked_for_one_by_one(world: Deploying) -> None:
    world.deploy()
    world.sync()
    world.later(HOUR)
    world.deploy(environment="review/one")
    world.sync()
    assert world.asked() == ["/deployments", "/environments/2"]
    world.later(HOUR)
    for number in range(6):
        world.deploy(environment=f"review/more-{number}")
    world.sync()
    assert world.asked() == ["/deployments", "/environments"]


def test_an_environment_that_is_gone_is_known_as_such(world: Deploying) -> None:
    world.deploy(environment="review/one")
    world.deploy(environment="prod")
    world.sync()
    del world.app.company.environments[PROJECT][1], world.app.company.deployments[PROJECT][1]
    world.later(DAY)
    world.deploy(environment="prod", files="b.py")
    world.sync()
    known = world.store.environments(PROJECT)
    assert (known[1]["deleted_at_source"], known[2].get("deleted_at_source")) == (EPOCH + DAY, None)


def test_a_list_of_several_pages_is_read_by_seeking(world: Deploying) -> None:
    for number in range(130):
        world.deploy(environment="staging", status="success" if number % 2 else "failed")
        world.later(1)
    for _ in range(105):  # More of one moment than a page holds.
        world.deploy(environment="staging")
    world.later(1)
    world.deploy(environment="staging")
    world.sync()
    assert sum(len(page) for page in world.store.since(PROJECT, EPOCH)) == 236
    assert world.asides == []


@pytest.mark.parametrize("applied", [False, True], ids=["before it is written", "once it is written"])
def test_whoever_carries_on_for_a_worker_that_died_counts_the_same(*, applied: bool) -> None:
    whole, plan = Deploying(), Plan(only=WRITES)
    shipped(whole)
    whole.sync(plan=plan)
    assert len(plan.calls) >= 8
    for at in range(1, len(plan.calls) + 1):
        broken = Deploying()
        shipped(broken)
        with pytest.raises(Crash):
            broken.sync(plan=Plan(at=at, applied=applied, only=WRITES))
        broken.sync(marked=False)
        assert (broken.days(), broken.state) == (whole.days(), whole.state), at
        broken.later(HOUR)
        broken.sync(marked=False)
        assert not broken.is_marked


def test_a_slice_that_ends_is_carried_on(world: Deploying) -> None:
    shipped(world)
    with pytest.raises(Stopped):
        world.sync(stop_after=0)
    world.sync(marked=False)
    assert (len(changes(world)), world.is_marked) == (2, False)


def test_one_that_is_marked_while_it_is_read_is_read_again(world: Deploying) -> None:
    shipped(world)
    world.mark()
    (before,) = [one for page in world.marks.pages() for one in page]
    world.later(1)
    world.mark()
    world.marks.drop(before)
    assert world.is_marked
