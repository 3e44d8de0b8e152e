"""What the hub itself has changed, and what somebody else has: the feed tells them apart."""

from typing import Any

import pytest

from gitlab_hub.access.changes.model import Author, Change, ChangeKind, Place
from gitlab_hub.access.changes.own_changes import KEPT_SECONDS, OwnChangeReader, OwnChanges
from gitlab_hub.inventory.model import ResourceType
from tests.functional.access.changes.replay import told
from tests.functional.access.company import BOT, JANE, Company, group, member

PROJECT = ResourceType.PROJECT
LINE = "aud_1790000000123_0a1b2c3d"


async def synced() -> Company:
    company = Company()
    await company.sync()
    return company


async def found(company: Company, level: int | None) -> list[tuple[Author, str | None]]:
    """Who is said to have changed what Jane has in project 8, once a sync finds this level."""
    rows = [member(BOT, "project_8_bot_ab12", 40)]
    company.script["/projects/8/members"] = rows if level is None else [member(JANE, "jane", level), *rows]
    await company.sync()
    return [(entry.by, entry.audit_id) for entry in told(company.table) if entry.change.account_id == JANE]


def note(company: Company, level: int | None, *, ago: int = 0) -> OwnChanges:
    own = OwnChanges(company.table, lambda: company.session().now().timestamp() - ago)
    own.note("i1", PROJECT, 8, JANE, level=level, audit_id=LINE)
    return own


@pytest.mark.parametrize("level", [50, None], ids=["changed", "removed"])
async def test_a_change_of_the_hubs_own_names_the_line_of_the_audit_log(level: int | None) -> None:
    company = await synced()
    note(company, level)
    assert await found(company, level) == [(Author.HUB, LINE)]


async def test_what_somebody_else_makes_of_it_is_theirs() -> None:
    company = await synced()
    note(company, 40)
    assert await found(company, 50) == [(Author.GITLAB, None)]


async def test_what_was_not_done_or_is_long_ago_is_nobodys() -> None:
    company = await synced()
    note(company, 50).drop("i1", PROJECT, 8, JANE)
    note(company, 50, ago=KEPT_SECONDS + 1)
    assert await found(company, 50) == [(Author.GITLAB, None)]


@pytest.mark.parametrize(("level", "author"), [(40, Author.HUB), (50, Author.GITLAB)], ids=["its own", "another level"])
async def test_a_group_that_the_hub_invites_is_its_own_change_and_no_account_of_the_same_id(
    level: int, author: Author
) -> None:
    company = await synced()
    own = OwnChanges(company.table, lambda: company.session().now().timestamp())
    own.note("i1", ResourceType.GROUP, 1, 2, is_group=True, level=level, audit_id=LINE)
    own.note("i1", ResourceType.GROUP, 1, 2, level=40, audit_id="aud_of_an_account")
    share = {"group_id": 2, "group_full_path": "acme/teams", "group_access_level": 40, "expires_at": None}
    company.script["/groups/1"] = company.script["/groups/Acme"] = group(1, "acme", shared_with_groups=[share])
    await company.sync()
    [told_of] = [entry for entry in told(company.table) if str(entry.change.kind) == "share_changed"]
    assert (told_of.by, told_of.audit_id) == (author, LINE if author is Author.HUB else None)


def test_what_is_told_beside_a_change_of_the_hubs_own_is_nobodys() -> None:
    company = Company()
    note(company, 50)
    reader = OwnChangeReader(company.table, "i1", lambda: company.session().now().timestamp())
    place: Place = {"type": PROJECT, "id": 8, "full_path": "acme/shop"}
    own = Change(kind=ChangeKind.GRANT_ADDED, account_id=JANE, resource=place, after={"access_level": 50})
    others = (
        Change(kind=ChangeKind.ACCOUNT_ADDED, account_id=JANE, after={"username": "jane"}),
        Change(kind=ChangeKind.RESOURCE_ADDED, resource=place, after={"full_path": "acme/shop"}),
    )
    assert [one.audit_id for one in reader.attributed([*others, own])] == [None, None, LINE]


@pytest.mark.parametrize(
    ("noted", "change", "is_own"),
    [
        ((JANE, "blocked"), ("account_changed", {"state": "active"}, {"state": "blocked"}), True),
        ((JANE, "blocked"), ("account_changed", {"state": "active"}, {"state": "banned"}), False),
        ((JANE, "blocked"), ("account_changed", {"state": "blocked", "name": "J"}, {"state": "blocked"}), False),
        ((JANE, None), ("account_removed", {"state": "blocked"}, None), True),
        ((JANE, "blocked"), ("account_removed", {"state": "blocked"}, None), False),
        (("Jane", "active"), ("account_added", None, {"state": "active", "username": "jane"}), True),
        (("Jane", "active"), ("account_added", None, {"state": "blocked", "username": "jane"}), False),
        (("jan", "active"), ("account_added", None, {"state": "active", "username": "jane"}), False),
    ],
)
def test_an_account_that_the_hub_has_changed_is_its_own_change(
    noted: tuple[int | str, str | None], change: tuple[str, Any, Any], is_own: bool
) -> None:
    company, (account, state), (kind, before, after) = Company(), noted, change
    now = lambda: company.session().now().timestamp()  # noqa: E731
    own = OwnChanges(company.table, now)
    own.note_account("i1", account, state=state, audit_id=LINE)
    found = Change(kind=ChangeKind(kind), account_id=JANE, before=before, after=after)
    reader = OwnChangeReader(company.table, "i1", now)
    assert [one.audit_id for one in reader.attributed([found])] == [LINE if is_own else None]
    own.drop_account("i1", account, state=state)
    assert OwnChangeReader(company.table, "i1", now).attributed([found])[0].audit_id is None


def test_who_is_blocked_and_then_deleted_is_told_as_the_hubs_both_times() -> None:
    company = Company()
    now = lambda: company.session().now().timestamp()  # noqa: E731
    own = OwnChanges(company.table, now)
    own.note_account("i1", JANE, state="blocked", audit_id="aud_block")
    own.note_account("i1", JANE, state=None, audit_id="aud_delete")
    active, blocked = {"state": "active"}, {"state": "blocked"}
    found = (
        Change(kind=ChangeKind.ACCOUNT_CHANGED, account_id=JANE, before=active, after=blocked),
        Change(kind=ChangeKind.ACCOUNT_REMOVED, account_id=JANE, before=blocked),
    )
    told_of = OwnChangeReader(company.table, "i1", now).attributed(found)
    assert [one.audit_id for one in told_of] == ["aud_block", "aud_delete"]
