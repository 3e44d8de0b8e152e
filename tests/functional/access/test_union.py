import asyncio
from typing import Any

import pytest

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.gitlab.errors import Forbidden, GitLabError, RateLimited, ResourceNotFound, Unauthorized, Unavailable
from gitlab_hub.sync.ports import Scope, SyncTarget
from tests.fakes.faults import Plan, faulty
from tests.fakes.session import run, run_in_slices
from tests.functional.access.company import ADMIN, BOT, JANE, MEMBER, OLE, TOP_GROUP, Company, member, target, user

POOR = [{"id": JANE, "username": "jane", "name": "Jane", "state": "active"}]
CLOSED = pytest.mark.parametrize("error", [Forbidden("no", http_status=403), ResourceNotFound("no", http_status=404)])


def leave(company: Company) -> None:
    """Ole leaves; eight others keep the listing from looking doubtful."""
    company.script["/projects/9/members"] = []
    company.script["/projects/8/members"] += [member(number, f"m{number}") for number in range(20, 28)]


async def left_behind(who: SyncTarget, *, error: GitLabError | None = None) -> Company:
    company = Company()
    await company.sync(who)
    leave(company)
    await company.sync(who)
    company.script["/projects/8/members"] = company.script["/projects/8/members"][:-1]
    if error is not None:
        company.script["/groups/2/members"] = error
    await company.sync(who)
    return company


@pytest.mark.parametrize("who", [MEMBER, TOP_GROUP, target(group="Acme")])
async def test_whoever_is_a_member_of_nothing_any_more_goes(who: SyncTarget) -> None:
    company = await left_behind(who)
    assert OLE not in company.ids("accounts")
    assert 27 not in company.ids("accounts")
    assert {JANE, BOT} <= set(company.ids("accounts"))


@CLOSED
async def test_no_account_goes_while_a_member_list_is_closed(error: GitLabError) -> None:
    company = await left_behind(MEMBER, error=error)
    assert 27 in company.ids("accounts")
    assert ("project", 8, 27, 30) not in company.grants()


async def test_an_account_with_a_grant_left_stays_though_nobody_met_it() -> None:
    company = Company()
    await company.sync(MEMBER)
    leave(company)
    company.script["/projects/9/members/6"] = member(OLE, "ole", 20)
    await company.sync(MEMBER)
    assert OLE in company.ids("accounts")


async def test_an_administrator_limited_to_a_group_takes_its_members_only() -> None:
    company = Company()
    company.script["/users"].append(user(99, "elsewhere"))
    await company.sync(target(group="Acme"))
    assert company.ids("accounts") == [JANE, OLE, BOT]


async def test_an_administrator_in_admin_mode_counts_as_a_member_of_things() -> None:
    company = Company()
    company.script["/users"] = POOR
    await company.sync(ADMIN)
    assert company.ids("accounts") == [JANE, OLE, BOT]


async def test_a_lost_user_list_removes_and_erases_nothing() -> None:
    company = Company()
    company.script["/users"] += [user(number, f"u{number}") for number in range(20, 40)]
    await company.sync(ADMIN)
    before = company.table.dump()
    company.script["/users"] = POOR
    session = await company.sync(ADMIN)
    assert (session.durable.errors, session.suspected) == ({}, {})
    assert company.table.dump() == before


async def test_a_user_list_that_turns_poor_on_the_way_is_not_taken() -> None:
    company = Company(page_size=2)

    def turning(parameters: dict[str, Any]) -> list[dict[str, Any]]:
        rows = [user(number, f"u{number}") for number in range(20, 24)]
        return rows if parameters["start"] == 0 else [*rows[:2], {"id": 22}, {"id": 23}]

    company.script["/users"] = turning
    session = await company.sync(ADMIN)
    assert list(session.durable.errors) == [("accounts", "all")]
    assert company.ids("accounts") == [20, 21]


async def test_a_member_seen_twice_is_stored_once_and_asked_for_once() -> None:
    company = Company()
    session = await company.sync(MEMBER)
    accounts = [key for _, keys in session.durable.journal["accounts/seen"] for key in keys]
    assert sorted(accounts) == ["000000000005", "000000000006", "000000000007"]


