"""A worker that is frozen inside any call to a table, and wakes when another one has finished, changes nothing."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.store import partitions
from gitlab_hub.sync.history import history_partition
from gitlab_hub.sync.message import purge_message
from gitlab_hub.sync.ports import Kind, SyncTarget
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.worker import Area, PurgeBook, Purger
from tests.fakes.engine import Driver
from tests.fakes.faults import every_call, faulty
from tests.fakes.mirrored_source import FakeGitLab
from tests.functional.access.company import ADMIN, BESIDE, BOT, JANE, MEMBER, OLE, STEP, member
from tests.functional.access.hinted_company import HintedCompany

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
Change = Callable[[HintedCompany], None]


def members(company: HintedCompany, **levels: int) -> None:
    """Let a project have these members, and no others."""
    people = {"jane": (JANE, "jane"), "ole": (OLE, "ole"), "bot": (BOT, "project_8_bot_ab12")}
    company.script["/projects/8/members"] = [member(*people[name], level) for name, level in levels.items()]
    for name, (number, username) in people.items():
        company.script.pop(f"/projects/8/members/{number}", None)
        if name in levels:
            company.script[f"/projects/8/members/{number}"] = member(number, username, levels[name])


def story(seen: dict[str, int], then: dict[str, int]) -> tuple[Change, Change]:
    """What the worker gets to see, and what is true when it wakes."""
    return lambda company: members(company, **seen), lambda company: members(company, **then)


STORIES = [
    pytest.param(1, *story({"jane": 50, "bot": 30}, {"jane": 20, "bot": 30}), id="another level"),
    pytest.param(3, *story({"jane": 50, "bot": 30}, {"jane": 30, "bot": 30}), id="the level from before"),
    pytest.param(6, *story({"jane": 30}, {"jane": 30, "bot": 30}), id="left and came back"),
    pytest.param(9, *story({"jane": 30, "bot": 30, "ole": 30}, {"jane": 30, "bot": 30}), id="came and left"),
]


def start(who: SyncTarget, seen: Change) -> tuple[HintedCompany, Driver, dict[str, Any]]:
    """A synced company in which something has changed, and a run that is about to begin."""
    company = HintedCompany(who)
    company.script["/user"] = {"id": 7}
    members(company, jane=30, bot=30)
    driver = Driver(company.table, company.feature, cast("FakeGitLab", company.gitlab))
    driver.targets = company.hint_worker.targets
    driver.work(driver.start("s0"))
    seen(company)
    return company, driver, driver.start("s1")


def purger(company: HintedCompany) -> Purger:
    """What removes all that is left of an integration."""
    book = PurgeBook(company.table, Kind.ACCESS)
    areas = [Area(company.table, partitions), Area(company.table, lambda one: [history_partition(one)])]
    return Purger(areas=areas, queue=company.hint_worker.queue, book=book, now=lambda: 0.0)


def rows(company: HintedCompany) -> list[Any]:
    """Everything stored of GitLab."""
    kept = (row for row in company.table.dump() if row["pk"].startswith("i1#"))
    return [row for row in kept if row["pk"] not in BESIDE]


def scopes(company: HintedCompany) -> list[Any]:
    """What is noted of scopes that were not read completely; lists that Owners alone are shown are noted of others."""
    noted = (row for row in company.table.dump() if row["sk"].startswith("SCOPE#"))
    return [row for row in noted if not row["sk"].startswith("SCOPE#access#account_lists#")]


def truth(who: SyncTarget, then: Change) -> list[Any]:
    """What is stored where nobody was frozen."""
    company, driver, message = start(who, then)
    driver.work(message)
    return rows(company)


@WHO
@pytest.mark.parametrize(("first", "seen", "then"), STORIES)
def test_a_frozen_worker_of_a_run(who: SyncTarget, first: int, seen: Change, then: Change) -> None:
    expected = truth(who, then)
    for plan in every_call(first=first + (who is MEMBER), step=STEP):
        company, driver, message = start(who, seen)

        def another(
            company: HintedCompany = company, driver: Driver = driver, message: dict[str, Any] = message
        ) -> None:
            then(company)
            driver.now += LEASE_SECONDS
            driver.feature = company.feature
            driver.work(message)
            if driver.run.succeeded_at is None or rows(company) != expected:
                # The frozen worker had not begun, or had removed something rightly: the next run has the rest.
                driver.work(driver.start("s2"))
            assert rows(company) == expected, "before it woke"

        plan.meanwhile = another
        view = faulty(company.table, plan)
        driver.feature = AccessFeature(view)
        driver.engine(view).handle(message, remaining=driver.remaining)
        if not plan.struck:
            break
        assert (driver.run.status, rows(company), scopes(company)) == (RunStatus.IDLE, expected, []), plan
    assert plan.at > 40


@WHO
@pytest.mark.parametrize(("first", "seen", "then"), STORIES)
def test_a_frozen_worker_of_a_hint(who: SyncTarget, first: int, seen: Change, then: Change) -> None:
    expected = truth(who, then)
    for plan in every_call(first=1 + first % 2, step=2):
        company, driver, message = start(who, seen)
        company.hint_worker.access.project("i1", 8)
        [hint] = company.hint_worker.queue.take()

        def another(
            company: HintedCompany = company, driver: Driver = driver, message: dict[str, Any] = message
        ) -> None:
            then(company)
            driver.work(message)
            assert rows(company) == expected, "before it woke"

        plan.meanwhile = another
        view = faulty(company.table, plan)
        company.hint_worker.state = view
        company.hint_worker.handler(table=view).handle(hint, remaining=company.hint_worker.remaining)
        company.hint_worker.state = company.table
        if not plan.struck:
            break
        # The hint may have been postponed: then it is processed again, and reads what is true by now.
        company.hint_worker.work()
        assert rows(company) == expected, plan
    assert plan.at > 8


@WHO
def test_a_frozen_worker_of_an_integration_that_is_gone(who: SyncTarget) -> None:
    seen, _ = story({"jane": 50, "ole": 30}, {})
    for plan in every_call(first=1 + 5 * (who is MEMBER), step=STEP):
        company, driver, message = start(who, seen)

        def remove(company: HintedCompany = company, driver: Driver = driver) -> None:
            driver.now += LEASE_SECONDS
            RunStore(company.table).delete("i1")
            purger(company).handle(purge_message("i1"), remaining=lambda: 900.0)

        plan.meanwhile = remove
        view = faulty(company.table, plan)
        driver.feature = AccessFeature(view)
        driver.engine(view).handle(message, remaining=driver.remaining)
        if not plan.struck:
            break
        left = [row["pk"] for row in company.table.dump() if not row["pk"].startswith("BUDGET#")]
        assert set(left) <= {"i1#fence"}, plan
    assert plan.at > 40
