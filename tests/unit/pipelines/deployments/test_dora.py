"""DORA's figures over a fixture that is small enough to be computed by hand.

Project 7 (acme/shop), environment 4 and 5 (production), 6 (staging); hours count from Monday. `merged`: hours.

| deployment | to | ends | commit | status | brought, merged at |
|---|---|---|---|---|---|
| 1 | 4 | 1 | a | success | the first there: all that was ever merged |
| 2 | 4 | 10 | b | success | 4, 8 |
| 3 | 4 | 12 | c | failed | |
| 4 | 4 | 15 | c | success | 11 |
| 5 | 4 | 16 | c | success | the same once more |
| 6 | 4 | 34 (Tuesday) | d | success | 20, 33 |
| 7 | 4 | 36 (Tuesday) | c | success | a rollback |
| 8 | 5 | 37 (Tuesday) | d | success | the first there |
| 9 | 6 | 38 (Tuesday) | e | success | staging |
| 10 | 4 | 60 (Wednesday) | e | success | not known |

Project 8 (acme/tools/cli), environment 4: deployments 1 at 30 and 2 at 42 (Tuesday), of which 2 brought what was
merged at 40.
"""

import random
from http import HTTPStatus
from typing import Any

import pytest

from gitlab_hub.pipelines.deployments import counting
from gitlab_hub.pipelines.deployments.changes import LOOK_BACK, Change
from gitlab_hub.pipelines.deployments.completeness import Known
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import CountedDay, DeploymentStore
from gitlab_hub.pipelines.figures.sketch import exact_quantile
from gitlab_hub.pipelines.keys import deployments_due_pk
from gitlab_hub.pipelines.project_marks import ProjectMarks
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.storage.ports import Item
from tests.unit.pipelines.figures.figure_world import DAY, MONDAY, FigureWorld

HOUR = 3_600
TIERS = {4: "production", 5: "production", 6: "staging"}
RANGE = {"from": "2026-03-02", "to": "2026-03-05"}


def row(number: int, where: int, at: int, sha: str, status: str = "success", merged: list[int] | None = None) -> Item:
    moments = {} if merged is None else {"merged": [MONDAY + one * HOUR for one in merged]}
    about = {"id": number, "environment_id": where, "sha": sha, "status": status}
    return {**about, "finished_at": MONDAY + at * HOUR, **moments}


SHOP = [
    row(1, 4, 1, "a"), row(2, 4, 10, "b", merged=[4, 8]), row(3, 4, 12, "c", "failed"), row(4, 4, 15, "c", merged=[11]),
    row(5, 4, 16, "c"), row(6, 4, 34, "d", merged=[20, 33]), row(7, 4, 36, "c"), row(8, 5, 37, "d"), row(9, 6, 38, "e"),
    row(10, 4, 60, "e"),
]  # fmt: skip
CLI = [row(1, 4, 30, "x"), row(2, 4, 42, "y", merged=[40])]


def keep(world: FigureWorld, project_id: int, rows: list[Item], first: dict[int, int]) -> None:
    """Store what the rows come to, as a sync does that has read them all."""
    environments = {one: {"id": one, "tier": tier, "first_id": first.get(one)} for one, tier in TIERS.items()}
    count = counting.counted(counting.ended(rows, environments), environments, MONDAY)
    DeploymentStore(world.table, "i1").put_days(project_id, count.days, [])
    state = DeploymentState(watermark=(MONDAY + 10 * DAY) * 1000, read_at=MONDAY + 10 * DAY, days=[*count.days])
    DeploymentStates(world.table, "i1").save(project_id, state)


@pytest.fixture
def world() -> FigureWorld:
    world = FigureWorld()
    world.project(7, "acme/shop")
    world.project(8, "acme/tools/cli")
    world.group(2, "acme/tools")
    keep(world, 7, SHOP, {4: 1, 5: 8})
    keep(world, 8, CLI, {4: 1})
    return world


def figures(shown: dict[str, Any]) -> tuple[Any, ...]:
    names = ("deployments", "lead_time_median", "change_failure_rate", "time_to_restore_median")
    return tuple(shown[name] for name in names)


