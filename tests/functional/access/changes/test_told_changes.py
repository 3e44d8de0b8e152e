"""What the feed tells after a sync, and what it keeps to itself."""

from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.access.changes.model import Entry
from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.sync.ports import SyncTarget
from tests.functional.access.changes.replay import brief, replayed, stored, told
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

WHO = pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP], ids=["admin", "member", "group"])
CLOSED = Forbidden("No.", http_status=403)
NEW = 10


STORE = project(8, "acme/store")
WIKI = project(9, "acme/teams/wiki", archived=True, namespace={"id": 2, "kind": "group"})


def company_of_two_projects() -> Company:
    company = Company()
    list_projects(company, STORE, WIKI)
    return company


async def synced(who: SyncTarget = ADMIN) -> Company:
    company = company_of_two_projects()
    await company.sync(who)
    return company


async def noticed(company: Company, who: SyncTarget = ADMIN) -> list[Entry]:
    """What one more sync tells."""
    seen = len(told(company.table))
    await company.sync(who)
    return told(company.table, after=seen)


def list_projects(company: Company, *projects: dict[str, Any]) -> None:
    for path in ("/projects", "/groups/Acme/projects", "/groups/1/projects"):
        company.script[path] = list(projects)
    company.script.update({f"/projects/{row['id']}": row for row in projects})


@WHO
async def test_the_first_sync_is_a_baseline(who: SyncTarget) -> None:
    company = await synced(who)
    assert told(company.table) == []
    assert await noticed(company, who) == []


def joins(company: Company) -> None:
    row = member(OLE, "ole", 10, created_at="2026-02-03T04:05:06Z", created_by={"id": JANE})
    company.script["/projects/8/members"] = [*company.script["/projects/8/members"], row]


def leaves(company: Company) -> None:
    company.script["/projects/8/members"] = [member(JANE, "jane")]


def rises(company: Company) -> None:
    company.script["/projects/8/members"] = [member(JANE, "jane", 50), member(BOT, "project_8_bot_ab12", 40)]


def opens(company: Company) -> None:
    list_projects(company, project(8, "acme/store", visibility="public"), WIKI)


def is_renamed(company: Company) -> None:
    list_projects(company, project(8, "acme/shop", name="Shop"), WIKI)


def invites(company: Company) -> None:
    share = {"group_id": 2, "group_full_path": "acme/teams", "group_access_level": 30, "expires_at": None}
    list_projects(
        company,
        project(8, "acme/store", shared_with_groups=[share]),
        WIKI,
    )


def invites_no_more(company: Company) -> None:
    company.script["/groups/1"] = company.script["/groups/Acme"] = group(1, "acme", shared_with_groups=[])


def comes_up(company: Company) -> None:
    fresh = project(NEW, "acme/fresh")
    list_projects(company, STORE, WIKI, fresh)
    company.script[f"/projects/{NEW}/members"] = [member(JANE, "jane", 40)]


def goes(company: Company) -> None:
    list_projects(company, STORE)
    del company.script["/projects/9"], company.script["/projects/9/members"]


