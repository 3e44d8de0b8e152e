"""What a tick starts, pushes or leaves alone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitlab_hub.gitlab.client import Tokens
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.dispatch import LOST_AFTER_SECONDS, Dispatcher, Step, decide
from gitlab_hub.sync.ports import Kind, Target
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable

NOW = 1_000_000
EVERY = 300
NEVER_RUN = Run(integration_id="i1", kind=Kind.ACCESS)
QUEUED = runs.request(NEVER_RUN, sync_id="s1", now=NOW)
CLAIMED = runs.claim(QUEUED, sync_id="s1", worker="w1", now=NOW) or QUEUED
PARKED = runs.park(CLAIMED, until=NOW + 600, now=NOW)


@pytest.mark.parametrize(
    ("run", "now", "step"),
    [
        (NEVER_RUN, NOW, Step.START),
        (runs.finish(CLAIMED, now=NOW), NOW + EVERY - 1, Step.NOTHING),
        (runs.finish(CLAIMED, now=NOW), NOW + EVERY, Step.START),
        (QUEUED, NOW + LOST_AFTER_SECONDS - 1, Step.NOTHING),
        (QUEUED, NOW + LOST_AFTER_SECONDS, Step.NUDGE),
        (CLAIMED, CLAIMED.lease_until - 1, Step.NOTHING),
        (CLAIMED, CLAIMED.lease_until, Step.NUDGE),
        (PARKED, PARKED.parked_until, Step.NOTHING),
        (PARKED, PARKED.parked_until + LOST_AFTER_SECONDS, Step.NUDGE),
        (runs.hand_over(CLAIMED, now=NOW), NOW + 1, Step.NOTHING),
        (runs.hand_over(CLAIMED, now=NOW), NOW + LOST_AFTER_SECONDS, Step.NUDGE),
    ],
)
def test_what_a_tick_does(run: Run, now: int, step: Step) -> None:
    assert decide(run, now=now, every_seconds=EVERY) is step


class OneTarget:
    """Integrations with a single, healthy one among them."""

    def due(self) -> Iterator[str]:
        yield "i1"

    def target(self, integration_id: str) -> Target | None:
        raise AssertionError("a tick reads no target")

    def tokens(self, target: Target) -> Tokens:
        raise AssertionError("a tick needs no token")

    def rejected(self, target: Target) -> None:
        raise AssertionError("a tick judges no credential")

    accepted = rejected


def dispatcher(table: MemoryTable, queue: MemoryQueue, now: float = NOW) -> Dispatcher:
    ids = iter(f"s{n}" for n in range(100))
    return Dispatcher(
        kind=Kind.ACCESS,
        runs=RunStore(table),
        targets=OneTarget(),
        queue=queue,
        every_seconds=EVERY,
        now=lambda: now,
        new_id=lambda: next(ids),
    )


def test_two_ticks_start_one_run() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    ticks = [dispatcher(table, queue).tick() for _ in range(2)]
    assert [tick["started"] for tick in ticks] == [1, 0]
    assert len(queue.sent) == 1


def test_a_tick_that_lost_the_race_sends_nothing() -> None:
    class Racing(RunStore):
        """Another tick saves between our load and our save."""

        def load(self, integration_id: str, kind: Kind) -> Run:
            run = super().load(integration_id, kind)
            super().save(replace(run, status=RunStatus.QUEUED, sync_id="theirs"))
            return run

    table, queue = MemoryTable(), MemoryQueue()
    tick = replace(dispatcher(table, queue), runs=Racing(table)).tick()
    assert (tick["started"], queue.sent) == (0, [])
    assert RunStore(table).load("i1", Kind.ACCESS).sync_id == "theirs"


def test_a_lost_message_is_sent_again_for_the_same_run() -> None:
    table, queue = MemoryTable(), MemoryQueue()
    dispatcher(table, queue).tick()
    first = queue.take()
    dispatcher(table, queue, NOW + LOST_AFTER_SECONDS).tick()
    assert queue.take() == first
