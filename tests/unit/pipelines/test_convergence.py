"""After quiescence, stored == source: random histories of a GitLab that never stands still while it is read."""

import random
from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Unavailable
from gitlab_hub.pipelines.read_states import PROBE_SECONDS
from tests.unit.pipelines.pipelines_sync import SECOND, Stopped, World
from tests.unit.pipelines.source_model import ModelPipeline, job

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


@pytest.mark.parametrize("seed", range(60))
async def test_after_quiescence_stored_equals_source(seed: int) -> None:
    world = World(seed=seed, page=3)
    world.gitlab.skew = random.Random(seed).choice([-60, 0, 0, 45])  # noqa: S311
    history = History(world, seed)
    for _ in range(30):
        history.step()
    world.gitlab.before = lambda _: maybe_fails(history)
    for _ in range(6):
        with suppress(Unavailable, Stopped):
            await world.sync(stop_after=history.chance.choice([None, 2, 5]), full=history.chance.random() < 0.1)
        world.later(history.chance.choice([1, 30, 200]))
    world.gitlab.before = lambda _: None
    # Children that no trigger job gave away are found by the daily question.
    world.later(PROBE_SECONDS)
    await world.sync()
    left = {number: at_rest(row) for number, row in world.source().items()}
    assert {number: at_rest(row) for number, row in world.stored().items() if number in left} == left
