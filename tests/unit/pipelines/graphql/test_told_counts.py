"""Counts that GraphQL has told are minutes old when they are used: they match what is stored, or REST is asked."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gitlab_hub.pipelines.graphql.queries import Newest
from gitlab_hub.pipelines.graphql.told import Told
from gitlab_hub.pipelines.owed import OwedRows
from gitlab_hub.pipelines.owed_pipelines import Allowance, OwedPipelines
from gitlab_hub.pipelines.read_states import RECONCILE_SECONDS, ReadStates
from gitlab_hub.pipelines.reading import ProjectReading
from gitlab_hub.pipelines.source import ProjectSource
from gitlab_hub.pipelines.store import PipelineStore
from gitlab_hub.pipelines.window import OVERLAP_MS, Stream
from gitlab_hub.sync.ports import Scope, Session
from tests.unit.pipelines.pipelines_sync import LIST, ScriptedSession, World, fill, lists, state
from tests.unit.pipelines.source_model import job


@pytest.fixture
async def world() -> World:
    made = World(page=4)
    made.project()
    fill(made, 14)
    await made.sync()
    made.later(RECONCILE_SECONDS)
    made.gitlab.log.clear()
    return made


async def reads(world: World, counts: Mapping[Stream, tuple[int, bool]]) -> None:
    """Read the project with an answer of GraphQL that nothing has changed."""
    session: Any = ScriptedSession(world, {}, full=False, stop_after=None)
    scope, rows = Scope("000000000001", {"id": 1}), {one: list[Any]() for one in Stream}
    since = dict.fromkeys(Stream, world.now // 1000 - 2 * RECONCILE_SECONDS * 1000 - OVERLAP_MS)
    told = Told(
        project_id=1, asked_at=world.now // 1000, answered_at=datetime.fromtimestamp(world.now / 1e6, UTC),
        since=since, rows=rows, newest={Stream.DEFAULT: Newest((14, 13), whole=False)},
        known_newest={Stream.DEFAULT: 14}, counts=counts,
    )  # fmt: skip
    source = ProjectSource(session.gitlab, session.gather, 1, told)
    store, states = PipelineStore(world.table, "i1"), ReadStates(world.table, "i1")
    owed = OwedPipelines(cast("Session", session), OwedRows(world.table, "i1"), states, None, 1, Allowance())
    reading = ProjectReading(session, scope, source, store, states, owed, asyncio.Semaphore(4))
    await reading.run()


async def test_a_count_that_matches_costs_no_request(world: World) -> None:
    await reads(world, {Stream.DEFAULT: (14, True)})
    assert [params for params in lists(world) if "source" not in params] == []
    assert state(world).reconciled_at == world.now // 1_000_000


async def test_what_a_hint_has_stored_meanwhile_is_not_looked_for(world: World) -> None:
    world.add(15, status="success", jobs={15: job(15)})
    await world.sync()  # It is stored by whatever way.
    world.later(RECONCILE_SECONDS)
    world.gitlab.log.clear()
    await reads(world, {Stream.DEFAULT: (14, True)})
    asked = [(params["order_by"], params["sort"]) for params in lists(world) if "source" not in params]
    assert asked == [("updated_at", "desc")], "REST counts as many as are stored"


async def test_what_is_gone_is_found_all_the_same(world: World) -> None:
    del world.project()[6]
    await reads(world, {Stream.DEFAULT: (13, True)})
    row = world.row(6)
    assert row is not None
    assert row["deleted_at_source"] is not None
    assert world.gitlab.asked(f"{LIST}/6") == 1
