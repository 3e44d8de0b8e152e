"""A run from its first message to its end, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    HostUnreachable,
    InsufficientScope,
    NotGitLab,
    RateLimited,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import CLAIMS_WITHOUT_PROGRESS, RunStatus
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature, FakeGitLab
from tests.fakes.table import MemoryTable

TEAMS = {f"t{n}": [f"p{n}", f"p{n + 1}", "lead"] for n in range(7)}
Rows = dict[str, list[str]]


@pytest.fixture
def estate() -> Estate:
    return Estate({name: list(people) for name, people in TEAMS.items()})


@pytest.fixture
def driver(estate: Estate) -> Driver:
    table = MemoryTable()
    return Driver(table, EstateFeature(estate, table))


def stored(table: Table) -> Rows:
    teams: Rows = {item["sk"]: [] for item in table.query("teams").items}
    for item in table.query("members").items:
        team, _, person = item["sk"].partition("#")
        teams.setdefault(team, []).append(person)
    return teams


def truth(estate: Estate) -> Rows:
    return {name: sorted(people) for name, people in estate.teams.items()}


def test_a_run_ends_with_stored_equal_to_source(driver: Driver, estate: Estate) -> None:
    run = driver.work(driver.start())
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate))
    assert (run.done, run.total) == (9, 9)


def test_whoever_watches_hears_how_a_run_ended(driver: Driver) -> None:
    run = driver.work(driver.start())
    assert [(ended.status, ended.counts) for ended in driver.ended] == [(run.status, run.counts)]


def test_a_second_run_without_changes_writes_no_row(driver: Driver) -> None:
    driver.work(driver.start())
    assert driver.work(driver.start("s2")).counts["rows_written"] == 0


def test_a_changed_added_and_removed_row_follow(driver: Driver, estate: Estate) -> None:
    driver.work(driver.start())
    del estate.teams["t3"]
    estate.teams["t0"].remove("lead")
    estate.teams["t9"] = ["new"]
    run = driver.work(driver.start("s2"))
    expected = truth(estate)
    # A vanished team's members are the feature's to remove; this one keeps them.
    assert stored(driver.table) == {**expected, "t3": sorted(TEAMS["t3"])}
    assert (run.status, run.counts["rows_removed"]) == (RunStatus.IDLE, 2)


ONCE = [
    Unavailable("500", http_status=500),
    HostUnreachable("timeout"),
    NotGitLab("html"),
    UnexpectedResponse("truncated"),
    Unauthorized("401 from a failing node", http_status=401),
    RateLimited("429", retry_after=900),
]


@pytest.mark.parametrize("error", ONCE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", range(1, 11))
def test_a_fault_at_any_call_loses_nothing_and_removes_nothing(
    driver: Driver, estate: Estate, error: GitLabError, call: int
) -> None:
    driver.work(driver.start())
    estate.teams["t8"] = ["late"]
    estate.faults[estate.calls + call] = error
    run = driver.work(driver.start("s2"))
    assert (run.status, stored(driver.table), run.counts.get("rows_removed", 0)) == (RunStatus.IDLE, truth(estate), 0)


@pytest.mark.parametrize(("error", "note"), [(Forbidden("403"), "forbidden"), (ResourceNotFound("404"), "gone")])
def test_a_closed_scope_keeps_its_rows_and_holds_up_nobody(
    driver: Driver, estate: Estate, error: GitLabError, note: str
) -> None:
    driver.work(driver.start())
    estate.closed["t2"] = error
    estate.teams["t4"].append("new")
    run = driver.work(driver.start("s2"))
    assert (run.status, stored(driver.table)) == (RunStatus.IDLE, truth(estate))
    assert (run.incomplete, run.counts[f"scopes_{note}"]) == (1, 1)
    notes = driver.table.query("INTEGRATION#i1", prefix="SCOPE#").items
    assert [(item["sk"], item["status"]) for item in notes] == [("SCOPE#access#members#t2", note)]


def test_a_scope_that_opens_again_loses_its_note(driver: Driver, estate: Estate) -> None:
    estate.closed["t2"] = Forbidden("403")
    driver.work(driver.start())
    estate.closed.clear()
    driver.work(driver.start("s2"))
    assert driver.table.query("INTEGRATION#i1", prefix="SCOPE#").items == []


def test_a_scope_that_keeps_failing_fails_the_run_but_not_the_others(driver: Driver, estate: Estate) -> None:
    driver.work(driver.start())
    estate.closed["t2"] = Unavailable("502", http_status=502)
    estate.teams["t4"].append("new")
    run = driver.work(driver.start("s2"))
    assert (run.status, run.last_error) == (RunStatus.FAILED, {"code": "gitlab_unavailable", "hint": "502"})
    assert stored(driver.table) == truth(estate)


def test_a_dead_gitlab_is_not_hammered(driver: Driver, estate: Estate) -> None:
    estate.teams = {f"t{n:03d}": ["p"] for n in range(200)}
    driver.work(driver.start())
    before = estate.calls
    estate.faults = dict.fromkeys(range(before + 1, before + 10_000), HostUnreachable("down"))
    run = driver.work(driver.start("s2"))
    assert run.status is RunStatus.FAILED
    assert estate.calls - before < 100
    assert len(stored(driver.table)) == 200


@pytest.mark.parametrize("error", [HostNotAllowed("no"), InsufficientScope("no read_api", http_status=403)])
def test_some_errors_end_the_run_at_once(driver: Driver, estate: Estate, error: GitLabError) -> None:
    estate.faults[1] = error
    run = driver.work(driver.start())
    assert (run.status, run.last_error) == (RunStatus.FAILED, {"code": error.code, "hint": str(error)})
    assert estate.calls == 1


def test_a_definite_401_rejects_the_credential_and_keeps_all_rows(estate: Estate) -> None:
    def refuse() -> None:
        raise Unauthorized("expired", http_status=401)

    table = MemoryTable()
    driver = Driver(table, EstateFeature(estate, table), FakeGitLab(on_user=refuse))
    driver.work(driver.start())
    estate.faults[estate.calls + 4] = Unauthorized("expired", http_status=401)
    run = driver.work(driver.start("s2"))
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "invalid_credentials")
    assert (driver.targets.verdicts[-1], stored(table)) == ("rejected", truth(estate))


def test_a_long_pause_parks_the_run_and_a_tick_wakes_it(driver: Driver, estate: Estate) -> None:
    estate.faults[5] = RateLimited("429", retry_after=1200)
    driver.engine().handle(driver.start(), remaining=driver.remaining)
    run = driver.run
    assert (run.status, run.parked_until) == (RunStatus.PARKED, 1_001_200)
    assert (run.left_to_tick, driver.queue.sent) == (True, []), "longer than a queue can hold a message back"
    driver.now += 1_199
    driver.tick()
    assert driver.queue.sent == []
    driver.now += 1
    driver.tick()
    assert driver.work(driver.queue.take()[0]).status is RunStatus.IDLE


def test_a_message_that_comes_too_early_comes_again(driver: Driver, estate: Estate) -> None:
    estate.faults[5] = RateLimited("429", retry_after=600)
    driver.engine().handle(driver.start(), remaining=driver.remaining)
    [sent] = driver.queue.receive()
    assert sent.delay_seconds == 600
    driver.now += 590
    driver.engine().handle(sent.body, remaining=driver.remaining)
    [again] = driver.queue.receive()
    assert (driver.run.status, again.delay_seconds) == (RunStatus.PARKED, 10)
    driver.now += 10
    assert driver.work(again.body).status is RunStatus.IDLE


def test_a_slice_out_of_time_hands_over_and_the_next_one_goes_on(driver: Driver, estate: Estate) -> None:
    driver.start()
    message = {"schema": 1, "integration_id": "i1", "kind": "access", "sync_id": "s1"}
    slices = 0

    def clock() -> Callable[[], float]:
        ticks = iter([900.0] * 20)
        return lambda: next(ticks, 0.0)

    while driver.run.status is not RunStatus.IDLE:
        driver.engine().handle(message, remaining=clock())
        slices += 1
        assert slices < 40
    assert slices > 2
    assert stored(driver.table) == truth(estate)


def test_the_same_message_twice_has_one_effect(driver: Driver, estate: Estate) -> None:
    message = driver.start()
    driver.work(message)
    calls = estate.calls
    driver.work(message)
    assert estate.calls == calls


def test_a_deleted_run_stops_its_worker_at_the_next_step(driver: Driver, estate: Estate) -> None:
    message = driver.start()
    listed = estate.list_teams

    def list_and_delete(after: str) -> list[str]:
        if estate.calls == 1:
            RunStore(driver.table).delete("i1")
        return listed(after)

    estate.list_teams = list_and_delete  # type: ignore[method-assign]  # the estate is the test's own
    driver.engine().handle(message, remaining=driver.remaining)
    assert driver.run.version == 0
    assert len(stored(driver.table)) == 3
    assert driver.queue.sent == []


def test_a_paused_integration_ends_its_run(driver: Driver) -> None:
    message = driver.start()
    driver.targets.paused = True
    run = driver.work(message)
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "paused")


def test_a_run_that_kills_its_workers_is_ended(driver: Driver) -> None:
    message = driver.start()
    RunStore(driver.table).save(replace(driver.run, claims=CLAIMS_WITHOUT_PROGRESS))
    run = driver.work(message)
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "internal_error")


@pytest.mark.parametrize("gone", [list(TEAMS), list(TEAMS)[:4]], ids=["nothing left", "60 % gone"])
def test_a_suspicious_listing_removes_nothing_until_an_owner_accepts(
    driver: Driver, estate: Estate, gone: list[str]
) -> None:
    driver.work(driver.start())
    before = stored(driver.table)
    for name in gone:
        del estate.teams[name]
    run = driver.work(driver.start("s2"))
    assert (run.status, run.suspected) == (RunStatus.SUSPECT, {"teams": len(gone)})
    assert stored(driver.table) == before

    again = driver.work(driver.start("s3"))
    assert (again.status, stored(driver.table)) == (RunStatus.SUSPECT, before)

    message = accept(driver)
    done = driver.work(message)
    assert done.status is RunStatus.IDLE
    assert {item["sk"] for item in driver.table.query("teams").items} == set(estate.teams)


def accept(driver: Driver) -> dict[str, object]:
    RunStore(driver.table).save(runs.accept(driver.run, sync_id="s4", now=int(driver.now)))
    return {"schema": 1, "integration_id": "i1", "kind": str(Kind.ACCESS), "sync_id": "s4"}
