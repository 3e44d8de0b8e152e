"""A worker killed at any call to the table: the next one converges, and nothing is removed wrongly on the way."""

from collections.abc import Callable
from itertools import count
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import TEAMS, stored, truth


class Killed(BaseException):
    """The process is gone: no handler runs any more."""


class DyingTable:
    """A view of a table whose user is killed at the n-th call, before or after it took effect, and stays dead."""

    def __init__(self, table: Table, at: int, *, applied: bool) -> None:
        self._table, self._at, self._applied, self.calls = table, at, applied, 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._table, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls > self._at or (self.calls == self._at and not self._applied):
                raise Killed
            answer = method(*args, **kwargs)
            if self.calls == self._at:
                raise Killed
            return answer

        return call


def scenario() -> tuple[Driver, Estate, dict[str, Any]]:
    """A synced estate that has changed since, with a second run queued."""
    estate = Estate({name: list(people) for name, people in TEAMS.items()})
    table = MemoryTable()
    driver = Driver(table, EstateFeature(estate, table))
    driver.work(driver.start())
    estate.teams["t0"].remove("lead")
    estate.teams["t1"].append("new")
    estate.teams["t8"] = ["late"]
    estate.closed["t5"] = Forbidden("403", http_status=403)
    return driver, estate, driver.start("s2")


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_leaves_a_suspicious_run_suspicious(applied: bool) -> None:
    for at in count(1):
        driver, estate, _ = scenario()
        driver.work({"schema": 1, "integration_id": "i1", "kind": "access", "sync_id": "s2"})
        before, estate.teams = stored(driver.table), {}
        message = driver.start("s3")
        try:
            engine_on(driver, DyingTable(driver.table, at, applied=applied)).handle(message, remaining=driver.remaining)
        except Killed:
            driver.feature = EstateFeature(estate, driver.table)
            driver.now += LEASE_SECONDS
            run = driver.work(message)
            expected = (RunStatus.SUSPECT, {"teams": len(before)}, before)
            assert (run.status, run.suspected, stored(driver.table)) == expected, f"killed at call {at}"
        else:
            break
    assert at > 20


def engine_on(driver: Driver, table: DyingTable) -> Engine:
    view = cast("Table", table)
    driver.feature = EstateFeature(cast("EstateFeature", driver.feature).estate, view)
    return driver.engine(view)


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_converges(applied: bool) -> None:
    for at in count(1):
        driver, estate, message = scenario()
        try:
            engine_on(driver, DyingTable(driver.table, at, applied=applied)).handle(message, remaining=driver.remaining)
        except Killed:
            check_what_is_left(driver)
            finish(driver, estate, message, at)
        else:
            break
    assert at > 40


def check_what_is_left(driver: Driver) -> None:
    changing = {"t0", "t1", "t8"}
    kept = {name: people for name, people in stored(driver.table).items() if name not in changing}
    assert kept == {name: sorted(people) for name, people in TEAMS.items() if name not in changing}


def finish(driver: Driver, estate: Estate, message: dict[str, Any], at: int) -> None:
    driver.feature = EstateFeature(estate, driver.table)
    driver.now += LEASE_SECONDS
    run = driver.work(message)
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate)), f"killed at call {at}"
    shown = sum(len(people) for team, people in estate.teams.items() if team not in estate.closed)
    counted = {name: run.counts[name] for name in ("teams", "members", "scopes_forbidden")}
    expected = {"teams": len(estate.teams), "members": shown, "scopes_forbidden": 1}
    assert (counted, run.incomplete) == (expected, 1), f"killed at call {at}"