def test_the_hub_counts_what_brought_something_new(world: FigureWorld) -> None:
    shown = world.get("dora", **RANGE)
    # Of project 7: 1, 2, 4, 6, 8 and 10; of project 8: 1 and 2. In four days.
    assert (shown["deployments"], shown["deployment_frequency_per_day"]) == (8, 2.0)
    # 6, 2; 4; 14, 1; 2 hours: sorted 1, 2, 2, 4, 6, 14, so the median lies between 2 and 4.
    assert shown["lead_time_median"] == 3 * HOUR
    # 2 (the failed 3 came behind it) and 6 (rolled back by 7) of 8.
    assert shown["change_failure_rate"] == 0.25
    # 3 failed at 12, 4 was there at 15; 6 came at 34 and was taken back at 36: 2 and 3 hours.
    assert shown["time_to_restore_median"] == 2.5 * HOUR
    assert (shown["reason"], shown["rows"], shown["definition"]["name"]) == (None, [], "hub")


def test_gitlab_counts_all_that_succeeded_and_tells_incidents_that_nobody_reads(world: FigureWorld) -> None:
    shown = world.get("dora", definition="gitlab", **RANGE)
    # Of project 7 all but 3 (failed) and 9 (staging), of project 8 both.
    assert (shown["deployments"], shown["deployment_frequency_per_day"]) == (10, 2.5)
    assert (shown["lead_time_median"], shown["change_failure_rate"]) == (3 * HOUR, None)
    assert shown["reason"]["code"] == "incidents_not_synced"
    assert world.ask("dora", definition="dx", **RANGE)[0] == HTTPStatus.UNPROCESSABLE_ENTITY


def test_rows_are_of_projects_or_of_times(world: FigureWorld) -> None:
    shop, cli = world.get("dora", group_by="project", **RANGE)["rows"]
    assert (shop["key"], shop["full_path"], *figures(shop)) == ("7", "acme/shop", 6, 4 * HOUR, 0.333333, 2.5 * HOUR)
    assert (cli["key"], *figures(cli)) == ("8", 2, 2 * HOUR, 0.0, None)
    days = world.get("dora", group_by="day", **RANGE)["rows"]
    assert [(one["key"][-2:], *figures(one)) for one in days] == [
        ("02", 3, 4 * HOUR, 0.333333, 3 * HOUR),
        ("03", 4, 2 * HOUR, 0.25, 2 * HOUR),
        ("04", 1, None, 0.0, None),
        ("05", 0, None, None, None),
    ]
    (week,) = world.get("dora", group_by="week", **RANGE)["rows"]
    assert (week["key"], week["deployment_frequency_per_day"]) == ("2026-03-02", 2.0)
    assert figures(world.get("dora", group_id=2, **RANGE)) == (2, 2 * HOUR, 0.0, None)
    assert figures(world.get("dora", project_id=7, **RANGE)) == figures(shop)
    tuesday = world.get("dora", **{"from": "2026-03-03", "to": "2026-03-03"})
    assert (tuesday["deployment_frequency_per_day"], *figures(tuesday)) == (4.0, *figures(days[1]))


def test_it_says_what_it_does_not_know(world: FigureWorld) -> None:
    whole = world.get("dora", project_id=8, **RANGE)["completeness"]
    assert (whole["complete"], whole["projects"], whole["unread"], whole["until"]) == (True, 1, 0, MONDAY + 10 * DAY)
    # Of deployment 10 nobody has asked yet what it brought.
    part = world.get("dora", project_id=7, **RANGE)["completeness"]
    assert (part["complete"], part["without_lead_time"]) == (False, 1)
    assert world.get("dora", project_id=7, **{"from": "2026-03-02", "to": "2026-03-03"})["completeness"]["complete"]


def test_a_project_that_is_to_be_asked_makes_them_pending(world: FigureWorld) -> None:
    ProjectMarks(world.table, deployments_due_pk("i1")).add([8], now=1)
    assert world.get("dora", project_id=8, **RANGE)["completeness"]["pending"]
    assert world.get("dora", **RANGE)["completeness"]["pending"]
    assert not world.get("dora", project_id=7, **RANGE)["completeness"]["pending"]


