"""Runs that are forgotten while they run, and runs that would go on for ever."""

import asyncio
import json
from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    HostNotAllowed,
    MissingPermissions,
    RateLimited,
    Unauthorized,
)
from gitlab_hub.storage.ports import StorageUnavailable
from gitlab_hub.sync.ports import Scope
from gitlab_hub.sync.run import Checkpoint, RunStatus, claim
from gitlab_hub.sync.session import RunSession
from gitlab_hub.sync.store import RunStore
from tests.fakes.engine import TARGET, Driver
from tests.fakes.mirrored_source import Estate, EstateFeature, FakeGitLab
from tests.fakes.refusing import refusing_table
from tests.fakes.table import MemoryTable

TEAMS = {f"t{n}": [f"p{n}"] for n in range(7)}


@pytest.fixture
def driver() -> Driver:
    table = MemoryTable()
    return Driver(table, EstateFeature(Estate({name: list(people) for name, people in TEAMS.items()}), table))


def estate_of(driver: Driver) -> Estate:
    assert isinstance(driver.feature, EstateFeature)
    return driver.feature.estate


def notes(driver: Driver) -> list[str]:
    """What the engine itself keeps of the integration."""
    return [item["pk"] for item in driver.table.dump() if item["pk"].startswith(("INTEGRATION#", "JOURNAL#"))]  # type: ignore[attr-defined]  # a fake's


@pytest.mark.parametrize("call", range(1, 12))
def test_a_run_that_is_forgotten_while_it_runs_leaves_no_note(driver: Driver, call: int) -> None:
    estate = estate_of(driver)
    estate.closed["t1"] = estate.closed["t5"] = Forbidden("403", http_status=403)
    message, count = driver.start(), estate._call

    def delete_run() -> None:
        count()
        if estate.calls == call:
            RunStore(driver.table).delete("i1")

    estate._call = delete_run  # type: ignore[method-assign]  # the estate is the test's own
    driver.engine().handle(message, remaining=driver.remaining)
    assert estate.calls >= call
    assert notes(driver) == []


@pytest.mark.parametrize("call", range(1, 12))
def test_a_run_that_is_forgotten_as_its_token_is_revoked_leaves_no_note(driver: Driver, call: int) -> None:
    # Removing an integration revokes its token first, so both reach the worker at once.
    estate = estate_of(driver)
    message, count = driver.start(), estate._call

    def remove() -> None:
        count()
        if estate.calls >= call:
            RunStore(driver.table).delete("i1")
            raise Unauthorized("401", http_status=401)

    estate._call = remove  # type: ignore[method-assign]  # the estate is the test's own
    driver.engine().handle(message, remaining=driver.remaining)
    assert estate.calls >= call
    assert notes(driver) == []


def test_a_run_that_is_forgotten_while_it_waits_leaves_no_note(driver: Driver) -> None:
    estate_of(driver).closed["t1"] = Forbidden("403", http_status=403)
    driver.remaining = iter([900.0] * 12 + [0.0] * 50).__next__
    driver.engine().handle(driver.start(), remaining=driver.remaining)
    assert len(notes(driver)) > 1
    RunStore(driver.table).delete("i1")
    assert notes(driver) == []


def test_a_list_that_refuses_a_good_token_for_ever_ends_the_run(driver: Driver) -> None:
    driver.work(driver.start())
    rows = driver.table.query("members").items
    estate_of(driver).closed["t3"] = Unauthorized("401 from a proxy", http_status=401)
    run = driver.work(driver.start("s2"))
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "unexpected_response")
    assert (driver.targets.verdicts, driver.table.query("members").items) == (["accepted"], rows)


def test_a_token_that_may_not_read_its_user_is_a_token_that_gitlab_takes() -> None:
    """A fine-grained one: to say what it lacks, GitLab has to know it."""

    def outside_of_the_grant() -> None:
        raise MissingPermissions("User: Read", http_status=403)

    table, estate = MemoryTable(), Estate({name: list(people) for name, people in TEAMS.items()})
    driver = Driver(table, EstateFeature(estate, table), FakeGitLab(on_user=outside_of_the_grant))
    estate.closed["t3"] = Unauthorized("401 from a proxy", http_status=401)
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"], driver.targets.verdicts) == (
        RunStatus.FAILED, "unexpected_response", [],
    )  # fmt: skip


def test_a_run_that_another_release_wrote_is_carried_on(driver: Driver) -> None:
    message = driver.start()
    row = next(item for item in driver.table.dump() if item["sk"].startswith("RUN#"))  # type: ignore[attr-defined]  # a fake's
    checkpoint = json.dumps({**json.loads(row["checkpoint"]), "colour": "red"})
    driver.table.put(
        {**{name: value for name, value in row.items() if name != "claims"}, "taste": "sour", "checkpoint": checkpoint}
    )
    assert driver.work(message).status is RunStatus.IDLE


