"""What stands beside a run's purpose: it is noted where it was not read, and the run is complete all the same."""

from collections.abc import AsyncIterator, Sequence

import pytest

from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Scope, Session, Stage
from gitlab_hub.sync.run import Run, RunStatus
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature, Members, Sweep, Teams
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import TEAMS, stored, truth


class Extras:
    """A stage that is refused what it asks for, and that does not ask in every run."""

    name = "extras"

    def __init__(self, feature: "WithExtras", session: Session) -> None:
        self._feature, self._session = feature, session

    async def size(self) -> int | None:
        """Not known."""
        return None

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Two of them, or none."""
        if not self._feature.asks:
            self._session.keep_notes()
            return
        for key in ("a", "b"):
            if key > (after or ""):
                yield Scope(key, {"type": "group", "id": 1, "path": key})

    async def read(self, scope: Scope) -> None:
        """Ask, and be refused."""
        self._feature.reads.append(scope.key)
        if self._feature.status:
            await self._session.aside(scope, self._feature.status, "invalid_permissions", "403 Forbidden")


class WithExtras(EstateFeature):
    """An estate with something beside it."""

    def __init__(self) -> None:
        super().__init__(Estate({name: list(people) for name, people in TEAMS.items()}), MemoryTable())
        self.asks, self.status, self.reads = True, "forbidden", list[str]()

    def stages(self, session: Session) -> Sequence[Stage]:
        """The extras stand between the lists and what is in them."""
        return [Teams(self, session), Extras(self, session), Members(self, session), Sweep(self, session)]


@pytest.fixture
def feature() -> WithExtras:
    return WithExtras()


@pytest.fixture
def driver(feature: WithExtras) -> Driver:
    return Driver(feature.table, feature)


def notes(driver: Driver) -> list[Item]:
    return driver.table.query("INTEGRATION#i1", prefix="SCOPE#").items


def assert_whole(driver: Driver, feature: WithExtras, run: Run) -> None:
    assert (run.status, run.incomplete, run.last_error) == (RunStatus.IDLE, 0, None)
    assert not any(amount for name, amount in run.counts.items() if name.startswith("scopes_"))
    assert stored(driver.table) == truth(feature.estate)


@pytest.mark.parametrize("status", ["forbidden", "gone", "failed", "partial"])
def test_what_was_not_read_beside_the_run_is_noted_and_asked_for_once(
    driver: Driver, feature: WithExtras, status: str
) -> None:
    feature.status = status
    assert_whole(driver, feature, driver.work(driver.start()))
    assert [(note["sk"], note["status"], note["hint"]) for note in notes(driver)] == [
        (f"SCOPE#access#extras#{key}", status, "403 Forbidden") for key in ("a", "b")
    ]
    assert sorted(feature.reads) == ["a", "b"]


def test_notes_stay_over_runs_that_do_not_ask_whatever_worker_ends_them(driver: Driver, feature: WithExtras) -> None:
    driver.work(driver.start())
    before = notes(driver)
    feature.asks = False
    # Time is up again and again: the worker that ends the run is not the one that came by the stage.
    for calls in range(1, 30):
        left = iter([*([900.0] * calls), 1.0])
        driver.remaining = lambda left=left: next(left, 900.0)  # type: ignore[misc]  # each has its own
        assert_whole(driver, feature, driver.work(driver.start(f"s{calls + 1}")))
        assert notes(driver) == before, calls


def test_notes_of_other_stages_go_all_the_same(driver: Driver, feature: WithExtras) -> None:
    driver.work(driver.start())
    row = {**notes(driver)[0], "sk": "SCOPE#access#members#t1"}
    driver.table.put(row)
    feature.asks = False
    driver.work(driver.start("s2"))
    assert [note["sk"].split("#")[2] for note in notes(driver)] == ["extras", "extras"]


def test_what_is_read_in_the_end_has_no_note_any_more(driver: Driver, feature: WithExtras) -> None:
    driver.work(driver.start())
    feature.status = ""
    driver.work(driver.start("s2"))
    assert notes(driver) == []
