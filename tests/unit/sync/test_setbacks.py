"""What ends a run and what only delays it: GitLab may ask for any number of waits, trouble may not last for ever."""

from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import HostNotAllowed, RateLimited, Unauthorized, Unavailable
from gitlab_hub.storage.ports import REFUSED, StorageRefused, StorageUnavailable
from gitlab_hub.sync.run import MOST_SETBACKS, RunStatus
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature, FakeGitLab
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_chains import ShortLived
from tests.unit.sync.test_engine import TEAMS, stored, truth

UNAUTHORIZED = Unauthorized("401 from a proxy", http_status=401)
LIMITED = RateLimited("429", retry_after=60)
WAITS = range(1, MOST_SETBACKS + 3)
"""Calls to GitLab, each the first one of its slice."""


def driver_with(on_user: Callable[[], None] = lambda: None) -> tuple[Driver, Estate]:
    """An estate that was never read, and a GitLab that answers so to who the token's user is."""
    estate, table = Estate({name: list(people) for name, people in TEAMS.items()}), MemoryTable()
    return Driver(table, EstateFeature(estate, table), FakeGitLab(on_user)), estate


def raising(*errors: HubError) -> Callable[[], None]:
    """Raise these one after the other, the last one for ever."""
    left = list(errors)

    def call() -> None:
        raise left.pop(0) if len(left) > 1 else left[0]

    return call


def test_one_401_after_many_waits_is_asked_about_and_no_more() -> None:
    driver, estate = driver_with()
    estate.faults = {**dict.fromkeys(WAITS, LIMITED), WAITS.stop: UNAUTHORIZED}
    run = driver.work(driver.start())
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate))


def test_waits_between_setbacks_do_not_let_them_go_on_for_ever() -> None:
    driver, estate = driver_with()
    estate.faults = {call: UNAUTHORIZED if call % 2 else LIMITED for call in range(1, 100)}
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "unexpected_response")
    assert estate.calls == 2 * MOST_SETBACKS + 1


def test_a_gitlab_that_wants_a_pause_before_it_says_who_asks_gets_it() -> None:
    driver, estate = driver_with(raising(RateLimited("429", retry_after=1200)))
    estate.faults[1] = UNAUTHORIZED
    driver.engine().handle(driver.start(), remaining=driver.remaining)
    assert (driver.run.status, driver.run.parked_until, driver.run.setbacks) == (RunStatus.PARKED, 1_001_200, 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("502", http_status=502), "gitlab_unavailable"),
        (StorageUnavailable("down", retry_after=5), "service_unavailable"),
        (StorageRefused(REFUSED), "storage_refused"),
    ],
)
def test_a_token_that_nobody_can_ask_about_does_not_keep_a_run_for_ever(error: HubError, code: str) -> None:
    driver, estate = driver_with(raising(error))
    estate.closed["t3"] = UNAUTHORIZED
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"], driver.targets.verdicts) == (RunStatus.FAILED, code, [])
    assert driver.now - 1_000_000 < 3_600, "seconds until it is told of"


def test_an_address_that_the_deployer_no_longer_allows_ends_the_run_with_that_word() -> None:
    driver, _ = driver_with()
    message, engine = driver.start(), driver.engine()

    def refuse(_: Any) -> Any:
        raise HostNotAllowed("not in ALLOWED_HOSTS")

    engine._connect = refuse  # what the container does when settings have changed
    engine.handle(message, remaining=driver.remaining)
    assert (driver.run.status, driver.run.last_error) == (
        RunStatus.FAILED, {"code": "host_not_allowed", "hint": "not in ALLOWED_HOSTS"},
    )  # fmt: skip


def test_waits_during_a_second_try_do_not_use_it_up() -> None:
    driver, estate = driver_with()
    estate.faults = {6: Unavailable("502", http_status=502), **dict.fromkeys(range(12, 17), LIMITED)}
    run = driver.work(driver.start())
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate))


def test_a_second_try_that_takes_many_workers_goes_on_where_the_last_one_stopped() -> None:
    table = MemoryTable()
    estate = Estate({f"t{number:03d}": ["p"] for number in range(60)})
    driver = ShortLived(table, EstateFeature(estate, table))
    estate.faults[3] = Unavailable("502", http_status=502)
    driver.looks = 12
    run = driver.work(driver.start(), slices=100)
    assert (run.status, stored(table)) == (RunStatus.IDLE, truth(estate))
