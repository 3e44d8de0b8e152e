"""The end of a slice while the lease is being renewed: one worker never stands in its own way."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.engine import Connection, Engine, Runtime
from gitlab_hub.sync.ports import Kind, Scope, Session, SingleScopeStage, Stage
from gitlab_hub.sync.rate_limit import SharedLimiter
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import FakeGitLab
from tests.fakes.table import MemoryTable


class SlowAnswer:
    """A table whose answer to the first renewal of a lease takes its time; it was applied all the same."""

    def __init__(self, table: Table) -> None:
        self._table, self.saves, self.renewing = table, 0, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def put(self, item: dict[str, Any], *args: Any) -> None:
        self._table.put(item, *args)
        if item["sk"].startswith("RUN#"):
            self.saves += 1
            if self.saves == 2:
                self.renewing.set()
                time.sleep(0.2)


class Waiting(SingleScopeStage):
    """A stage that ends in the middle of a renewal, as nothing of it has to be written down."""

    name = "waiting"

    def __init__(self, renewing: threading.Event) -> None:
        self._renewing = renewing

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        await asyncio.to_thread(self._renewing.wait)
        nothing: tuple[Scope, ...] = ()
        for scope in nothing:
            yield scope

    async def read(self, scope: Scope) -> None:
        raise AssertionError("there is nothing to read")


class WaitingFeature:
    kind = Kind.ACCESS

    def __init__(self, renewing: threading.Event) -> None:
        self._renewing = renewing
        self.table: Table = MemoryTable()

    def stages(self, session: Session) -> Sequence[Stage]:
        return [Waiting(self._renewing)]


def test_a_slice_that_ends_during_a_renewal_comes_to_its_end() -> None:
    table = SlowAnswer(MemoryTable())
    view = cast("Table", table)
    feature = WaitingFeature(table.renewing)
    driver = Driver(view, feature)
    driver.now = time.time()
    message = driver.start()
    table.saves = 0
    limiter = SharedLimiter(view, host="gitlab.example", user_id=7, now=time.time)
    connection = Connection(cast("Any", FakeGitLab()), limiter)
    outside = Runtime(worker=lambda: "w1", flush_seconds=0.02)
    engine = Engine(feature, RunStore(view), driver.targets, lambda _: connection, driver.queue, outside)
    engine.handle(message, remaining=driver.remaining)
    assert (driver.run.status, driver.run.worker) == (RunStatus.IDLE, "")


class Robbing(SingleScopeStage):
    """A stage during which another worker takes the run."""

    name = "robbing"

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        yield Scope("all")

    async def read(self, scope: Scope) -> None:
        run = self._runs.load("i1", Kind.ACCESS)
        self._runs.save(replace(run, worker="other"))


class RobbingFeature:
    kind = Kind.ACCESS

    def __init__(self, runs: RunStore) -> None:
        self._runs = runs
        self.table: Table = MemoryTable()

    def stages(self, session: Session) -> Sequence[Stage]:
        return [Robbing(self._runs)]


def test_a_lost_lease_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    table = MemoryTable()
    driver = Driver(table, RobbingFeature(RunStore(table)))
    with caplog.at_level(logging.WARNING):
        driver.engine().handle(driver.start(), remaining=driver.remaining)
    [record] = caplog.records
    assert (record.getMessage(), vars(record)["integration_id"], vars(record)["kind"]) == ("lease lost", "i1", "access")
    assert driver.run.worker == "other"