def test_a_release_to_hundreds_of_environments_fits_into_a_day(world: FigureWorld) -> None:
    """Each has brought the same merge requests: a table takes no item of more than 400 KB."""
    draw = random.Random(5)  # noqa: S311 - the same ones each time
    times = [sorted(draw.randrange(60, 60 * DAY) for _ in range(500 if at % 10 else 3)) for at in range(600)]
    some = [Change(id=at, environment_id=at, at=MONDAY, lead_times=one) for at, one in enumerate(times, 1)]
    none = Change(id=999, environment_id=999, at=MONDAY, lead_times=[])
    store = DeploymentStore(world.table, "i1")
    store.put_days(7, {"2026-03-02": CountedDay([*some, none], 601)}, [])
    ((_, _, counted),) = store.days_of(7, ["2026-03-02"])
    assert (len(counted.changes), counted.changes[-1], counted.successes) == (601, none, 601)
    item = world.table.get("i1#changes", "2026-03-02#000000000007")
    assert item is not None
    assert len(item["changes"]) < 200_000
    shown = world.get("dora", project_id=7, **{"from": "2026-03-02", "to": "2026-03-02"})["lead_time_median"]
    assert shown == pytest.approx(exact_quantile(sorted(at for one in times for at in one), 0.5), rel=0.01)


def test_a_project_that_was_refused_is_unread(world: FigureWorld) -> None:
    states = DeploymentStates(world.table, "i1")
    for code, unread in (("invalid_permissions", 1), ("ci_disabled", 0)):
        states.save(8, DeploymentState(read_at=MONDAY, error=code))
        assert world.get("dora", **RANGE)["completeness"]["unread"] == unread


def test_a_project_without_pipelines_has_nothing_to_read(world: FigureWorld) -> None:
    world.project(9, "acme/empty")
    assert world.get("dora", **RANGE)["completeness"]["unread"] == 1  # Its pipelines were read, and there are some.
    ReadStates(world.table, "i1").save(9, ReadState(owed=1))
    assert world.get("dora", **RANGE)["completeness"]["unread"] == 1, "they are being read for the first time"
    ReadStates(world.table, "i1").save(9, ReadState(reconciled_at=MONDAY))
    assert world.get("dora", **RANGE)["completeness"]["unread"] == 0


def test_a_project_that_cannot_deploy_keeps_nothing_pending(world: FigureWorld) -> None:
    """Its mark stays, so that it is asked again once a day."""
    state = DeploymentState(read_at=MONDAY, error="ci_disabled", recount_from=MONDAY)
    DeploymentStates(world.table, "i1").save(8, state)
    ProjectMarks(world.table, deployments_due_pk("i1")).add([8], now=1)
    whole = world.get("dora", **{**RANGE, "to": "2026-03-03"})["completeness"]
    assert (whole["pending"], whole["complete"]) == (False, True)


def test_where_nothing_was_ever_read_nothing_is_told() -> None:
    world = FigureWorld()
    world.project(7)
    shown = world.get("dora", **RANGE)
    assert (figures(shown), shown["reason"]["code"]) == ((None,) * 4, "deployments_not_synced")
    assert (shown["completeness"]["complete"], shown["completeness"]["unread"]) == (False, 1)


def test_classes_of_refs_are_refused(world: FigureWorld) -> None:
    assert world.ask("dora", ref_class="tag", **RANGE)[0] == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("seed", range(25))
def test_what_comes_late_or_bit_by_bit_counts_as_if_it_had_been_there(seed: int) -> None:
    """A second computation: histories of half a year in random portions, against all of them at once."""
    chance = random.Random(seed)  # noqa: S311 - a test
    environments: dict[int, Item] = {one: {"id": one, "tier": tier} for one, tier in TIERS.items()}
    waiting = [
        row(number, chance.choice([4, 4, 5, 6]), chance.randrange(180 * 24), chance.choice("abcdef"),
            chance.choice(["success", "success", "failed"]), [chance.randrange(24)])
        for number in range(60)
    ]  # fmt: skip
    chance.shuffle(waiting)
    whole = counting.counted(counting.ended(waiting, environments), environments, MONDAY - LOOK_BACK)
    days, known = dict[str, CountedDay](), list[Item]()
    while waiting:
        some = [waiting.pop() for _ in range(min(len(waiting), chance.randrange(1, 9)))]
        known += some
        since = min(one["finished_at"] for one in some)
        near = [one for one in known if one["finished_at"] >= counting.reach(since)]
        count = counting.counted(counting.ended(near, environments), environments, since)
        days = {day: one for day, one in days.items() if day < count.since} | dict(count.days)
    assert days == dict(whole.days)


@pytest.mark.parametrize(("error", "is_read"), [("ci_disabled", True), ("invalid_permissions", False), (None, False)])
def test_a_project_without_ci_has_no_deployments_for_anybody(error: str | None, *, is_read: bool) -> None:
    assert Known({1: {"error": error}}, {}, set()).is_read(1) is is_read
