import pytest

from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.sync.ports import SyncTarget
from tests.functional.access.company import (
    ADMIN,
    BOT,
    JANE,
    MEMBER,
    OLE,
    TOP_GROUP,
    Company,
    group,
    member,
    project,
    user,
)


@pytest.fixture
async def company() -> Company:
    """A company that was synced once, with enough in it for single removals not to look suspicious."""
    company = Company()
    for number in range(20, 30):
        name = f"p{number}"
        for path in ("/projects", "/groups/Acme/projects"):
            company.script[path].append(project(number, f"acme/{name}"))
        company.script["/users"].append(user(number, name))
        company.script["/groups"].append(group(number, f"acme/{name}"))
        company.script["/groups/1/descendant_groups"].append(group(number, f"acme/{name}"))
        company.script[f"/projects/{number}/members"] = [member(number, name)]
        company.script[f"/groups/{number}"] = group(number, f"acme/{name}")
        company.script[f"/groups/{number}/members"] = []
        company.script[f"/projects/{number}"] = project(number, f"acme/{name}")
        company.script[f"/users/{number}"] = user(number, name)
        company.script[f"/groups/{number}/members/all/1"] = member(1, "root")
    return company


def without(company: Company, path: str, *numbers: int) -> None:
    company.script[path] = [row for row in company.script[path] if row["id"] not in numbers]


@pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP])
async def test_a_revoked_grant_goes(company: Company, who: SyncTarget) -> None:
    await company.sync(who)
    without(company, "/projects/8/members", JANE)
    session = await company.sync(who)
    assert session.suspected == {}
    assert ("project", 8, JANE, 30) not in company.grants()
    assert ("group", 1, JANE, 50) in company.grants()
    assert JANE in company.ids("accounts")


@pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP])
async def test_a_deleted_project_goes_with_its_grants(company: Company, who: SyncTarget) -> None:
    await company.sync(who)
    for path in ("/projects", "/groups/Acme/projects"):
        without(company, path, 9)
    del company.script["/projects/9"], company.script["/projects/9/members"]
    await company.sync(who)
    assert 9 not in company.ids("projects")
    assert [grant for grant in company.grants() if grant[1] == 9] == []


@pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP])
async def test_a_deleted_group_goes_with_its_grants(company: Company, who: SyncTarget) -> None:
    company.script["/groups/2/members"] = [member(OLE, "ole")]
    await company.sync(who)
    for path in ("/groups", "/groups/1/descendant_groups"):
        without(company, path, 2)
    del company.script["/groups/2"], company.script["/groups/2/members"], company.script["/groups/2/members/all/1"]
    await company.sync(who)
    assert 2 not in company.ids("groups")
    assert ("group", 2, OLE, 30) not in company.grants()
    assert ("project", 9, OLE, 20) in company.grants()


async def test_a_deleted_user_goes(company: Company) -> None:
    await company.sync()
    without(company, "/users", OLE)
    without(company, "/projects/9/members", OLE)
    del company.script["/users/6"]
    await company.sync()
    assert OLE not in company.ids("accounts")


async def test_a_recycled_username_is_another_account(company: Company) -> None:
    await company.sync()
    without(company, "/users", OLE)
    del company.script["/users/6"]
    company.script["/users"].append(user(60, "ole"))
    company.script["/projects/9/members"] = [member(60, "ole", 20)]
    await company.sync()
    assert (OLE in company.ids("accounts"), 60 in company.ids("accounts")) == (False, True)
    assert [grant[2] for grant in company.grants() if grant[1] == 9] == [60]


async def test_a_renamed_and_blocked_account_keeps_its_row(company: Company) -> None:
    await company.sync()
    company.script["/users"][0] = user(JANE, "jane-doe", state="blocked")
    await company.sync()
    row = company.rows("accounts")["000000000005"]
    assert (row["username"], row["status"], row["state"]) == ("jane-doe", "disabled", "blocked")


@pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP])
async def test_rows_that_slip_through_a_shifting_list_stay(company: Company, who: SyncTarget) -> None:
    await company.sync(who)
    before = company.table.dump()
    for path in ("/users", "/groups", "/groups/1/descendant_groups", "/projects", "/groups/Acme/projects"):
        without(company, path, 2, 9, BOT)
    without(company, "/projects/8/members", BOT)
    company.script["/projects/8/members/7"] = member(BOT, "project_8_bot_ab12", 40)
    nothing: dict[str, None] = {"project_access": None, "group_access": None}
    if who is MEMBER:
        company.script["/projects/9"] |= {"permissions": {**nothing, "group_access": {"access_level": 50}}}
    else:
        # An administrator need not be a member of anything, nor a token inside its group.
        company.script["/projects/9"] |= {"permissions": nothing}
        del company.script["/groups/2/members/all/1"]
    session = await company.sync(who)
    assert session.counts["rows_removed"] == 0
    assert company.table.dump() == before


async def test_what_moved_out_of_the_group_goes(company: Company) -> None:
    await company.sync(TOP_GROUP)
    without(company, "/groups/Acme/projects", 9)
    without(company, "/groups/1/descendant_groups", 2)
    company.script["/projects/9"] = project(9, "elsewhere/wiki")
    company.script["/groups/2"] = group(2, "acme-labs/teams")
    await company.sync(TOP_GROUP)
    assert (9 in company.ids("projects"), 2 in company.ids("groups")) == (False, False)
    assert [grant for grant in company.grants() if grant[1] == 9] == []


async def test_what_the_tokens_user_left_goes_though_everybody_may_see_it(company: Company) -> None:
    await company.sync(MEMBER)
    without(company, "/projects", 9)
    without(company, "/groups", 2)
    company.script["/projects/9"] |= {"permissions": {"project_access": None, "group_access": None}}
    del company.script["/groups/2/members/all/1"]
    await company.sync(MEMBER)
    assert (9 in company.ids("projects"), 2 in company.ids("groups")) == (False, False)


async def test_a_project_that_does_not_tell_who_may_stays(company: Company) -> None:
    await company.sync(MEMBER)
    without(company, "/projects", 9)
    await company.sync(MEMBER)
    assert 9 in company.ids("projects")


async def test_a_refusal_to_answer_is_no_proof_of_removal(company: Company) -> None:
    await company.sync()
    without(company, "/projects", 9)
    company.script["/projects/9"] = Forbidden("no", http_status=403)
    await company.sync()
    assert 9 in company.ids("projects")


async def test_a_share_that_ends_is_taken_off_its_group(company: Company) -> None:
    await company.sync()
    company.script["/groups/1"] = group(1, "acme", shared_with_groups=[])
    await company.sync()
    assert company.rows("groups")["000000000001"]["shared_with"] == []


@pytest.mark.parametrize("who", [ADMIN, MEMBER])
async def test_a_suddenly_empty_gitlab_removes_nothing(company: Company, who: SyncTarget) -> None:
    await company.sync(who)
    before = company.table.dump()
    company.script.update({path: [] for path, answer in company.script.items() if isinstance(answer, list)})
    session = await company.sync(who)
    # An empty list of users is none that an administrator gets, and one from members is none where these contradict.
    assert session.suspected.keys() == {"groups", "projects", "grants"}
    assert ("members", "all") in session.durable.errors
    assert company.table.dump() == before
