"""A hint and a run store one pipeline at once, call by call in every order: the next window shows the truth."""

import asyncio
import copy
from collections.abc import Iterator
from functools import partial
from itertools import chain, product, repeat
from types import SimpleNamespace
from typing import Any

import pytest

from gitlab_hub.sync.ports import Kind
from tests.fakes.faults import Plan, faulty
from tests.fakes.hints import HintWorker
from tests.fakes.interleaving import Interleaving
from tests.unit.pipelines.pipelines_sync import SECOND, World
from tests.unit.pipelines.source_model import job

SYNC, HINT = 0, 1
MOST_TURNS = {SYNC: 18, HINT: 12}
"""More turns than either of them takes: one to begin with, and one for each call."""

BODY = {"schema": 1, "hint": {"integration_id": "i1", "project_id": 1, "pipeline_id": 1}}


class Race:
    """A pipeline that is stored as it was, that has changed since, and of which two workers hear at once."""

    def __init__(self, *, known: bool, changes_after: int | None) -> None:
        self.world = World()
        self.pipeline = self.world.add(1, status="running", jobs={1: job(1, status="running")})
        if not known:
            self.world.project().clear()
        asyncio.run(self.world.sync())
        self.world.project()[1] = self.pipeline
        self.world.later(60)
        self._move("running", 2)
        self._changes_after, self._calls = changes_after, 0

    def run(self, turns: Interleaving, *, killed_at: int = 0) -> None:
        """Let both work, the run until it is killed at this one of its calls."""
        sync, hint_worker = self._view(turns, Plan(at=killed_at, repeat=True)), self.hint_worker(turns)
        ended, handled = turns.run(
            lambda: asyncio.run(sync.sync()),
            lambda: hint_worker.handler().handle(BODY, remaining=lambda: 900.0),
        )
        assert handled is None
        assert not isinstance(ended, Exception)

    def hint_worker(self, turns: Interleaving) -> HintWorker:
        """Where a hint is processed."""
        view = self._view(turns, Plan())
        return HintWorker(Kind.PIPELINES, view.table, view.gitlab, view.target, now=view.now / SECOND)

    def heal(self) -> None:
        """Let the next run come, as late as it may; it is the last one that lists this pipeline."""
        self.world.later(170)
        asyncio.run(self.world.sync())

    def _view(self, turns: Interleaving, plan: Plan) -> World:
        """The world as one worker sees it."""
        view, gitlab = copy.copy(self.world), copy.copy(self.world.gitlab)

        def request() -> None:
            turns.step()
            self._pass()

        requests = faulty(SimpleNamespace(request=request), plan)
        gitlab.before = lambda _: requests.request()
        gitlab.now = lambda: self.world.now
        view.gitlab, view.table = gitlab, faulty(turns.wrapped(self.world.table), plan)
        return view

    def _pass(self) -> None:
        """Let the pipeline finish after so many requests of both."""
        self._calls += 1
        if self._calls == self._changes_after:
            self._move("success", 3)

    def _move(self, status: str, number: int) -> None:
        self.world.later(1)
        self.pipeline.jobs[number] = job(number, f"job {number}", status=status)
        self.pipeline.status, self.pipeline.updated = status, self.world.now
        self.pipeline.finished = self.world.now if status == "success" else None


def schedules(first: int, second: int) -> Iterator[tuple[int, int]]:
    """How many turns the first one has to begin with, and how many the second one then."""
    yield from product(range(1, MOST_TURNS[first]), range(1, MOST_TURNS[second]))


def settled(race: Race) -> tuple[Any, Any]:
    return race.world.stored(), race.world.source()


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
@pytest.mark.parametrize("changes_after", [None, 6, 9])
@pytest.mark.parametrize(("first", "second"), [(SYNC, HINT), (HINT, SYNC)], ids=["sync-hint", "hint-sync"])
def test_whoever_stores_last_the_next_window_shows_the_truth(
    first: int, second: int, changes_after: int | None, *, known: bool
) -> None:
    for ahead, behind in schedules(first, second):
        race = Race(known=known, changes_after=changes_after)
        turns = Interleaving(chain(repeat(first, ahead), repeat(second, behind), repeat(first)))
        race.run(turns)
        race.heal()
        stored, source = settled(race)
        assert stored == source, turns


@pytest.mark.parametrize("more", [1, 3])
@pytest.mark.parametrize("changes_after", [None, 8])
def test_a_run_that_is_killed_in_the_middle_of_it_leaves_nothing_that_stays(
    more: int, changes_after: int | None
) -> None:
    for ahead, behind in schedules(SYNC, HINT):
        race = Race(known=True, changes_after=changes_after)
        turns = Interleaving(chain(repeat(SYNC, ahead), repeat(HINT, behind), repeat(SYNC, more), repeat(HINT)))
        race.run(turns, killed_at=ahead + more)
        race.heal()
        stored, source = settled(race)
        assert stored == source, turns


def test_two_hints_that_race_leave_the_younger_answer() -> None:
    for ahead, behind in schedules(HINT, HINT):
        race = Race(known=True, changes_after=2)
        turns = Interleaving(chain(repeat(0, ahead), repeat(1, behind), repeat(0)))
        handlers = [race.hint_worker(turns).handler() for _ in range(2)]
        handle = [partial(handler.handle, BODY, remaining=lambda: 900.0) for handler in handlers]
        assert turns.run(*handle) == [None, None]
        stored, source = settled(race)
        assert stored == source, turns