@WHO
@pytest.mark.parametrize(
    ("happens", "told_of"),
    [
        (joins, [("grant_added", "project 8", OLE)]),
        (leaves, [("grant_removed", "project 8", BOT)]),
        (rises, [("grant_changed", "project 8", JANE)]),
        (opens, [("resource_changed", "project 8")]),
        (is_renamed, [("resource_moved", "project 8")]),
        (invites, [("share_added", "project 8")]),
        (invites_no_more, [("share_removed", "group 1")]),
        (comes_up, [("resource_added", f"project {NEW}"), ("grant_added", f"project {NEW}", JANE)]),
        (goes, [("grant_removed", "project 9", OLE), ("resource_removed", "project 9")]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_each_thing_that_happens_is_told_once(
    who: SyncTarget, happens: Callable[[Company], None], told_of: list[Any]
) -> None:
    company = await synced(who)
    baseline = stored(company.table)
    happens(company)
    entries = await noticed(company, who)
    # Where accounts are those that were met as members, they go when the last list is read that they could be in.
    left = set() if who is ADMIN else {("account_removed", OLE), ("account_removed", BOT)}
    assert [one for one in brief(entries) if one not in left] == told_of
    assert replayed(baseline, entries) == stored(company.table)
    later = await noticed(company, who)
    assert set(brief(later)) <= left
    assert await noticed(company, who) == []


async def test_an_entry_says_when_where_and_by_which_sync() -> None:
    company = await synced()
    joins(company)
    (entry,) = await noticed(company)
    assert (entry.number, entry.noticed_at, entry.sync_id, entry.by, entry.audit_id) == (
        1, 1_772_323_200, "s1", "gitlab", None,
    )  # fmt: skip
    assert (entry.change.at, entry.change.resource) == (
        1_770_091_506, {"type": "project", "id": 8, "full_path": "acme/store"},
    )  # fmt: skip
    assert entry.change.before is None
    assert entry.change.after == {
        "access_level": 10, "member_role": None, "expires_at": None, "membership_state": None,
        "granted_at": 1_770_091_506, "granted_by": JANE,
    }  # fmt: skip


async def test_accounts_come_change_and_go() -> None:
    company = await synced()
    company.script["/users"] = [
        user(JANE, "jane.doe", last_activity_on="2026-02-28"),
        user(OLE, "ole"),
        user(11, "eve"),
    ]
    del company.script["/users/7"], company.script["/projects/8/members"][1]
    entries = await noticed(company)
    assert brief(entries) == [
        ("account_changed", JANE),
        ("account_added", 11),
        ("grant_removed", "project 8", BOT),
        ("account_removed", BOT),
    ]
    assert [one.change.after and one.change.after["username"] for one in entries][:2] == ["jane.doe", "eve"]


async def test_what_changes_daily_is_written_and_not_told() -> None:
    company = await synced()
    company.script["/users"][0] = user(JANE, "jane", last_activity_on="2026-02-28")
    assert await noticed(company) == []
    assert company.rows("accounts")["000000000005"]["last_activity_on"] == "2026-02-28"


def rename_the_group(company: Company) -> None:
    script = company.script
    teams = group(2, "ember/teams", parent_id=1)
    script["/groups"] = [group(1, "ember"), teams]
    script["/groups/Acme"] = script["/groups/1"] = {**script["/groups/1"], **group(1, "ember")}
    script["/groups/2"] = {**teams, "shared_with_groups": []}
    script["/groups/1/descendant_groups"] = [teams]
    share = {"group_id": 2, "group_full_path": "ember/teams", "group_access_level": 20, "expires_at": None}
    script["/groups/1"]["shared_with_groups"] = [share]
    list_projects(
        company,
        project(8, "ember/store"),
        {**WIKI, "path_with_namespace": "ember/teams/wiki"},
    )


@pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
async def test_a_renamed_group_is_one_entry(who: SyncTarget) -> None:
    company = await synced(who)
    baseline = stored(company.table)
    rename_the_group(company)
    entries = await noticed(company, who)
    assert brief(entries) == [("resource_moved", "group 1")]
    change = entries[0].change
    assert (change.before or {})["full_path"] == "acme"
    assert change.after == {"full_path": "ember", "name": "ember", "parent_id": None, "follows_parent": True}
    assert stored(company.table)["resources"]["project", 9]["full_path"] == "ember/teams/wiki"
    assert replayed(baseline, entries) == stored(company.table)


async def test_members_of_what_could_not_be_read_before_did_not_join_when_it_can() -> None:
    for who in (ADMIN, MEMBER):
        company = company_of_two_projects()
        members, shown = company.script["/projects/9/members"], company.script["/groups/1"]
        company.script["/projects/9/members"] = company.script["/groups/1"] = CLOSED
        await company.sync(who)
        assert await noticed(company, who) == []
        company.script["/projects/9/members"], company.script["/groups/1"] = members, shown
        assert await noticed(company, who) == []
        assert ("project", 9, OLE, 20) in company.grants()
        company.script["/projects/9/members"] = [*members, member(JANE, "jane", 10)]
        company.script["/groups/1"] = {**shown, "shared_with_groups": []}
        entries = await noticed(company, who)
        assert brief(entries) == [("share_removed", "group 1"), ("grant_added", "project 9", JANE)]


async def test_a_list_without_members_is_read_as_well() -> None:
    company = company_of_two_projects()
    company.script["/groups/2/members"] = CLOSED
    await company.sync()
    company.script["/groups/2/members"] = []
    assert await noticed(company) == []
    company.script["/groups/2/members"] = [member(OLE, "ole")]
    assert brief(await noticed(company)) == [("grant_added", "group 2", OLE)]


async def test_accounts_that_could_not_be_listed_did_not_come_when_they_can() -> None:
    company = await synced(MEMBER)
    company.script["/users"] = [user(JANE, "jane"), user(OLE, "ole"), company.script["/users"][2], user(11, "eve")]
    assert await noticed(company, ADMIN) == []
    assert 11 in company.ids("accounts")
    company.script["/users"] = [*company.script["/users"], user(12, "uma")]
    assert brief(await noticed(company, ADMIN)) == [("account_added", 12)]


@pytest.mark.parametrize("path", ["/groups", "/projects"])
async def test_nothing_is_told_before_both_lists_were_read(path: str) -> None:
    company = company_of_two_projects()
    rows = company.script[path]
    company.script[path] = CLOSED
    await company.sync()
    company.script[path] = rows
    await company.sync()
    assert told(company.table) == []
    joins(company)
    assert brief(await noticed(company)) == [("grant_added", "project 8", OLE)]


@pytest.mark.parametrize(
    "hidden", [("/groups",), ("/projects",), ("/groups/1/members", "/projects/8/members", "/projects/9/members")]
)
async def test_lists_that_gitlab_itself_contradicts_are_no_baseline(hidden: tuple[str, ...]) -> None:
    company = company_of_two_projects()
    company.script["/groups/1"] = {**company.script["/groups/1"], "projects": [STORE]}
    rows = {path: company.script[path] for path in hidden}
    company.script.update({path: [] for path in hidden})
    session = await company.sync()
    assert {error.code for error in session.durable.errors.values()} == {"no_resources"}
    company.script.update(rows)
    assert await noticed(company) == []
    joins(company)
    assert brief(await noticed(company)) == [("grant_added", "project 8", OLE)]


async def test_a_project_that_is_never_shown_holds_up_no_feed() -> None:
    company = company_of_two_projects()
    company.script.update({"/projects/8/members": CLOSED, "/projects/9/members": []})
    await company.sync()
    company.script["/groups/2/members"] = [member(OLE, "ole")]
    assert brief(await noticed(company)) == [("grant_added", "group 2", OLE)]


async def test_what_is_gone_and_comes_back_is_new() -> None:
    company = company_of_two_projects()
    company.script["/projects/9/members"] = CLOSED
    await company.sync()
    goes_with = {path: company.script[path] for path in ("/projects", "/projects/9")}
    company.script["/projects"] = [STORE]
    del company.script["/projects/9"]
    assert brief(await noticed(company)) == [("resource_removed", "project 9")]
    company.script.update({**goes_with, "/projects/9/members": [member(OLE, "ole")]})
    assert brief(await noticed(company)) == [("resource_added", "project 9"), ("grant_added", "project 9", OLE)]
