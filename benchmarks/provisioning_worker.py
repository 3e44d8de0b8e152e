"""Makes, applies and ends changes of access: `python -m benchmarks.provisioning_worker STEP NUMBER MS` prints figures.

The routes, the planner and the worker are the hub's own, over the GitLab and the tables in memory that the tests have.
So no figure has DynamoDB or a network in it; a GitLab that is slow waits before each answer, 16 at a time as the client
has connections. In `ends` the clock is simulated: it moves on by 50 ms for each request to GitLab and by what the
worker sleeps, and its ticks come by the minute, after the one before is over.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from benchmarks.quiet import logging_to_nowhere
from tests.fakes.gitlab_members import MemberGitLab
from tests.functional.provisioning.plan_hub import CRAFT, SHOP, START, GitLabs, company, grant, member, revoke, user
from tests.functional.provisioning.timed_hub import TimedHub
from tests.integration.provisioning.random_plans import run

OPERATIONS = 25
CONNECTIONS = 16
CRAFTS = {"type": "project", "id": CRAFT}
FIRST = 1_000
"""The id of the first of those who are there for this only."""

REQUEST_SECONDS = 0.05
RUN_SECONDS = 290.0
"""What a worker has left when it begins."""

HOUR = 3_600
Told = Mapping[str, float]


class Timed(MemberGitLab):
    """The tests' GitLab, which answers after a while, and notes what it was asked."""

    latency = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.asked: list[str] = []
        self._lines = WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer like the tests' GitLab, in its time."""
        self.asked.append(str(request.url))
        line = self._lines.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(CONNECTIONS))
        async with line:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await super().handle_async_request(request)

    def floor(self, urls: list[str]) -> float:
        """The seconds that a bare httpx client takes to read the same."""

        async def ask() -> float:
            async with httpx.AsyncClient(transport=self) as client:
                started = time.perf_counter()
                for url in urls:
                    await client.get(url)
                return time.perf_counter() - started

        return asyncio.run(ask())


def hub_of(people: int, *, members: int = 0) -> tuple[TimedHub, Timed]:
    """A hub in a company with so many people more, the first `members` of whom are Developers in a project."""
    plain = company()
    gitlab = Timed(users=plain.users, places=plain.places, members=plain.members)
    gitlab.users |= {one: user(one, f"new{one}", f"New {one}") for one in range(FIRST, FIRST + people)}
    gitlab.members["projects", CRAFT] |= {one: member(30) for one in range(FIRST, FIRST + members)}
    return TimedHub(GitLabs(gitlab)), gitlab


def plans(latency_ms: int, times: int) -> Told:
    """Plan 25 operations again and again: 23 grants and 2 revokes, in two projects."""
    hub, gitlab = hub_of(OPERATIONS)
    gitlab.latency = latency_ms / 1_000
    wanted = [grant(FIRST + one, 30, *([CRAFTS] if one % 2 else [])) for one in range(OPERATIONS - 2)]
    wanted += [revoke(one, 30, CRAFTS) for one in (20, 21)]
    assert hub.plan(*wanted)["status"] == "ready"
    gitlab.asked.clear()
    taken, cpu = [], time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        hub.plan(*wanted)
        taken.append(time.perf_counter() - start)
    cpu = (time.process_time() - cpu) / times
    requests = len(gitlab.asked) / times
    asked = gitlab.asked[: int(requests)]
    floor = requests * gitlab.latency / CONNECTIONS if gitlab.latency else gitlab.floor(asked)
    p95 = statistics.quantiles(taken, n=20)[-1]
    return {"p50": statistics.median(taken), "p95": p95, "cpu": cpu, "requests": requests, "floor": floor}


def applied(latency_ms: int, *, away: bool) -> Told:
    """Apply a plan of 25 grants, or of 25 revokes; what the worker sleeps is added, not slept."""
    hub, gitlab = hub_of(OPERATIONS, members=OPERATIONS if away else 0)
    people = range(FIRST, FIRST + OPERATIONS)
    plan = hub.plan(*(revoke(one, 30, CRAFTS) if away else grant(one, 30) for one in people))
    assert hub.apply(plan, "measured")[0] == HTTPStatus.ACCEPTED
    gitlab.latency = latency_ms / 1_000
    gitlab.asked.clear()
    slept, started, cpu = [0.0], time.perf_counter(), time.process_time()
    hub.clock = lambda: START + time.perf_counter() - started + sum(slept)  # type: ignore[method-assign]  # the real one, and the sleeps
    hub.tick(hub.worker(sleep=slept.append))
    wall, cpu = time.perf_counter() - started + sum(slept), time.process_time() - cpu
    assert len(gitlab.writes) == OPERATIONS, hub.read(plan["id"])
    return {"seconds": wall, "slept": sum(slept), "cpu": cpu, "requests": len(gitlab.asked)}


def ends(number: int) -> Told:
    """Give access to so many people that ends in one minute, and see how late the last end is."""
    hub, gitlab = hub_of(number)
    end = START + HOUR
    for first in range(0, number, OPERATIONS):
        people = range(FIRST + first, FIRST + min(first + OPERATIONS, number))
        made = hub.plan(*(grant(one, 30, until=end) for one in people))
        assert hub.apply(made, "measured")[0] == HTTPStatus.ACCEPTED
        hub.work()
    hub.later(120)
    assert sum(one >= FIRST for one in gitlab.members["projects", SHOP]) == number
    hub.now, gitlab.step = float(end), lambda _method, _path: _pass(hub, REQUEST_SECONDS)
    gitlab.asked.clear()
    late: list[float] = []

    def after_write() -> None:
        late.append(hub.now - end)

    gitlab.after_write = after_write
    ticks = 0
    while len(late) < number and ticks < number:
        ticks, began = ticks + 1, hub.now
        hub.worker(sleep=lambda seconds: _pass(hub, seconds)).tick(_left(hub, began))
        hub.now = end + 60.0 * ((hub.now - end) // 60 + 1)
    assert not [one for one in gitlab.members["projects", SHOP] if one >= FIRST]
    p50 = statistics.median(late)
    return {"p50": p50, "last": max(late), "ticks": ticks, "requests": len(gitlab.asked), "ended": len(late)}


def killed(number: int) -> Mapping[str, Any]:
    """Carry out so many random plans whose workers are killed."""
    told = run(range(number))
    return {
        "plans": told.plans, "blocked": told.blocked, "deaths": told.deaths, "writes": told.writes,
        "operations": dict(sorted(told.operations.items())), "wrong": told.wrong,
    }  # fmt: skip


def _pass(hub: TimedHub, seconds: float) -> None:
    hub.now += seconds


def _left(hub: TimedHub, began: float) -> Callable[[], float]:
    return lambda: RUN_SECONDS - (hub.now - began)


def main(step: str, number: int, latency_ms: int) -> Mapping[str, Any]:
    """Measure one step."""
    steps: dict[str, Callable[[], Mapping[str, Any]]] = {
        "plans": lambda: plans(latency_ms, number),
        "grants": lambda: applied(latency_ms, away=False),
        "revokes": lambda: applied(latency_ms, away=True),
        "ends": lambda: ends(number),
        "killed": lambda: killed(number),
    }
    return steps[step]()


if __name__ == "__main__":
    with logging_to_nowhere():
        figures = main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(figures))
