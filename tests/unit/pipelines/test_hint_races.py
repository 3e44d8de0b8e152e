"""A hint and a run store one pipeline at once, call by call in every order: the next window shows the truth."""

import asyncio
import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from gitlab_hub.sync.ports import Kind
from tests.fakes.call_order import Killed, Turns, run_together
from tests.fakes.hints import HintWorker
from tests.unit.pipelines.pipelines_sync import SECOND, World
from tests.unit.pipelines.source_model import job

MOST_CALLS = {"sync": 15, "hint": 11}
"""More calls than either of them makes."""

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

    def run(self, turns: Turns) -> None:
        """Let both work."""
        sync, hint_worker = self._view(turns, "sync"), self.hint_worker(turns, "hint")
        works = {
            "sync": lambda: asyncio.run(sync.sync()),
            "hint": lambda: hint_worker.handler().handle(BODY, remaining=lambda: 900.0),
        }
        ends = run_together(turns, works)
        assert ends["hint"] is None
        assert ends["sync"] is None or isinstance(ends["sync"], Killed)

    def hint_worker(self, turns: Turns, who: str) -> HintWorker:
        """Where a hint is processed."""
        view = self._view(turns, who)
        return HintWorker(Kind.PIPELINES, view.table, view.gitlab, view.target, now=view.now / SECOND)

    def heal(self) -> None:
        """Let the next run come, as late as it may; it is the last one that lists this pipeline."""
        self.world.later(170)
        asyncio.run(self.world.sync())

    def _view(self, turns: Turns, who: str) -> World:
        """The world as one worker sees it."""
        view, gitlab = copy.copy(self.world), copy.copy(self.world.gitlab)
        gitlab.before = lambda _: turns.call(who, self._pass)
        gitlab.now = lambda: self.world.now
        view.gitlab, view.table = gitlab, turns.table(who, self.world.table)  # type: ignore[assignment]  # a view of it
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


def plans(first: str, second: str) -> Iterator[list[str]]:
    """The first one so far, then the second one so far; the rest is for `then`."""
    for ahead in range(MOST_CALLS[first]):
        for behind in range(1, MOST_CALLS[second]):
            yield [first] * ahead + [second] * behind


def settled(race: Race) -> tuple[Any, Any]:
    return race.world.stored(), race.world.source()


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
@pytest.mark.parametrize("changes_after", [None, 6, 9])
@pytest.mark.parametrize(("first", "second"), [("sync", "hint"), ("hint", "sync")])
def test_whoever_stores_last_the_next_window_shows_the_truth(
    first: str, second: str, changes_after: int | None, *, known: bool
) -> None:
    for plan in plans(first, second):
        race, turns = Race(known=known, changes_after=changes_after), Turns(plan, then=[first, second])
        race.run(turns)
        race.heal()
        stored, source = settled(race)
        assert stored == source, turns.story


@pytest.mark.parametrize("more", [1, 3])
@pytest.mark.parametrize("changes_after", [None, 8])
def test_a_run_that_is_killed_in_the_middle_of_it_leaves_nothing_that_stays(
    more: int, changes_after: int | None
) -> None:
    for plan in plans("sync", "hint"):
        race = Race(known=True, changes_after=changes_after)
        turns = Turns([*plan, *["sync"] * more], then=["hint", "sync"], mortal=["sync"])
        race.run(turns)
        race.heal()
        stored, source = settled(race)
        assert stored == source, turns.story


def test_two_hints_that_race_leave_the_younger_answer() -> None:
    for ahead in range(1, MOST_CALLS["hint"]):
        for behind in range(1, MOST_CALLS["hint"]):
            race, turns = Race(known=True, changes_after=2), Turns(["a"] * ahead + ["b"] * behind, then=["a", "b"])
            works = {
                who: partial(race.hint_worker(turns, who).handler().handle, BODY, remaining=lambda: 900.0)
                for who in ("a", "b")
            }
            assert run_together(turns, works) == {"a": None, "b": None}
            stored, source = settled(race)
            assert stored == source, turns.story
