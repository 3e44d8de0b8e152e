"""However much fails or is missing: no row of the engine's grows with it, and a row that is refused ends the run."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import RateLimited, Unavailable
from gitlab_hub.storage.codec import size_of
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.ports import Kind, Row, Scope, Session, Stage
from gitlab_hub.sync.run import Checkpoint, RunStatus
from gitlab_hub.sync.store import RunStore, chunked
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature, team_rows
from tests.fakes.refusing import refusing_table
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import TEAMS, stored, truth

MOST_BYTES = 64 * 1024
"""Far below 400 KB, and far above what any of the engine's rows needs."""


class Weighed(MemoryTable):
    """A table that knows its largest row by the beginning of its key."""

    def __init__(self) -> None:
        super().__init__()
        self.largest: dict[str, int] = {}

    def put(self, item: Item, *args: Any) -> None:
        self.weigh(item)
        super().put(item, *args)

    def transact(self, actions: Sequence[Any]) -> None:
        for action in actions:
            self.weigh(getattr(action, "item", None) or {"pk": "none"})
        super().transact(actions)

    def weigh(self, item: Item) -> None:
        kind = item["pk"].partition("#")[0]
        self.largest[kind] = max(self.largest.get(kind, 0), size_of(item))


@pytest.fixture
def table() -> Weighed:
    return Weighed()


class Failing:
    """A stage of many scopes, each of which fails with a long reason until it is mended; half of them have begun."""

    name = "failing"

    def __init__(self, session: Session, scopes: int, broken: set[str]) -> None:
        self._session, self._scopes, self._broken = session, scopes, broken

    async def size(self) -> int | None:
        return self._scopes

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        for number in range(self._scopes):
            if f"{number:06d}" > (after or ""):
                yield Scope(f"{number:06d}", {"path": "group/" * 20})

    async def read(self, scope: Scope) -> None:
        if int(scope.key) % 2:
            await self._session.checkpoint(scope, {"page": "x" * 200})
        if scope.key in self._broken:
            raise Unavailable("GitLab said something long. " * 20, http_status=502)


class FailingFeature:
    kind = Kind.ACCESS

    def __init__(self, table: Table, scopes: int, broken: set[str]) -> None:
        self.table, self._scopes, self.broken = table, scopes, broken

    def stages(self, session: Session) -> Sequence[Stage]:
        return [Failing(session, self._scopes, self.broken)]


SCOPES = 3_000
MOST = {f"{number:06d}" for number in range(SCOPES) if number % 5}
"""All but every fifth, so that GitLab as a whole does not seem to be down."""


def test_thousands_of_failed_scopes_make_thousands_of_small_rows(table: Weighed) -> None:
    driver = Driver(table, FailingFeature(table, SCOPES, MOST))
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "gitlab_unavailable")
    assert (run.incomplete, run.counts["scopes_failed"]) == (len(MOST), len(MOST))
    assert (run.done, run.total) == (SCOPES, SCOPES)
    assert max(table.largest.values()) < MOST_BYTES
    notes = [row for row in table.dump() if row["sk"].startswith("SCOPE#")]
    assert {row["sk"].rpartition("#")[2] for row in notes} == MOST
    assert {(row["status"], row["code"]) for row in notes} == {("failed", "gitlab_unavailable")}


def test_failed_scopes_that_recover_leave_no_note(table: Weighed) -> None:
    broken = {f"{number:06d}" for number in range(40) if number % 3}
    feature = FailingFeature(table, 40, broken)
    driver = Driver(table, feature)

    async def mended(seconds: float) -> None:
        driver.now += seconds
        for key in sorted(broken)[:9]:
            broken.discard(key)

    driver._sleep = mended  # type: ignore[method-assign]  # the driver is the test's own
    run = driver.work(driver.start())
    left = {row["sk"].rpartition("#")[2] for row in table.dump() if row["sk"].startswith("SCOPE#")}
    assert (left, run.incomplete, run.done) == (broken, len(broken), 40)


def test_failed_scopes_are_tried_once_more_after_the_longest_pause(table: Weighed) -> None:
    broken = {"000001"}
    driver = Driver(table, FailingFeature(table, 3, broken))
    driver.engine().handle(driver.start(), remaining=driver.remaining)
    assert (driver.run.status, driver.run.parked_until) == (RunStatus.PARKED, int(driver.now) + 20)
    broken.clear()
    [sent] = driver.queue.receive()
    driver.now += sent.delay_seconds
    assert driver.work(sent.body).status is RunStatus.IDLE


class Limited(Failing):
    """A stage of which GitLab lets a slice read two scopes before it says how long to wait."""

    reads = 0

    async def read(self, scope: Scope) -> None:
        self.reads += 1
        if self.reads > 2:
            raise RateLimited("429", retry_after=60, http_status=429)
        await super().read(scope)


class LimitedFeature(FailingFeature):
    def stages(self, session: Session) -> Sequence[Stage]:
        return [Limited(session, self._scopes, self.broken)]


