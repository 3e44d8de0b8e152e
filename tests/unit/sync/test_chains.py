"""Work that takes many workers: no chain of messages grows so long that Lambda ends it."""

from contextlib import suppress
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from gitlab_hub.gitlab.errors import RateLimited, Unavailable
from gitlab_hub.storage.ports import QueueUnavailable, Table
from gitlab_hub.storage.sqs import SqsOrderedQueue, SqsQueue
from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.message import MOST_HOPS, purge_message
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.worker import SENT_AGAIN_SECONDS, Area, PurgeBook, Purger
from tests.fakes.engine import TARGET, Driver
from tests.fakes.hints import HintWorker
from tests.fakes.lineage import MOST_INVOCATIONS, ChainStopped, invoked
from tests.fakes.mirrored_source import Estate, EstateFeature
from tests.fakes.queue import MemoryQueue
from tests.fakes.scripted_client import ScriptedClient
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import stored, truth

TEAMS = {f"t{n:03d}": ["p"] for n in range(60)}


@pytest.fixture
def driver() -> Driver:
    table = MemoryTable()
    return Driver(table, EstateFeature(Estate({name: list(people) for name, people in TEAMS.items()}), table))


def estate_of(driver: Driver) -> Estate:
    assert isinstance(driver.feature, EstateFeature)
    return driver.feature.estate


def test_lambda_ends_a_chain_that_nobody_cuts() -> None:
    queue = MemoryQueue()
    queue.send({"n": 0})
    for _ in range(MOST_INVOCATIONS):
        [sent] = queue.receive()
        with invoked("worker", sent.lineage):
            queue.send(sent.body)
    [sent] = queue.receive()
    with pytest.raises(ChainStopped), invoked("worker", sent.lineage):
        raise AssertionError("never begun")


@pytest.mark.parametrize("pause", [1, 60, 600, 3600])
def test_a_run_that_is_limited_again_and_again_comes_to_its_end(driver: Driver, pause: int) -> None:
    estate = estate_of(driver)
    estate.faults = {call: RateLimited("429", retry_after=pause) for call in range(2, 110, 3)}
    run = driver.work(driver.start(), slices=200)
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate))


class ShortLived(Driver):
    """Workers that may look at the clock some times only."""

    slices, looks = 0, 0

    def engine(self, table: Table | None = None) -> Engine:
        """The next worker."""
        self.slices += 1
        left = iter([900.0] * self.looks)
        self.remaining = lambda: next(left, 0.0)
        return super().engine(table)


def test_a_run_whose_workers_have_little_time_comes_to_its_end() -> None:
    table = MemoryTable()
    driver = ShortLived(table, EstateFeature(Estate({name: list(people) for name, people in TEAMS.items()}), table))
    driver.looks = 12
    run = driver.work(driver.start(), slices=300)
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate_of(driver)))
    assert driver.slices > MOST_INVOCATIONS


def test_a_tick_takes_over_only_where_messages_have_led_far_enough(driver: Driver) -> None:
    message = driver.start()
    for hops in range(MOST_HOPS):
        driver.remaining = iter([900.0] * 5 + [0.0] * 90).__next__
        driver.engine().handle(message, remaining=driver.remaining)
        [message] = driver.queue.take()
        assert (message["hops"], driver.run.left_to_tick) == (hops + 1, False)
    driver.remaining = lambda: 0.0
    driver.engine().handle(message, remaining=driver.remaining)
    assert (driver.queue.sent, driver.run.left_to_tick) == ([], True)
    driver.tick()
    [fresh] = driver.queue.bodies
    assert ("hops" not in fresh, driver.run.left_to_tick) == (True, False)
    driver.tick()
    assert len(driver.queue.sent) == 1


def test_a_hint_that_cannot_be_followed_is_given_up_before_lambda_does() -> None:
    down = ScriptedClient({"/projects/7/pipelines/70": Unavailable("502", http_status=502)})
    hint_worker = HintWorker(Kind.PIPELINES, MemoryTable(), down, TARGET)
    hint_worker.table.put({"pk": "i1#projects", "sk": f"{7:012d}", "id": 7, "hash": "h"})
    hint_worker.pipelines.pipeline("i1", 7, 70)
    assert 5 < hint_worker.work() < MOST_INVOCATIONS


class Leftovers:
    """Rows of an integration that is gone, and workers who remove one page each."""

    def __init__(self, rows: int) -> None:
        self.table, self.state, self.queue, self.now = MemoryTable(), MemoryTable(), MemoryQueue(), 1_000_000.0
        self.table.write(puts=[{"pk": f"i1#{n}", "sk": "row"} for n in range(rows)])
        self.rows = rows

    def purger(self) -> Purger:
        def partitions(integration_id: str) -> list[str]:
            return [f"{integration_id}#{n}" for n in range(self.rows)]

        book = PurgeBook(self.state, Kind.ACCESS)
        return Purger(areas=[Area(self.table, partitions)], queue=self.queue, book=book, now=lambda: self.now)

    def work(self) -> int:
        """Handle all messages, and tick where there are none; the answer is how many ticks that took."""
        for ticks in range(100):
            while waiting := self.queue.receive():
                left = iter([900.0])
                with invoked("sync", waiting[0].lineage):
                    self.purger().handle(waiting[0].body, remaining=lambda: next(left, 0.0))  # noqa: B023 - used at once
            if not self.state.dump():
                return ticks
            with invoked("sync"):
                self.purger().tick()
        raise AssertionError("the removal comes to no end")


def test_a_removal_of_any_length_comes_to_its_end() -> None:
    leftovers = Leftovers(rows=60)
    leftovers.queue.send(purge_message("i1"))
    leftovers.purger().book.note("i1", due_at=0)
    ticks = leftovers.work()
    assert (leftovers.table.dump(), ticks > 2) == ([], True)


def test_a_removal_whose_message_was_lost_is_asked_for_again() -> None:
    leftovers = Leftovers(rows=1)
    leftovers.purger().book.note("i1", due_at=int(leftovers.now) + SENT_AGAIN_SECONDS)
    assert leftovers.purger().tick() == 0
    leftovers.now += SENT_AGAIN_SECONDS
    assert (leftovers.purger().tick(), leftovers.purger().tick()) == (1, 0)
    assert leftovers.queue.bodies == [purge_message("i1")]


@pytest.mark.parametrize("ordered", [False, True])
def test_the_sdk_carries_the_count_on(monkeypatch: pytest.MonkeyPatch, ordered: bool) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:a87bd80c:4"
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sync")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    seen: list[Any] = []
    make: Any = boto3.client
    once = Config(retries={"total_max_attempts": 1})
    client = make("sqs", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b", config=once)

    def answer(request: Any, **_: Any) -> None:
        seen.append(request.headers["X-Amzn-Trace-Id"].decode())
        raise EndpointConnectionError(endpoint_url=request.url)

    client.meta.events.register("before-send.sqs.SendMessage", answer)
    url = "https://sqs.eu-central-1.amazonaws.com/1/q"
    send = partial(SqsOrderedQueue(url, lambda: client).send, group="g", once="o")
    with suppress(QueueUnavailable):  # What was sent is looked at, not what came back.
        send({}) if ordered else SqsQueue(url, lambda: client).send({})
    assert seen == [trace]
