"""Random histories of a GitLab that never stands still while it is read."""

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from gitlab_hub.gitlab.errors import Unavailable
from gitlab_hub.pipelines.read_states import PROBE_SECONDS
from tests.unit.pipelines.pipelines_sync import SECOND, Stopped, World
from tests.unit.pipelines.source_model import ModelPipeline, job

RUNS = 6

ENDS = ("success", "failed", "canceled")


class History:
    """Changes a project at random, on every request and between syncs."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance, self.last_id = world, random.Random(seed), 0  # noqa: S311 - a repeatable history

    def step(self) -> None:
        """Let one thing happen."""
        # Now and then nothing at all passes, so that many rows share a microsecond.
        self.world.now += self.chance.choice([0, 0, 0, 1, 300, 40_000, SECOND])
        pipelines = list(self.world.project().values())
        kind = self.chance.choice(["new", "new", "move", "move", "move", "retry", "delete"])
        if kind == "new" or not pipelines:
            self._new()
            return
        pipeline = self.chance.choice(pipelines)
        if kind == "delete" and self.chance.random() < 0.2:
            del self.world.project()[pipeline.id]
        elif kind == "retry" and pipeline.status in ENDS:
            self._change(pipeline, "running")
        elif kind == "move" and pipeline.status not in ENDS:
            self._change(pipeline, self.chance.choice(ENDS))

    def _new(self) -> None:
        self.last_id += 1
        source = "parent_pipeline" if self.chance.random() < 0.3 else "push"
        pipeline = self.world.add(self.last_id, source=source)
        # A transaction that commits late: the row is dated before it can be seen.
        pipeline.visible_from = self.world.now + self.chance.choice([0, 0, 0, 20 * SECOND])
        pipeline.jobs[self.last_id * 100] = job(self.last_id * 100, status="running")

    def _change(self, pipeline: ModelPipeline, status: str) -> None:
        number = max(pipeline.jobs)
        if status == "running":
            pipeline.jobs[number + 1] = job(number + 1, status="running")
        else:
            pipeline.jobs[number] = job(number, status=status)
            pipeline.finished = self.world.now
            # A job's row may land after its pipeline's, without moving it.
            pipeline.jobs[number + 1] = job(number + 1, "late")
            pipeline.landing[number + 1] = self.world.now + self.chance.choice([0, 50 * SECOND])
        pipeline.status, pipeline.updated = status, self.world.now


def maybe_fails(history: History) -> None:
    """Let a request find another GitLab than the one before it, or none."""
    for _ in range(history.chance.choice([0, 1, 2])):
        history.step()
    if history.chance.random() < 0.03:
        raise Unavailable("busy", http_status=502)


def at_rest(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out the jobs of a pipeline that still runs: they count when it has finished."""
    return row if row[0] in ENDS else row[:2]


async def live_through(history: History, sync: Callable[[], Awaitable[object]]) -> None:
    """Let somebody sync again and again while things happen, and once more a day after the last of them."""
    world = history.world
    for _ in range(30):
        history.step()
    world.gitlab.before = lambda _: maybe_fails(history)
    for _ in range(RUNS):
        with suppress(Unavailable, Stopped):
            await sync()
        world.later(history.chance.choice([1, 30, 200]))
    world.gitlab.before = _nothing
    # Children that no trigger job gave away are found by the daily question.
    world.later(PROBE_SECONDS)
    await sync()


def world_of(seed: int) -> World:
    """A GitLab with small pages, whose clock may be another than ours."""
    world = World(seed=seed, page=3)
    world.gitlab.skew = random.Random(seed).choice([-60, 0, 0, 45])  # noqa: S311 - a repeatable history
    return world


class HubCursor:
    """The hub's own sync, which may be stopped between any two steps or told to read everything."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def sync(self) -> None:
        """Run once."""
        chance, world = self._history.chance, self._history.world
        is_last = world.gitlab.before is _nothing
        stop_after = None if is_last else chance.choice([None, 2, 5])
        await world.sync(stop_after=stop_after, full=not is_last and chance.random() < 0.1)


def _nothing(_: str) -> None:
    """Let a request find the GitLab that the one before it found."""