def test_a_limit_that_interrupts_each_further_try_of_the_failed_scopes_ends_it_all_the_same(table: Weighed) -> None:
    driver = Driver(table, LimitedFeature(table, 5, {f"{number:06d}" for number in range(5)}))
    run = driver.work(driver.start(), slices=100)
    assert (run.status, run.incomplete, run.done) == (RunStatus.FAILED, 5, 5)


def test_a_worker_that_ends_between_giving_up_and_the_next_stage_counts_nothing_twice(table: Weighed) -> None:
    driver = Driver(table, FailingFeature(table, 3, {"000001"}))
    driver.work(driver.start())
    run = runs.request(driver.run, sync_id="s2", now=int(driver.now))
    ended = Checkpoint(stage="failing", after="000002", passes=3, waited=3, given_up=True)
    RunStore(table).save(
        replace(
            run, checkpoint=ended, done=3, total=3, incomplete=1, last_error={"code": "gitlab_unavailable", "hint": ""}
        )
    )
    again = driver.work({"schema": 1, "integration_id": "i1", "kind": "access", "sync_id": "s2"})
    assert (again.status, again.incomplete, again.done, again.total) == (RunStatus.FAILED, 1, 3, 3)


def test_what_the_release_before_kept_of_failed_scopes_is_tried_again(table: Weighed) -> None:
    driver = Driver(table, FailingFeature(table, 3, set()))
    message = driver.start()
    before = Checkpoint(
        stage="failing",
        after="000002",
        cursors={"000001": {"page": 2}},
        retry={"000001": [{}, "gitlab_unavailable", "502"]},
    )
    RunStore(table).save(replace(driver.run, checkpoint=before, done=2, total=3))
    run = driver.work(message)
    assert (run.status, run.done, run.incomplete) == (RunStatus.IDLE, 3, 0)
    assert [row for row in table.dump() if row["sk"].startswith("SCOPE#")] == []


def test_a_journal_of_any_length_has_small_rows(table: Weighed) -> None:
    people = [f"p{number:07d}" for number in range(60_000)]
    team_rows(table).put("all", [Row(name, {"name": name}) for name in people], dict.fromkeys(people, "h"), {})
    driver = Driver(table, EstateFeature(Estate({"t1": ["p"]}), table))
    table.largest.clear()
    ticks = iter([900.0] * 4)
    driver.remaining = lambda: next(ticks, 0.0)
    driver.engine().handle(driver.start(), remaining=driver.remaining)
    driver.remaining = lambda: 900.0
    run = driver.work(driver.queue.take()[0])
    assert (run.status, run.suspected) == (RunStatus.SUSPECT, {"teams": len(people)})
    assert 100_000 < table.largest.get("JOURNAL", 0) + 100_000 < 100_000 + 400 * 1024
    assert table.largest["INTEGRATION"] < MOST_BYTES


def test_entries_are_shared_out_in_their_order() -> None:
    entries: dict[str, list[Any]] = {
        "teams/seen": [["all", ["k" * 100] * 300] for _ in range(40)],
        "teams/missing": [["all", 1, [], 0, 1]],
    }
    chunks = list(chunked(entries))
    assert len(chunks) > 3
    joined: dict[str, list[Any]] = {}
    for chunk in chunks:
        for name, noted in chunk.items():
            joined.setdefault(name, []).extend(noted)
    assert joined == entries
    assert list(chunked({})) == []


def refusing(refused: Callable[[Item], bool]) -> tuple[Driver, Estate]:
    """A driver whose table refuses some rows."""
    estate = Estate({name: list(people) for name, people in TEAMS.items()})
    table = refusing_table(MemoryTable(), refused)
    return Driver(table, EstateFeature(estate, table)), estate


def test_a_row_that_is_refused_fails_its_scope_and_nobody_else() -> None:
    driver, estate = refusing(lambda item: item["sk"] == "t3#lead")
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"], run.incomplete) == (RunStatus.FAILED, "storage_refused", 1)
    assert stored(driver.table) == {**truth(estate), "t3": []}
    assert [run.status for run in driver.ended] == [RunStatus.FAILED]


@pytest.mark.parametrize(
    "refused",
    [
        lambda item: item["pk"].startswith("JOURNAL#"),
        lambda item: "after" in item.get("checkpoint", "") and '"stage":"members"' in item["checkpoint"],
        lambda item: item["sk"].startswith("SCOPE#"),
    ],
    ids=["journal", "run", "note"],
)
def test_a_row_of_the_engine_that_is_refused_ends_the_run_where_everybody_sees_it(
    refused: Callable[[Item], bool],
) -> None:
    driver, estate = refusing(refused)
    estate.closed["t2"] = Unavailable("502", http_status=502)
    run = driver.work(driver.start())
    assert run.last_error is not None
    assert (run.status, run.last_error["code"]) == (RunStatus.FAILED, "storage_refused")
    assert [run.status for run in driver.ended] == [RunStatus.FAILED]
