"""Which projects are asked for their deployments, and what becomes of those that GitLab does not show."""

import asyncio
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.deployments.stage import MOST_NEW, in_turn
from gitlab_hub.pipelines.deployments.state import DAY, HOUR, DeploymentState, DeploymentStates
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.sync.asides import MOST_REFUSED
from gitlab_hub.sync.ports import Session
from gitlab_hub.sync.table_rows import HASH
from tests.unit.pipelines.deployments.deploying_world import PROJECT, Deploying, shipped
from tests.unit.pipelines.pipelines_sync import ScriptedSession, World


@pytest.fixture
def world() -> Deploying:
    return Deploying()


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


def test_projects_that_always_fail_do_not_keep_others_waiting() -> None:
    never, failed = DeploymentState(), DeploymentState(error="gitlab_unavailable", failed_at=5)
    lately = DeploymentState(error="gitlab_unavailable", failed_at=9, read_at=1)
    low = dict.fromkeys(range(1, MOST_NEW + 1), lately)
    assert in_turn({**low, 900: never}) == {*low, 900}
    assert in_turn({**low, 901: failed}) == {901, *range(1, MOST_NEW)}, "who waits longest comes first"
    assert len(in_turn(dict.fromkeys(range(2 * MOST_NEW), never))) == MOST_NEW
    assert in_turn(dict.fromkeys(range(2 * MOST_NEW), DeploymentState(read_at=1))) == {*range(2 * MOST_NEW)}


@pytest.mark.parametrize("full", [False, True])
def test_those_that_failed_the_last_time_do_not_stop_the_others(world: Deploying, *, full: bool) -> None:
    """Where the first few are refused, the token may see none; that single lists fail says nothing of others."""
    failing = range(200, 200 + MOST_REFUSED + 2)
    good = world.do("add_project", path="good")["id"] + 500
    world.app.company.projects[good] = world.app.company.projects[PROJECT]
    for number in (*failing, good):
        row = {"id": number, "path_with_namespace": f"g/p{number}", HASH: "h"}
        world.table.put({"pk": projects_pk("i1"), "sk": padded(number), **row})
    world.table.delete(projects_pk("i1"), padded(PROJECT))
    world.broken = {f"/api/v4/projects/{number}/deployments": 400 for number in failing}
    world.marks.add([*failing, good], now=1)
    world.sync(marked=False, full=full)
    states = DeploymentStates(world.table, "i1")
    assert (len(world.asides), states.load(good)) == (MOST_REFUSED + 1, DeploymentState())
    world.asides.clear()
    world.later(HOUR)
    world.sync(marked=False, full=full)
    assert [(key, status) for key, status, _ in world.asides] == [(padded(number), "failed") for number in failing]
    assert states.load(good).is_read


def test_one_that_failed_once_is_asked_again_in_the_next_run(world: Deploying) -> None:
    world.sync()
    world.later(DAY)
    world.broken = {"/deployments": 400}
    world.sync()
    assert (world.state.is_read, world.is_marked) == (False, True)
    world.broken.clear()
    world.later(600)
    world.sync(marked=False)
    assert (world.state.is_read, world.state.failed_at) == (True, None)


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
