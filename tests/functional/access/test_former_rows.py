"""Grants and invitations as the release before left them, all in one partition: read, moved, told of, removed."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gitlab_hub.access.feature import AccessFeature
from gitlab_hub.access.shards import Shards
from gitlab_hub.access.store import partitions
from gitlab_hub.gitlab.errors import Forbidden
from gitlab_hub.storage.ports import Check, Delete, Put
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty
from tests.fakes.session import SliceOver, run
from tests.fakes.table import MemoryTable
from tests.functional.access.access_api import Client
from tests.functional.access.changes.replay import brief, told
from tests.functional.access.company import ADMIN, JANE, MEMBER, OLE, BatchTable, Company, member
from tests.functional.access.hinted_company import HintedCompany

COLLECTIONS = [Shards("i1", name) for name in ("grants", "invitations")]


def as_before(table: MemoryTable, *, but: int | None = None) -> int:
    """Put rows where the release before had them, all `but` every so-manieth; the answer says how many."""
    rows = [(shards, item) for shards in COLLECTIONS for item in table.dump() if item["pk"] in shards.every]
    moved = [one for number, one in enumerate(rows) if but is None or number % but]
    table.write(
        puts=[{**item, "pk": shards.former} for shards, item in moved],
        deletes=[(item["pk"], item["sk"]) for _, item in moved],
    )
    return len(moved)


def left(table: MemoryTable) -> list[str]:
    """What still lies where the release before had it."""
    return [item["sk"] for shards in COLLECTIONS for item in table.query(shards.former).items]


class Watched(BatchTable):
    """A table in which no grant may ever be missing, or be there twice."""

    expected: frozenset[str] = frozenset()

    def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
        super().transact(actions)
        self.look()

    def look(self) -> None:
        there = [item["sk"] for item in self.dump() if COLLECTIONS[0].holds(item["pk"])]
        assert len(there) == len(set(there))
        assert self.expected <= set(there)


class UpgradedCompany(Company):
    """A company whose table is watched."""

    table: Watched

    def __init__(self) -> None:
        super().__init__()
        self.table = Watched()
        self.feature = AccessFeature(self.table)


async def synced(who: SyncTarget = ADMIN) -> UpgradedCompany:
    """A company that an earlier release has synced."""
    company = UpgradedCompany()
    company.script["/projects/8/invitations"] = [
        {"id": 1, "invite_email": "new@example.com", "access_level": 30, "created_at": "2026-01-01T00:00:00Z"}
    ]
    await company.sync(who)
    assert as_before(company.table) == 5
    company.table.expected = frozenset(company.rows("grants"))
    return company


@pytest.mark.parametrize("who", [ADMIN, MEMBER])
async def test_the_next_sync_moves_them_and_tells_nothing(who: SyncTarget) -> None:
    company = await synced(who)
    grants, invitations = company.rows("grants"), company.rows("invitations")
    session = await company.sync(who)
    assert left(company.table) == []
    assert told(company.table) == []
    assert (session.counts["rows_written"], session.counts["rows_removed"]) == (0, 0)
    for before, after in ((grants, company.rows("grants")), (invitations, company.rows("invitations"))):
        assert {sk: {**row, "pk": ""} for sk, row in after.items()} == {
            sk: {**row, "pk": ""} for sk, row in before.items()
        }


async def test_what_cannot_be_read_any_more_is_moved_too() -> None:
    company = await synced()
    company.script["/projects/9/members"] = Forbidden("no")
    await company.sync()
    assert left(company.table) == []
    assert ("project", 9, OLE, 20) in company.grants()


async def test_a_change_is_told_from_what_was_stored_before() -> None:
    company = await synced()
    company.script["/projects/9/members"] = [member(OLE, "ole", 30), member(JANE, "jane", 10)]
    company.table.expected = frozenset()
    await company.sync()
    assert brief(told(company.table)) == [("grant_changed", "project 9", OLE), ("grant_added", "project 9", JANE)]
    before = told(company.table)[0].change.before
    assert before is not None
    assert before["access_level"] == 20


async def test_a_run_that_the_release_before_has_begun_goes_on() -> None:
    company = await synced()
    company.gitlab.page_size = 2
    session = company.session(stop_after=1)
    with pytest.raises(SliceOver):
        await run(company.feature, session)
    as_before(company.table)
    # What comes first in a run is over by now: whatever is read later is moved all the same.
    await run(company.feature, session.next_slice())
    assert (left(company.table), told(company.table)) == ([], [])


@BEFORE_OR_AFTER
async def test_a_worker_killed_at_any_write_leaves_nothing_missing(*, applied: bool) -> None:
    at = 0
    while True:
        at += 1
        company = await synced()
        plan = Plan(at=at, error=Crash, applied=applied)
        killed = True
        try:
            await run(AccessFeature(faulty(company.table, plan)), company.session())
            killed = False
        except Crash:
            pass
        company.table.look()
        await company.sync()
        assert (left(company.table), told(company.table)) == ([], []), plan.calls
        if not killed:
            break
    assert at > 20


def test_a_hint_moves_what_it_is_about() -> None:
    company = HintedCompany()
    assert as_before(company.table) == 4
    company.script["/projects/8/members"].append(member(OLE, "ole", 40))
    assert company.hint(project=8) == 1
    assert sorted(left(company.table)) == [f"group#{1:012}#{JANE:012}", f"project#{9:012}#{OLE:012}"]
    assert brief(told(company.table)) == [("grant_added", "project 8", OLE)]
    assert company.members("project", 8) == {JANE: 30, 7: 40, OLE: 40}


def answers(client: Client) -> Iterator[Any]:
    """What a client is told of grants, in every way they are asked for."""
    asked: list[dict[str, Any]] = [
        {},
        {"project_id": 8},
        {"group_id": 1},
        {"account_id": 5},
        {"account_id": 5, "project_id": 8},
    ]
    for query in asked:
        for more in ({}, {"limit": 1}):
            for view in ("direct", "effective"):
                rows = client.every("grants", view=view, **query, **more)
                yield sorted(map(repr, rows))
    yield client.get("explain", account_id=5, project_id=8)
    yield client.get("access-summary")
    yield client.get("accounts", without_grants="true")


@pytest.mark.parametrize("but", [None, 2, 3])
def test_readers_see_them_wherever_they_are(client: Client, but: int | None) -> None:
    expected = list(answers(client))
    assert as_before(client.table, but=but)
    assert list(answers(Client(client.table))) == expected


def test_they_go_with_the_integration() -> None:
    named = set(partitions("i1"))
    assert {pk for shards in COLLECTIONS for pk in (shards.former, *shards.every)} <= named
