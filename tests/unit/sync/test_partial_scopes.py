"""Scopes that were read but for a part: their notes say so, however many tries and workers the reading takes."""

from collections.abc import Sequence
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, Unavailable, UnexpectedResponse
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Row, Scope, Session, Stage
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.scope_notes import MOST_ROWS
from gitlab_hub.sync.unreadable_rows import read_skipping_unreadable
from tests.fakes.engine import Driver
from tests.fakes.mirrored_source import Estate, EstateFeature, Members, Sweep, Teams
from tests.fakes.table import MemoryTable
from tests.unit.sync.test_engine import TEAMS, stored, truth

DOWN = Unavailable("502", http_status=502)
ODD = ("unexpected_response", "1 of GitLab's rows cannot be understood.")


class OddTeams(Teams):
    """A list whose first page has a row that cannot be understood."""

    async def read(self, scope: Scope) -> None:
        """Page through it, and say so."""
        after: Any = self.session.cursor(scope) or ""
        while page := self.estate.list_teams(after):
            if after == "":
                await self.session.partial(scope, *ODD)
            await self.teams.upsert("all", [Row(name, {"name": name}) for name in page])
            after = page[-1]
            await self.session.checkpoint(scope, after)
        await self.teams.complete("all")


class OddMembers(Members):
    """Teams one of which has such a member."""

    async def read(self, scope: Scope) -> None:
        """Read one team, and say so."""
        await super().read(scope)
        if scope.key == "t1":
            await self.session.partial(scope, *ODD)


class OddEstate(EstateFeature):
    """An estate with a row in it that cannot be understood."""

    def __init__(self, stage: type[Teams | Members]) -> None:
        self.odd = stage
        super().__init__(Estate({name: list(people) for name, people in TEAMS.items()}), MemoryTable())

    def stages(self, session: Session) -> Sequence[Stage]:
        """The three steps, one of them an odd one."""
        usual: tuple[type[Teams | Members | Sweep], ...] = (Teams, Members, Sweep)
        return [(self.odd if issubclass(self.odd, stage) else stage)(self, session) for stage in usual]


def driver_of(stage: type[Teams | Members], *failing: int, error: GitLabError = DOWN) -> Driver:
    feature = OddEstate(stage)
    feature.estate.faults = dict.fromkeys(failing, error)
    return Driver(feature.table, feature)


def notes(driver: Driver) -> list[Item]:
    return driver.table.query("INTEGRATION#i1", prefix="SCOPE#").items


def assert_read_but_for_one_row(driver: Driver, key: str) -> None:
    assert isinstance(driver.feature, OddEstate)
    assert (driver.run.status, stored(driver.table)) == (RunStatus.IDLE, truth(driver.feature.estate))
    [note] = notes(driver)
    assert (note["sk"], note["status"], note["code"], note["hint"]) == (f"SCOPE#access#{key}", "partial", *ODD)


@pytest.mark.parametrize("failing", [(), (6,), (6, 12)])
def test_a_scope_that_is_read_in_part_is_listed_whichever_try_has_read_it(failing: tuple[int, ...]) -> None:
    driver = driver_of(OddMembers, *failing)
    driver.work(driver.start())
    assert_read_but_for_one_row(driver, "members#t1")


def test_a_second_try_that_goes_on_behind_an_odd_row_does_not_hide_it() -> None:
    driver = driver_of(OddTeams, 3)
    driver.work(driver.start())
    assert_read_but_for_one_row(driver, "teams#all")


@pytest.mark.parametrize("looks", range(1, 16))
def test_a_second_try_that_meets_an_odd_row_and_is_cut_short_is_carried_on(looks: int) -> None:
    driver, left = driver_of(OddTeams, 1), iter([900.0] * looks + [0.0])
    driver.remaining = lambda: next(left, 900.0)
    driver.work(driver.start())
    assert_read_but_for_one_row(driver, "teams#all")


def test_a_scope_that_fails_to_the_end_is_listed_as_failed() -> None:
    driver = driver_of(OddTeams, *range(2, 6))
    assert driver.work(driver.start()).status is RunStatus.FAILED
    assert [(note["status"], note["code"]) for note in notes(driver)] == [("failed", "gitlab_unavailable")]


def test_a_scope_that_is_refused_at_its_second_try_is_listed_as_refused() -> None:
    driver = driver_of(OddTeams, 2)
    assert isinstance(driver.feature, OddEstate)
    driver.feature.estate.faults[3] = Forbidden("403", http_status=403)
    driver.work(driver.start())
    assert [(note["status"], note["code"]) for note in notes(driver)] == [("forbidden", Forbidden.code)]


def reasons(driver: Driver) -> list[str]:
    return [note["hint"] for note in notes(driver)]


class OddPages(Teams):
    """A list on each of whose pages some rows cannot be understood; at its end something else is said of it too."""

    rows_per_page = 2

    async def read(self, scope: Scope) -> None:
        """Page through it."""
        after: Any = self.session.cursor(scope) or ""
        while page := self.estate.list_teams(after):
            odd = [f"{page[0]}-{number}" for number in range(self.rows_per_page)]
            rows: list[dict[str, Any]] = [{"id": name} for name in [*page, *odd]]
            good = await read_skipping_unreadable(self.session, scope, rows, understood)
            await self.teams.upsert("all", [Row(name, {"name": name}) for _, name in good])
            after = page[-1]
            await self.session.checkpoint(scope, after)
        await self.teams.complete("all")


class ManyOddPages(OddPages):
    """More of them than can be named."""

    rows_per_page = 15


class OwingPages(OddPages):
    """Such a list of which something else is said at its end."""

    async def read(self, scope: Scope) -> None:
        """Page through it."""
        await super().read(scope)
        await self.session.partial(scope, "forbidden", "Something is hidden.")


def understood(row: dict[str, Any]) -> str:
    if "-" in row["id"]:
        raise UnexpectedResponse("odd")
    return str(row["id"])


@pytest.mark.parametrize("failing", [(), (2,), (1, 2)])
@pytest.mark.parametrize("looks", [None, 3, 5, 8])
def test_the_odd_rows_of_all_pages_are_named_and_the_scope_counts_once(
    failing: tuple[int, ...], looks: int | None
) -> None:
    driver = driver_of(OddPages, *failing)
    left = iter([900.0] * (looks or 0) + [0.0] * bool(looks))
    driver.remaining = lambda: next(left, 900.0)
    driver.work(driver.start())
    [reason] = reasons(driver)
    assert [name for page in ("t0", "t3", "t6") for name in (f"{page}-0", f"{page}-1") if name not in reason] == []
    if looks is None:
        assert (driver.run.incomplete, driver.run.counts["scopes_partial"]) == (1, 1)


def test_no_more_rows_are_named_than_a_note_has_room_for() -> None:
    driver = driver_of(ManyOddPages)
    driver.work(driver.start())
    [reason] = reasons(driver)
    assert reason.count("-") == MOST_ROWS
    assert reason.endswith(", …")


def test_what_else_is_said_of_a_scope_does_not_hide_its_odd_rows() -> None:
    driver = driver_of(OwingPages)
    driver.work(driver.start())
    [note] = notes(driver)
    assert note["code"] == "forbidden"
    assert note["hint"].startswith("Something is hidden. ")
    assert "-1" in note["hint"]
    assert driver.run.incomplete == 1
