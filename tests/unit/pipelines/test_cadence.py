"""How often a project is asked where nothing happens in it."""

from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import CiDisabled, MissingPermissions
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.cadence import ACTIVE_SECONDS, LONGEST_REST_SECONDS, OFF_REST_SECONDS, next_look
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.pipelines.read_states import CHECK_SECONDS, ReadState, ReadStates
from gitlab_hub.pipelines.window import Stream
from gitlab_hub.sync.ports import Session
from tests.unit.pipelines.hinted_world import HintedWorld
from tests.unit.pipelines.pipelines_sync import SECOND, ScriptedSession, World

NOW, DAY = 1_790_000_000, 86_400


@pytest.mark.parametrize(
    ("idle", "rest"),
    [
        (0, None),
        (ACTIVE_SECONDS - 1, None),
        (ACTIVE_SECONDS, 450),
        (DAY // 2, 10_800),
        (3 * DAY, LONGEST_REST_SECONDS),
        (900 * DAY, LONGEST_REST_SECONDS),
        (-DAY, None),
    ],
)
def test_the_longer_nothing_happens_the_rarer_it_is_asked(idle: int, rest: int | None) -> None:
    assert next_look(looked_at=NOW, active_at=NOW - idle) == (None if rest is None else NOW + rest)


@pytest.mark.parametrize(("looked_at", "active_at"), [(None, NOW), (NOW, None), (None, None)])
def test_one_of_which_nothing_is_known_is_asked(looked_at: int | None, active_at: int | None) -> None:
    assert next_look(looked_at=looked_at, active_at=active_at) is None


def test_a_look_is_noted_where_nothing_has_happened_lately() -> None:
    state = ReadState().with_look((NOW - 3 * DAY) * 1000, NOW)
    assert (state.active_at, state.looked_at) == (NOW - 3 * DAY, NOW)
    assert (state.rests(NOW), state.rests(NOW + LONGEST_REST_SECONDS)) == (True, False)
    assert not state.rests(NOW - 1), "clocks are set back"
    assert not replace(state, error="invalid_permissions").rests(NOW), "one that could not be read"
    quiet = state.with_look(None, NOW + LONGEST_REST_SECONDS)
    assert (quiet.active_at, quiet.looked_at) == (NOW - 3 * DAY, NOW + LONGEST_REST_SECONDS)
    busy = quiet.with_look((NOW + DAY) * 1000, NOW + DAY)
    assert (busy.active_at, busy.looked_at, busy.rests(NOW + DAY)) == (NOW + DAY, None, False)


def test_a_project_without_pipelines_counts_from_the_first_look() -> None:
    state = ReadState().with_look(None, NOW)
    assert (state.active_at, state.rests(NOW)) == (NOW, False)
    assert state.with_look(None, NOW + DAY).rests(NOW + DAY)


def test_where_projects_cost_nothing_none_rests() -> None:
    """GraphQL tells of all again, or there are few of them now: no time is told at which nobody will look."""
    state = ReadState().with_look((NOW - 3 * DAY) * 1000, NOW)
    after = state.with_look((NOW - 2 * DAY) * 1000, NOW + DAY, may_rest=False)
    assert (after.active_at, after.looked_at, after.next_look) == (NOW - 2 * DAY, None, None)
    assert ReadState().with_look(None, NOW, may_rest=False) == ReadState(), "nothing is written for nothing"


def at_rest(world: World, projects: int) -> ReadStates:
    """So many projects that were read and rest."""
    states, now = ReadStates(world.table, "i1"), world.now // SECOND
    for number in range(1, projects + 1):
        world.table.put({"pk": projects_pk("i1"), "sk": padded(number), "id": number, "path_with_namespace": "g/p"})
        states.save(number, ReadState(reconciled_at=now).with_look((now - 9 * DAY) * 1000, now))
    return states


@pytest.mark.parametrize(("many", "resting"), [(30, 5), (31, 0)])
async def test_whoever_carries_on_judges_by_all_projects_of_the_run(many: int, resting: int) -> None:
    world = World()
    at_rest(world, 30)
    for number in range(1, 31):
        world.project(number)
    session = ScriptedSession(world, {}, full=False, stop_after=None)
    feature = PipelinesFeature(world.table, graphql_from=20, lists_from=many)
    stage = feature.stages(cast("Session", session))[1]
    async for scope in stage.scopes(padded(25)):
        await stage.read(scope)
    assert (session.counts["projects_resting"], world.gitlab.requests == 0) == (resting, resting > 0)


def test_a_hint_wakes_a_project_that_rests() -> None:
    world = HintedWorld()
    world.add(1, status="success")
    states, now = at_rest(world, 2), world.now // SECOND
    before = states.load(1)
    world.hint(1)
    assert (states.load(1), states.load(2).rests(now)) == (replace(before, looked_at=None), True)
    world.hint(9, project=2)
    assert states.load(2).rests(now), "nothing of it was read"


def test_a_project_that_a_run_has_read_meanwhile_is_not_set_back() -> None:
    world = World()
    states = at_rest(world, 1)
    resting = states.at_rest(1, world.now // SECOND)
    assert resting is not None
    states.save(1, read := replace(states.load(1), default_watermark=5))
    states.wake(resting)
    assert states.load(1) == read


def active(world: World) -> None:
    """Two projects in which something has just happened, one of them without CI/CD."""
    world.add(1, status="success")
    world.project(2)
    world.gitlab.faults["/projects/1/jobs"] = MissingPermissions("No lists of jobs.", http_status=403)
    world.gitlab.faults["/projects/2/pipelines"] = CiDisabled("off", http_status=403)


async def synced(world: World) -> ScriptedSession:
    """Sync as if these were many projects; GraphQL tells nothing here."""
    session = ScriptedSession(world, {}, full=False, stop_after=None)
    for stage in PipelinesFeature(world.table, graphql_from=1, lists_from=1).stages(cast("Session", session)):
        async for scope in stage.scopes(None):
            try:
                await stage.read(scope)
            except CiDisabled as error:
                world.asides.append((scope.key, "disabled", str(error)))
    return session


def lists(world: World) -> list[str]:
    """Which lists of pipelines were asked for, and in what order."""
    asked = [
        f"{path.split('/')[2]} by {params['order_by']}" for path, params in world.gitlab.log
        if path.endswith("/pipelines")
    ]  # fmt: skip
    world.gitlab.log.clear()
    return asked


async def test_an_active_project_costs_one_request_and_one_without_ci_none() -> None:
    world = World()
    active(world)
    await synced(world)
    lists(world)
    for _ in range(2):
        world.later(300)
        session = await synced(world)
        assert (lists(world), session.counts["projects_resting"]) == (["1 by updated_at"], 1)
    world.later(CHECK_SECONDS)
    world.add(2, status="success")
    await synced(world)
    assert lists(world) == ["1 by updated_at", "1 by id", "2 by updated_at"]


async def test_one_without_ci_is_told_as_such_while_it_rests_and_found_when_it_is_switched_on() -> None:
    world = World()
    active(world)
    await synced(world)
    world.asides.clear()
    await synced(world)
    assert world.asides == [(padded(2), "disabled", "CI/CD is switched off in this project.")]
    del world.gitlab.faults["/projects/2/pipelines"]
    world.add(7, project=2, status="success")
    world.later(OFF_REST_SECONDS)
    await synced(world)
    assert world.stored(2) == world.source(2)


@pytest.mark.parametrize("how", [{"undated": True}, {"updated": World().now - 9 * DAY * SECOND}])
async def test_what_a_seek_does_not_show_is_found_within_an_hour(how: dict[str, Any]) -> None:
    """Whatever has come above it since, by seeks or by hints."""
    world = World()
    active(world)
    await synced(world)
    world.later(300)
    world.add(2, status="success", **how)
    world.add(3, status="success")
    await synced(world)
    assert set(world.stored()) == {1, 3}
    world.later(CHECK_SECONDS)
    world.add(4, status="success")
    await synced(world)
    assert world.stored() == world.source()
    state = ReadStates(world.table, "i1").load(1)
    assert (state.default_newest, state.default_checked) == (4, 4)


def test_where_each_run_checks_nothing_is_noted_of_it() -> None:
    state = ReadState(default_newest=7).with_checked(Stream.DEFAULT, NOW)
    assert (state.checked(Stream.DEFAULT), state.wants_check(Stream.DEFAULT, NOW + 1)) == (7, False)
    later = replace(state, default_newest=9)
    assert (later.checked(Stream.DEFAULT), later.with_checked(Stream.DEFAULT, None).checked(Stream.DEFAULT)) == (7, 9)
    assert ReadState().with_checked(Stream.CHILD, NOW).checked(Stream.CHILD) == 0
