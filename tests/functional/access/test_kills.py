"""A worker killed at any call to the table: whoever carries on ends with GitLab's state, and nothing went wrongly."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

import pytest

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Scheduled, SyncTarget
from gitlab_hub.sync.run import LEASE_SECONDS, RunStatus
from tests.fakes.engine import Driver, FakeTargets
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, every_call, faulty
from tests.fakes.mirrored_source import FakeGitLab
from tests.functional.access.company import ADMIN, BOT, JANE, MEMBER, OLE, STEP, Company, member


class Targets(FakeTargets):
    """One integration, with a credential of our choice."""

    def __init__(self, who: SyncTarget) -> None:
        super().__init__()
        self._who = who

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        return {self._who.integration_id} & set(ids)

    def scheduled_page(self, after: str | None) -> Scheduled:
        return Scheduled([self._who.integration_id] if after is None else [], None)

    def target(self, integration_id: str) -> SyncTarget | None:
        return self._who


def scenario(who: SyncTarget) -> tuple[Company, Driver, dict[str, Any]]:
    """A company synced once; then the bot left one project, and somebody new joined."""
    company = Company(page_size=2)
    company.script["/user"] = {"id": 7}
    driver = Driver(company.table, company.feature, cast("FakeGitLab", company.gitlab))
    driver.targets = Targets(who)
    assert driver.work(driver.start()).status is RunStatus.IDLE
    company.script["/projects/8/members"] = [member(JANE, "jane"), member(OLE, "ole", 10)]
    company.script["/groups/2/members"] = [member(BOT, "project_8_bot_ab12", 20)]
    return company, driver, driver.start("s2")


FLUSHES = 6
"""Calls that a slow run makes and a quick one does not."""


def work_until_killed(driver: Driver, table: Table, message: dict[str, Any], plan: Plan) -> None:
    view = faulty(table, plan)
    driver.feature = AccessFeature(view)
    driver.engine(view).handle(message, remaining=driver.remaining)


@pytest.mark.parametrize("who", [ADMIN, MEMBER])
@BEFORE_OR_AFTER
def test_a_kill_at_every_call_converges(who: SyncTarget, *, applied: bool) -> None:
    company, driver, message = scenario(who)
    counting = Plan()
    work_until_killed(driver, company.table, message, counting)
    truth = (company.ids("accounts"), company.ids("groups"), company.ids("projects"), company.grants())
    assert truth[0] == [JANE, OLE, BOT]
    for plan in every_call(first=1 + 2 * applied + 5 * (who is MEMBER), step=STEP, applied=applied, repeat=True):
        company, driver, message = scenario(who)
        with suppress(Crash):
            work_until_killed(driver, company.table, message, plan)
        assert company.ids("accounts") == [JANE, OLE, BOT], plan
        driver.feature = company.feature
        driver.now += LEASE_SECONDS + 1
        run = driver.work(message)
        assert (run.status, run.suspected) == (RunStatus.IDLE, {}), plan
        assert (company.ids("accounts"), company.ids("groups"), company.ids("projects"), company.grants()) == truth
    assert plan.at >= len(counting.calls) - FLUSHES
