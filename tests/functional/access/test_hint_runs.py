"""A hint that is processed at any call of a run neither disturbs the run nor is undone by it."""

import asyncio
from typing import Any, cast

import pytest

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.sync.ports import SyncTarget
from gitlab_hub.sync.run import RunStatus
from tests.fakes.engine import Driver
from tests.fakes.faults import Plan, every_call, faulty
from tests.fakes.mirrored_source import FakeGitLab
from tests.functional.access.company import ADMIN, BESIDE, BOT, JANE, MEMBER, OLE, STEP, TOP_GROUP, member, project
from tests.functional.access.hinted_company import NEW, HintedCompany

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP], ids=["admin", "member", "group"])


def happen(company: HintedCompany) -> None:
    """Let somebody join, leave and rise, and let there be a new project; then give the hints."""
    company.script["/projects/8/members"] = [member(JANE, "jane", 50), member(OLE, "ole", 20)]
    company.script.pop(f"/projects/8/members/{BOT}", None)
    company.script[f"/projects/8/members/{OLE}"] = member(OLE, "ole", 20)
    fresh = project(NEW, "acme/fresh")
    for path in ("/projects", "/groups/Acme/projects", "/groups/1/projects"):
        company.script[path] = [*company.script[path], fresh]
    company.script.update({f"/projects/{NEW}": fresh, f"/projects/{NEW}/members": [member(JANE, "jane", 40)]})
    company.script[f"/projects/{NEW}/members/{JANE}"] = member(JANE, "jane", 40)
    company.hint(project=8, group=1)
    company.hint(project=NEW)


def start(who: SyncTarget) -> tuple[HintedCompany, Driver, dict[str, Any]]:
    """A run of the schedule's that is about to begin."""
    company = HintedCompany(who)
    company.script["/user"] = {"id": 7}
    driver = Driver(company.table, company.feature, cast("FakeGitLab", company.gitlab))
    driver.targets = company.hint_worker.targets
    return company, driver, driver.start()


def run_with(who: SyncTarget, plan: Plan) -> tuple[HintedCompany, Driver]:
    """A run in which all that happens before one of its calls."""
    company, driver, message = start(who)
    plan.meanwhile = lambda: happen(company)
    view = faulty(company.table, plan)
    driver.feature = AccessFeature(view)
    driver.engine(view).handle(message, remaining=driver.remaining)
    driver.feature = company.feature
    return company, driver


def rows(company: HintedCompany) -> list[Any]:
    """What is stored of GitLab."""
    return [row for row in company.table.dump() if row["pk"].startswith("i1#") and row["pk"] not in BESIDE]


def run_rows(company: HintedCompany) -> list[Any]:
    """What the engine keeps of a run."""
    return [row for row in company.table.dump() if row["pk"].startswith(("INTEGRATION#", "JOURNAL#"))]


def brought(company: HintedCompany) -> bool:
    """Say whether what the hints brought is there."""
    grants = {(row["resource_id"], row["account_id"]) for row in rows(company) if row["pk"].startswith("i1#grants#")}
    return grants >= {(8, OLE), (NEW, JANE)}


@WHO
def test_a_hint_at_any_call_of_a_run_leaves_both_in_order(who: SyncTarget) -> None:
    truth = HintedCompany(who)
    happen(truth)
    asyncio.run(truth.sync(who))
    for plan in every_call(first=1 + 5 * (who is MEMBER), step=STEP):
        company, driver = run_with(who, plan)
        if not plan.struck:
            break
        assert (driver.run.status, driver.run.suspected, driver.run.incomplete) == (RunStatus.IDLE, {}, 0)
        assert brought(company), plan
        run = driver.work(driver.start("s2"))
        assert (run.status, rows(company)) == (RunStatus.IDLE, rows(truth)), plan
    assert plan.at > 30


@WHO
def test_a_hint_between_two_workers_of_a_run_touches_nothing_of_the_run(who: SyncTarget) -> None:
    slices = 0
    for life in range(2, 40, 3):
        company, driver, message = start(who)
        left = iter([900.0] * life)
        driver.engine().handle(message, remaining=lambda: next(left, 0.0))  # noqa: B023 - used at once
        if driver.run.status.at_rest:
            break
        slices += 1
        before = run_rows(company)
        happen(company)
        assert (run_rows(company), brought(company)) == (before, True)
        run = driver.work(driver.queue.take()[0])
        assert (run.status, run.suspected, brought(company)) == (RunStatus.IDLE, {}, True)
    assert slices > 5