async def test_an_administrators_knowledge_outlives_a_lesser_token() -> None:
    company = Company()
    await company.sync(ADMIN)
    await company.sync(target(is_admin=False))
    row = company.rows("accounts")["000000000005"]
    assert (row["emails"][0]["value"], row["last_activity_on"]) == ("jane@example.com", "2026-02-01")


async def test_a_union_gathered_by_several_workers_is_whole() -> None:
    company = Company(page_size=1)
    await company.sync(MEMBER)
    session = await run_in_slices(company.feature, company.session(MEMBER))
    assert company.ids("accounts") == [JANE, OLE, BOT]
    assert session.suspected == {}


async def test_trouble_with_the_user_list_is_met_once() -> None:
    company = Company()
    company.script["/users"] = Unavailable("no", http_status=502)
    session = await company.sync(ADMIN)
    assert list(session.durable.errors) == [("accounts", "all")]
    assert company.gitlab.paths.count("/users") == 2
    assert company.ids("accounts") == [JANE, OLE, BOT]


@pytest.mark.parametrize(
    "error", [RateLimited("later", http_status=429, retry_after=900), Unauthorized("no", http_status=401)]
)
async def test_a_pause_or_a_dead_token_is_not_taken_for_doubt(error: GitLabError) -> None:
    company = Company()
    company.script["/users"] = error
    session = await company.sync(ADMIN)
    assert set(session.durable.errors.values()) == {error}
    assert company.ids("accounts") == []


async def test_a_sweep_that_must_be_tried_again_doubts_nobody() -> None:
    company = Company()
    await company.sync(MEMBER)
    leave(company)
    company.script["/projects/9/members/6"] = Unavailable("no", http_status=502)
    session = await company.sync(MEMBER)
    assert list(session.durable.errors) == [("sweep", "all")]
    session.durable.done.remove(("sweep", "all"))
    del company.script["/projects/9/members/6"], session.durable.errors["sweep", "all"]
    await run(company.feature, session)
    assert session.suspected == {}
    assert OLE not in company.ids("accounts")
    assert JANE in company.ids("accounts")


@pytest.mark.parametrize(("rich", "poor"), [(1, 2), (2, 1)])
async def test_two_lists_read_at_once_do_not_take_from_each_other(rich: int, poor: int) -> None:
    company = Company()
    company.script[f"/groups/{rich}/members"] = [member(JANE, "jane", email="jane@example.com")]
    stages = {stage.name: stage for stage in company.feature.stages(company.session(MEMBER))}
    await stages["groups"].read(Scope("all"))
    company.script[f"/groups/{poor}/members"] = [member(JANE, "jane")]
    members = stages["group_members"]
    await asyncio.gather(*(members.read(Scope(key)) for key in ("000000000001", "000000000002")))
    assert [email["value"] for email in company.rows("accounts")["000000000005"]["emails"]] == ["jane@example.com"]


async def test_a_list_that_fails_half_way_leaves_its_members_to_the_next() -> None:
    company = Company()
    odd = member(OLE, "ole", identities=[{}] * 1_001)
    company.script["/groups/1/members"] = [member(JANE, "jane"), odd]
    session = await company.sync(MEMBER)
    assert list(session.durable.errors) == [("group_members", "000000000001")]
    assert company.ids("accounts") == [JANE, OLE, BOT]


async def test_what_was_told_once_is_not_read_again() -> None:
    company = Company()
    plan = Plan()
    company.feature = AccessFeature(faulty(company.table, plan))
    await company.sync(MEMBER)
    plan.calls.clear()
    await company.sync(MEMBER)
    before = plan.calls.count("get_many")
    company.script["/groups/2/members"] = company.script["/groups/1/members"]
    plan.calls.clear()
    await company.sync(MEMBER)
    assert plan.calls.count("get_many") == before


async def test_a_token_that_is_an_administrators_no_more_is_shown_nobody_who_administers() -> None:
    company = Company()
    company.script["/users"] = [user(JANE, "jane", is_admin=True), *company.script["/users"][1:]]
    await company.sync(ADMIN)
    assert company.rows("readings")["administrators"]["ids"] == [JANE]
    await company.sync(MEMBER)
    assert "administrators" not in company.rows("readings")
