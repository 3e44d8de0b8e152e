"""One budget for all workers of a GitLab user: short waits in line, long ones end the slice."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import RateLimited
from gitlab_hub.gitlab.rates import RateFacts
from gitlab_hub.sync.rate_limit import SHORT_WAIT_SECONDS, SharedLimiter
from gitlab_hub.sync.run import claim
from gitlab_hub.sync.session import RunSession
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import TARGET, Driver
from tests.fakes.mirrored_source import Estate, EstateFeature
from tests.fakes.table import MemoryTable

NOW = 1_700_000_000.0


def facts(*, remaining: int, resets_in: int, limit: int = 100) -> RateFacts:
    return RateFacts(
        limit=limit, remaining=remaining, reset_at=int(NOW) + resets_in, server_time=datetime.fromtimestamp(NOW, UTC)
    )


class Clock:
    def __init__(self) -> None:
        self.now, self.slept = NOW, 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def limiter(table: MemoryTable, clock: Clock) -> SharedLimiter:
    return SharedLimiter(table, host="https://gitlab.example", user_id=7, now=lambda: clock.now, sleep=clock.sleep)


async def test_a_short_wait_is_slept_and_a_long_one_is_not() -> None:
    clock = Clock()
    short = limiter(MemoryTable(), clock)
    short.observe("users", facts(remaining=20, resets_in=int(SHORT_WAIT_SECONDS)))
    await short.acquire("users")
    assert clock.slept == SHORT_WAIT_SECONDS
    long = limiter(MemoryTable(), Clock())
    long.observe("users", facts(remaining=20, resets_in=600))
    with pytest.raises(RateLimited) as refusal:
        await long.acquire("users")
    assert refusal.value.retry_after == 600


async def test_what_one_worker_learns_holds_back_the_other() -> None:
    table = MemoryTable()
    first, second = limiter(table, Clock()), limiter(table, Clock())
    first.observe("users", facts(remaining=0, resets_in=600))
    first.exchange()
    second.exchange()
    with pytest.raises(RateLimited):
        await second.acquire("pipelines")


async def test_two_workers_that_exchange_at_once_lose_nothing() -> None:
    table = MemoryTable()
    first, second = limiter(table, Clock()), limiter(table, Clock())
    first.observe("users", RateFacts(limited=True, retry_after=600))
    second.observe("members", RateFacts(limited=True, retry_after=900))
    for worker in (first, second, first):
        worker.exchange()
    for endpoint in ("users", "members"):
        with pytest.raises(RateLimited):
            await first.acquire(endpoint)


@pytest.fixture
def _threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_threads_take_turns_often")
@pytest.mark.parametrize("_once_more", range(3))
async def test_what_is_spent_during_an_exchange_counts(_once_more: int) -> None:
    """Exchanges run beside the event loop, in a thread of their own."""
    one, enough = limiter(MemoryTable(), Clock()), threading.Event()
    one.observe("users", facts(limit=10_000, remaining=10_000, resets_in=600))

    def exchange() -> None:
        while not enough.is_set():
            one.exchange()

    beside = threading.Thread(target=exchange)
    beside.start()
    try:
        for _ in range(8_000):
            await one.acquire("users")
    finally:
        enough.set()
        beside.join()
    with pytest.raises(RateLimited):
        await one.acquire("users")


def test_a_server_without_limits_costs_no_write() -> None:
    table = MemoryTable()
    one = limiter(table, Clock())
    one.observe("users", RateFacts())
    one.exchange()
    assert table.dump() == []


async def test_a_row_of_another_release_is_read_as_far_as_it_is_known() -> None:
    table = MemoryTable()
    first, second = limiter(table, Clock()), limiter(table, Clock())
    first.observe("users", facts(remaining=0, resets_in=600))
    first.exchange()
    [row] = table.dump()
    windows = {name: {**window, "colour": "red"} for name, window in json.loads(row["windows"]).items()}
    table.put({**row, "windows": json.dumps(windows)})
    second.exchange()
    with pytest.raises(RateLimited):
        await second.acquire("users")


def test_a_worker_hears_of_what_was_spent_before_its_first_request() -> None:
    table = MemoryTable()
    driver = Driver(table, EstateFeature(Estate({"t1": ["p1"]}), table))
    driver.start()
    mine = claim(driver.run, sync_id="s1", worker="w", now=int(driver.now))
    assert mine is not None
    before, one = limiter(table, Clock()), limiter(table, Clock())
    before.observe("users", facts(remaining=0, resets_in=600))
    before.exchange()
    run, store = RunStore(table).save(mine), RunStore(table)
    RunSession(run, TARGET, cast("Any", driver.gitlab), store, one, table, remaining=lambda: 900).begin()
    with pytest.raises(RateLimited):
        asyncio.run(one.acquire("users"))
