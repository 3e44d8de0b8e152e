"""Deployments are read where something may have been deployed, with few requests, and counted as they come."""

import asyncio
from typing import Any, cast

import pytest

from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.reading import LINKED_AFTER
from gitlab_hub.pipelines.deployments.stage import MOST_NEW
from gitlab_hub.pipelines.deployments.state import DAY, HOUR
from gitlab_hub.pipelines.deployments.store import CountedDay
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.asides import MOST_REFUSED
from gitlab_hub.sync.ports import Session
from gitlab_hub.sync.table_rows import HASH
from tests.fakes.faults import Crash, Plan
from tests.unit.pipelines.deployments.deploying_world import EPOCH, PROJECT, Deploying
from tests.unit.pipelines.pipelines_sync import ScriptedSession, Stopped, World

WRITES = {"put", "write", "delete", "transact"}
MONDAY, TUESDAY = "2026-09-21", "2026-09-22"


@pytest.fixture
def world() -> Deploying:
    return Deploying()


def shipped(world: Deploying) -> None:
    """A change that is the first, one with a merge request, and a failure behind it."""
    world.merge("one")
    world.later(600)
    world.deploy()
    world.later(3_600)
    world.merge("two")
    world.later(1_800)
    world.deploy()
    world.later(3_600)
    world.deploy(files="x.py", status="failed")
    world.later(600)


def changes(world: Deploying) -> list[Change]:
    return [change for _, counted in sorted(world.days().items()) for change in counted.changes]


def stored(world: Deploying, number: int) -> Item:
    item = world.table.get(f"i1#deployments#{PROJECT}", f"{number:012d}")
    assert item is not None
    return item


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


def test_merge_requests_are_asked_for_once_gitlab_has_linked_them(world: Deploying) -> None:
    world.deploy()
    world.later(60)
    world.merge("one")
    world.later(60)
    world.deploy()
    world.sync()
    assert ("/deployments/2/merge_requests" in world.asked(), world.is_marked) == (False, True)
    assert changes(world)[-1].lead_times is None
    world.later(max(HOUR, LINKED_AFTER))
    world.sync(marked=False)
    assert world.asked() == ["/deployments", "/deployments/2/merge_requests"]
    assert (changes(world)[-1].lead_times, world.is_marked) == ([60], False)


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


@pytest.mark.parametrize(("off", "status"), [
    ({"environments_enabled": False}, "disabled"),
    ({"builds_enabled": False}, "disabled"),
    ({}, "forbidden"),
])  # fmt: skip
def test_what_is_refused_is_said_and_not_taken_for_nothing(world: Deploying, off: dict[str, Any], status: str) -> None:
    shipped(world)
    world.sync()
    before = world.days()
    world.later(DAY)
    if off:
        world.do("update_project", id=PROJECT, **off)
    else:
        world.do("add_user", username="guest.one")
        guest = max(world.app.company.users)
        world.do("add_token", name="guest", user_id=guest, scopes=["read_api"])
        world.do("add_member", source="project", source_id=PROJECT, user_id=guest, level=10)
        world.token = "guest"
    world.sync()
    ((key, said, _),) = world.asides
    assert (key, said) == (f"{PROJECT:012d}", status)
    assert (world.days(), world.is_marked, world.state.is_read) == (before, True, status == "disabled")
    world.later(HOUR)
    world.sync()
    assert (world.asked(), world.kept_notes) == ([], 1)  # What was said of it stays.
    world.later(DAY)
    world.sync()
    assert world.asked()[0] == "/deployments"


def test_what_was_refused_lately_is_said_again_where_another_project_is_read(world: Deploying) -> None:
    other = world.do("add_project", path="other")["id"]
    row = {"id": other, "path_with_namespace": "g/other", HASH: "h"}
    world.table.put({"pk": projects_pk("i1"), "sk": f"{other:012d}", **row})
    world.do("update_project", id=PROJECT, environments_enabled=False)
    world.sync()
    world.later(HOUR)
    world.marks.add([other], now=1)
    world.asides.clear()
    world.sync()
    assert (len(world.log), [(key, status) for key, status, _ in world.asides]) == (
        1,
        [(f"{PROJECT:012d}", "disabled")],
    )
    assert world.kept_notes == 0


def test_a_fine_grained_token_wants_the_permission(world: Deploying) -> None:
    grants = [{"access": "all_memberships", "permissions": ["Project: Read", "Pipeline: Read"]}]
    owner = world.app.company.tokens[world.app.company.well_known["owner-read"]].user_id
    world.do("add_member", source="project", source_id=PROJECT, user_id=owner, level=50)
    world.do("add_token", name="granular", user_id=owner, scopes=["granular"], grants=grants)
    world.token = "granular"
    world.sync()
    ((_, said, why),) = world.asides
    assert (said, "Deployment: Read" in why, world.state.is_read) == ("forbidden", True, False)


def test_a_list_of_several_pages_is_read_by_seeking(world: Deploying) -> None:
    for number in range(130):
        world.deploy(environment="staging", status="success" if number % 2 else "failed")
        world.later(1)
    for _ in range(105):  # More of one moment than a page holds.
        world.deploy(environment="staging")
    world.later(1)
    world.deploy(environment="staging")
    world.sync()
    assert len(world.store.since(PROJECT, EPOCH)) == 236
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


def test_a_run_begins_with_a_hundred_projects_at_most(world: Deploying) -> None:
    others = [world.do("add_project", path=f"p{number}")["id"] for number in range(MOST_NEW + 20)]
    for number in others:
        row = {"id": number, "path_with_namespace": f"g/p{number}", HASH: "h"}
        world.table.put({"pk": projects_pk("i1"), "sk": f"{number:012d}", **row})
    world.marks.add(others, now=1)
    asked = []
    for _ in range(3):
        world.sync(marked=False)
        asked.append(len(world.log))
    assert (asked, world.asides) == ([MOST_NEW, 20, 0], [])


def test_where_gitlab_refuses_all_only_the_first_few_are_asked(world: Deploying) -> None:
    others = range(100, 130)
    for number in others:
        row = {"id": number, "path_with_namespace": f"g/p{number}", HASH: "h"}
        world.table.put({"pk": projects_pk("i1"), "sk": f"{number:012d}", **row})
    world.marks.add(others, now=1)
    world.sync(marked=False)
    assert len(world.log) == MOST_REFUSED
    assert [key for key, _, _ in world.asides] == [*(f"{number:012d}" for number in others[:MOST_REFUSED]), "all"]


def test_the_mark_of_a_project_that_is_gone_is_dropped(world: Deploying) -> None:
    row = {"id": 5, "path_with_namespace": "g/gone", "gone_at": 1}
    world.table.put({"pk": projects_pk("i1"), "sk": f"{5:012d}", **row})
    world.marks.add([5], now=1)
    world.sync(marked=False)
    assert (world.log, world.is_marked) == ([], False)


@pytest.mark.parametrize(
    ("on", "number", "marked"), [(True, PROJECT, True), (True, 77, False), (False, PROJECT, False)]
)
def test_a_webhook_has_the_next_run_ask(world: Deploying, *, on: bool, number: int, marked: bool) -> None:
    session = cast("Session", ScriptedSession(cast("World", world), {}, full=False, stop_after=None))
    feature = PipelinesFeature(world.table, deployments=on)
    asyncio.run(feature.refresh(session, {"integration_id": "i1", "project_id": number}))
    assert (world.is_marked, world.log) == (marked, [])
