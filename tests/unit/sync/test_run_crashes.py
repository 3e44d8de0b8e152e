"""A worker killed at any call to the table: the next one converges, and nothing is removed wrongly on the way."""

from contextlib import suppress
from typing import Any, cast

from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.engine import Engine
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from tests.fakes.engine import Driver
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, every_call, faulty
from tests.fakes.mirrored_source import Estate, EstateFeature
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import TEAMS, stored, truth


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


@BEFORE_OR_AFTER
def test_a_kill_at_every_call_leaves_a_suspicious_run_suspicious(applied: bool) -> None:
    for plan in every_call(applied=applied, repeat=True):
        driver, estate, _ = scenario()
        driver.work({"schema": 1, "integration_id": "i1", "kind": "access", "sync_id": "s2"})
        before, estate.teams = stored(driver.table), {}
        message = driver.start("s3")
        with suppress(Crash):
            engine_on(driver, faulty(driver.table, plan)).handle(message, remaining=driver.remaining)
        if plan.struck:
            driver.feature = EstateFeature(estate, driver.table)
            driver.now += LEASE_SECONDS
            run = driver.work(message)
            expected = (RunStatus.SUSPECT, {"teams": len(before)}, before)
            assert (run.status, run.suspected, stored(driver.table)) == expected, plan
    assert plan.at > 20


def engine_on(driver: Driver, table: Table) -> Engine:
    driver.feature = EstateFeature(cast("EstateFeature", driver.feature).estate, table)
    return driver.engine(table)


@BEFORE_OR_AFTER
def test_a_kill_at_every_call_converges(applied: bool) -> None:
    for plan in every_call(applied=applied, repeat=True):
        driver, estate, message = scenario()
        with suppress(Crash):
            engine_on(driver, faulty(driver.table, plan)).handle(message, remaining=driver.remaining)
        if plan.struck:
            assert_the_rest_is_untouched(driver)
            assert_the_next_worker_converges(driver, estate, message, plan)
    assert plan.at > 40


def assert_the_rest_is_untouched(driver: Driver) -> None:
    changing = {"t0", "t1", "t8"}
    kept = {name: people for name, people in stored(driver.table).items() if name not in changing}
    assert kept == {name: sorted(people) for name, people in TEAMS.items() if name not in changing}


def assert_the_next_worker_converges(driver: Driver, estate: Estate, message: dict[str, Any], plan: Plan) -> None:
    driver.feature = EstateFeature(estate, driver.table)
    driver.now += LEASE_SECONDS
    run = driver.work(message)
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate)), plan
    shown = sum(len(people) for team, people in estate.teams.items() if team not in estate.closed)
    counted = {name: run.counts[name] for name in ("teams", "members", "scopes_forbidden")}
    expected = {"teams": len(estate.teams), "members": shown, "scopes_forbidden": 1}
    assert (counted, run.incomplete) == (expected, 1), plan