def test_what_a_failing_store_did_not_take_is_noted_again(driver: Driver) -> None:
    store, failures = RunStore(driver.table), iter([True])

    class Flaky(RunStore):
        def journal_append(self, *args: Any, **options: Any) -> None:
            if next(failures, False):
                raise StorageUnavailable("later")
            super().journal_append(*args, **options)

    driver.start()
    mine = claim(driver.run, sync_id="s1", worker="w", now=int(driver.now))
    assert mine is not None
    claimed = store.save(mine)
    session = RunSession(
        claimed, TARGET, cast("Any", driver.gitlab), Flaky(driver.table), Quiet(), driver.table, remaining=lambda: 900
    )
    session.journal("teams/seen", [("all", ["t1"])])
    with pytest.raises(StorageUnavailable):
        asyncio.run(session.flush())
    session.journal("teams/seen", [("all", ["t2"])])
    asyncio.run(session.flush())
    assert [noted for _, noted in store.journal(claimed)] == [{"teams/seen": [["all", ["t1"]], ["all", ["t2"]]]}]


def test_many_scopes_that_find_a_flush_due_make_one(driver: Driver) -> None:
    driver.start()
    mine = claim(driver.run, sync_id="s1", worker="w", now=int(driver.now))
    assert mine is not None
    claimed, moments = RunStore(driver.table).save(mine), iter([0.0])
    session = RunSession(
        claimed, TARGET, cast("Any", driver.gitlab), RunStore(driver.table), Quiet(), driver.table,
        remaining=lambda: 900, clock=lambda: next(moments, 60.0),
    )  # fmt: skip

    async def wait_together() -> None:
        await asyncio.gather(*(session.checkpoint(Scope(f"t{number}"), 1) for number in range(16)))

    asyncio.run(wait_together())
    assert driver.run.version == claimed.version + 1
    asyncio.run(session.flush())
    assert len(driver.run.checkpoint.cursors) == 16


@pytest.mark.parametrize("jump", [3_600.0, -3_600.0])
def test_progress_is_made_durable_though_the_clock_was_set(driver: Driver, jump: float) -> None:
    driver.start()
    mine = claim(driver.run, sync_id="s1", worker="w", now=int(driver.now))
    assert mine is not None
    claimed, moments = RunStore(driver.table).save(mine), iter([driver.now])
    session = RunSession(
        claimed, TARGET, cast("Any", driver.gitlab), RunStore(driver.table), Quiet(), driver.table,
        remaining=lambda: 900, clock=lambda: next(moments, driver.now + jump),
    )  # fmt: skip
    asyncio.run(session.checkpoint(Scope("t1"), 1))
    assert driver.run.checkpoint.cursors == {"t1": 1}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HostNotAllowed("no"), "host_not_allowed"),
        (Unauthorized("401", http_status=401), "invalid_credentials"),
        (RateLimited("429", retry_after=60), "storage_refused"),
        (None, "storage_refused"),
    ],
)
def test_a_checkpoint_that_is_refused_ends_a_run_and_hides_no_failure_before_it(
    error: GitLabError | None, code: str
) -> None:
    def refuse() -> None:
        raise Unauthorized("401", http_status=401)

    estate = Estate({name: list(people) for name, people in TEAMS.items()})
    table = refusing_table(MemoryTable(), lambda item: "teams" in str(item.get("checkpoint")))
    driver = Driver(table, EstateFeature(estate, table), FakeGitLab(refuse))
    estate.faults = {} if error is None else {1: error}
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, code)


@pytest.mark.parametrize(("error", "code"), [(HostNotAllowed("no"), "host_not_allowed"), (None, "storage_refused")])
def test_a_fence_that_is_refused_at_the_end_fails_a_run_and_hides_no_failure_before_it(
    error: GitLabError | None, code: str
) -> None:
    estate = Estate({name: list(people) for name, people in TEAMS.items()})
    table = refusing_table(MemoryTable(), lambda item: item["pk"] == "i1#fence" and item["fence"] > 1)
    driver = Driver(table, EstateFeature(estate, table))
    estate.faults = {} if error is None else {1: error}
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, code)


def test_a_large_checkpoint_is_kept_small_and_comes_back(driver: Driver) -> None:
    run, store = driver.run, RunStore(driver.table)
    window = {"stream": "default", "lo": 1_700_000_000_000, "hi": None, "seen": True, "copied": 0, "children": False}
    checkpoint = Checkpoint(stage="pipelines", cursors={f"{number:012}": window for number in range(32)})
    store.save(replace(run, checkpoint=checkpoint))
    row = next(item for item in driver.table.dump() if item["sk"].startswith("RUN#"))  # type: ignore[attr-defined]  # a fake's
    assert store.load(run.integration_id, run.kind).checkpoint == checkpoint
    assert len(row["checkpoint"]) < 500


class Quiet:
    def exchange(self) -> None:
        return None
