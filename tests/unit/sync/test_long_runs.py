"""Runs that live for days: what they have seen is known to their last worker, or they end and remove nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import HostNotAllowed, RateLimited
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.run import LONGEST_RUN_SECONDS, RunStatus, claim
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import stored, truth

TEAMS = {f"t{number:03d}": ["p"] for number in range(60)}


@pytest.fixture
def driver() -> Driver:
    table = MemoryTable()
    driver = Driver(table, EstateFeature(Estate(dict(TEAMS)), table))
    driver.work(driver.start())
    return driver


def wait_in_the_midst_of_the_list(driver: Driver, seconds: int) -> dict[str, Any]:
    """Have the next run wait behind the first page, and DynamoDB remove what expires meanwhile (its TTL)."""
    assert isinstance(driver.feature, EstateFeature)
    estate = driver.feature.estate
    estate.faults[estate.calls + 3] = RateLimited("429", retry_after=seconds)
    message = driver.start("s2")
    driver.engine().handle(message, remaining=driver.remaining)
    driver.now = driver.run.parked_until
    driver.table.write(deletes=[(row["pk"], row["sk"]) for row in rows(driver) if row["expires_at"] <= driver.now])
    return message


def rows(driver: Driver) -> list[Any]:
    return [row for row in cast("MemoryTable", driver.table).dump() if "expires_at" in row]


def journals(driver: Driver) -> list[Any]:
    return [row for row in rows(driver) if row["pk"].startswith("JOURNAL#")]


@pytest.mark.parametrize("seconds", [3_600, 4 * 86_400, LONGEST_RUN_SECONDS - 1])
def test_a_run_that_waits_for_days_knows_what_it_has_seen(driver: Driver, seconds: int) -> None:
    assert isinstance(driver.feature, EstateFeature)
    run = driver.work(wait_in_the_midst_of_the_list(driver, seconds))
    assert (run.status, run.counts.get("rows_removed", 0)) == (RunStatus.IDLE, 0)
    assert stored(driver.table) == truth(driver.feature.estate)


@pytest.mark.parametrize("seconds", [LONGEST_RUN_SECONDS, 400 * 86_400])
def test_a_run_that_outlives_what_it_has_seen_ends_and_the_next_one_begins_anew(driver: Driver, seconds: int) -> None:
    assert isinstance(driver.feature, EstateFeature)
    run = driver.work(wait_in_the_midst_of_the_list(driver, seconds))
    assert run.last_error is not None
    assert (run.status, run.last_error["code"], run.counts.get("rows_removed", 0)) == (
        RunStatus.FAILED, "sync_expired", 0,
    )  # fmt: skip
    assert (stored(driver.table), journals(driver)) == (truth(driver.feature.estate), [])
    driver.now += 300
    driver.tick()
    assert driver.work(driver.queue.take()[0]).status is RunStatus.IDLE


class Overtaken:
    """A table over which another worker takes the run at the moment at which the first one ends it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver.table, name)

    def transact(self, actions: Sequence[Any]) -> None:
        """Claim, as if the lease had been over, before an end is written."""
        run, now = self._driver.run, int(self._driver.now)
        if any(getattr(action, "item", {}).get("status") == "failed" for action in actions):
            rival = claim(replace(run, lease_until=0), sync_id=run.sync_id, worker="rival", now=now)
            assert rival is not None
            RunStore(self._driver.table).save(rival)
        self._driver.table.transact(actions)


def test_a_worker_that_is_overtaken_as_it_ends_leaves_what_was_seen_to_the_next(driver: Driver) -> None:
    assert isinstance(driver.feature, EstateFeature)
    estate = driver.feature.estate
    estate.faults[estate.calls + 3] = HostNotAllowed("no")
    driver.engine(cast("Table", Overtaken(driver))).handle(driver.start("s2"), remaining=driver.remaining)
    assert (driver.run.worker, driver.run.status) == ("rival", RunStatus.RUNNING)
    assert len(journals(driver)) > 0
