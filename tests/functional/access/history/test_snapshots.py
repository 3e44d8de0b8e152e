"""When a snapshot is kept, what it holds, and what becomes of it when something fails at any call."""

import hashlib
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from gitlab_hub.access.history.capture import AGAIN_SECONDS, remove_objects
from gitlab_hub.access.history.model import DAY
from gitlab_hub.access.history.population import population_csv
from gitlab_hub.access.history.store import SnapshotStore
from gitlab_hub.sync.run import RunStatus
from tests.functional.access.access_api import grant
from tests.functional.access.history.history_hub import HistoryHub, change, kept
from tests.functional.access.history.keeper import ONE
from tests.functional.access.review_hub import ACME, ANA


def test_a_run_that_ended_well_leaves_what_is_stored(hub: HistoryHub) -> None:
    snapshot = kept(hub)
    found = hub.keeper.content(snapshot)
    assert {name: len(rows) for name, rows in found.items()} == {
        "accounts": 4, "groups": 3, "projects": 2, "outside_groups": 0, "grants": 4, "outside_grants": 0,
    }  # fmt: skip
    (ana,) = [row for row in found["accounts"] if row["id"] == ANA]
    assert (ana["username"], ana["last_activity_on"], ana["two_factor_enabled"]) == ("ana", "2026-02-20", True)
    assert (snapshot.sync_id, snapshot.complete, snapshot.synced_at) == ("s1", True, int(hub.now))
    assert hub.keeper.due() == []


def test_of_a_day_the_last_state_is_kept_and_nothing_is_written_where_it_is_the_same(hub: HistoryHub) -> None:
    first = kept(hub)
    hub.reviews.now += 60
    assert kept(hub, "s2") == first
    change(hub)
    second = kept(hub, "s3")
    assert (second.day, second.sync_id, second.rows["accounts"]) == (first.day, "s3", 5)
    hub.reviews.now += 7_200
    change(hub, 701)
    third = kept(hub, "s4")
    # What nobody can be reading any more is gone.
    assert list(hub.objects.dump()) == [third.key]
    hub.next_day()
    fourth = kept(hub, "s5")
    assert (fourth.day > third.day, fourth.hashes == third.hashes) == (True, True)
    assert hub.keeper.newest(third.day) == third


@pytest.mark.parametrize(
    "ends",
    [
        {"status": RunStatus.SUSPECT, "suspected": {"grants": 5}},
        {"status": RunStatus.FAILED, "last_error": {"code": "x", "hint": ""}},
        {"rejected": {"grants": 5}},
    ],
    ids=["suspect", "failed", "rejected"],
)
def test_other_ends_leave_no_snapshot(hub: HistoryHub, ends: dict[str, Any]) -> None:
    before = kept(hub)
    hub.next_day()
    change(hub)
    assert hub.keeper.keep("s2", **ends) == before
    assert (hub.keeper.due(), list(hub.objects.dump())) == ([], [before.key])


def test_a_run_under_way_is_waited_for(hub: HistoryHub) -> None:
    assert hub.keeper.keep(status=RunStatus.RUNNING) is None
    (due,) = hub.keeper.due()
    assert due.at == int(hub.now) + AGAIN_SECONDS
    hub.reviews.now += AGAIN_SECONDS
    assert hub.keeper.keep() is not None
    assert hub.keeper.due() == []


def test_what_could_not_be_read_is_said(hub: HistoryHub) -> None:
    for name in (f"group_members#{ACME:012d}", "group_invitations#all"):
        note = {"pk": f"INTEGRATION#{ONE}", "sk": f"SCOPE#access#{name}", "status": "forbidden", "code": "x"}
        hub.company.notes.put(note)
    snapshot = kept(hub)
    assert (snapshot.complete, snapshot.unread) == (False, {"group_members": 1})
    grants = next(row for row in hub.rows("population.csv") if row["scope"] == "grants")
    assert (grants["completeness"], grants["unread"]) == ("incomplete", "1")
    assert {row["completeness"] for row in hub.rows("access-review.csv")} <= {"incomplete", "at_least"}


def test_what_only_tells_more_of_accounts_makes_no_access_incomplete(hub: HistoryHub) -> None:
    for name, status in {
        "account_lists#billable_members": "forbidden", "account_lists#service_accounts": "disabled",
        "member_roles#instance_member_roles": "failed", "account_facts#all": "partial",
    }.items():  # fmt: skip
        hub.company.notes.put({"pk": f"INTEGRATION#{ONE}", "sk": f"SCOPE#access#{name}", "status": status, "code": "x"})
    snapshot = kept(hub)
    # A list that this GitLab does not have is missing nowhere.
    assert (snapshot.complete, snapshot.unread) == (True, {"account_facts": 1, "account_lists": 1, "member_roles": 1})
    assert "incomplete" not in {row["completeness"] for row in hub.rows("access-review.csv")}
    told = {row["scope"]: row["completeness"] for row in hub.rows("population.csv")}
    assert (told["grants"], told["account_lists"]) == ("complete", "incomplete")


def test_the_file_of_a_past_day_stays_as_it_was_made(hub: HistoryHub) -> None:
    before = kept(hub)
    assert before.population == population_csv(ONE, before) == population_csv(ONE, replace(before, population=None))
    made = "a file of another release\r\n"
    older = replace(before, population=made)
    store = SnapshotStore(hub.table)
    assert store.put(ONE, older, on_top_of=store.version(ONE))
    hub.next_day()
    change(hub)
    assert kept(hub, "s2").previous == hashlib.sha256(made.encode()).hexdigest()
    assert population_csv(ONE, older) == made


def test_each_day_names_the_file_of_the_day_before(hub: HistoryHub) -> None:
    chain = [kept(hub)]
    for day in range(3):
        hub.next_day()
        change(hub, 700 + day)
        first = kept(hub, f"s{day}")
        change(hub, 800 + day)
        hub.reviews.now += 60
        chain.append(kept(hub, f"t{day}"))
        assert chain[-1].previous == first.previous
    assert chain[0].previous is None
    for before, after in pairwise(chain):
        assert after.previous == hashlib.sha256(population_csv(ONE, before).encode()).hexdigest()
        assert {row["previous_file_sha256"] for row in hub.rows("population.csv", as_of=after.day)} == {after.previous}


def test_of_an_integration_that_is_gone_nothing_is_kept(hub: HistoryHub) -> None:
    first = kept(hub)
    hub.objects.write("files/i1/access-review/x.csv", [b"x"], media="text/csv")
    hub.objects.write("i10/access/2026-01-01/1.jsonl.gz", [b"other"], media="text/csv")
    hub.keeper.is_there = False
    hub.next_day()
    assert hub.keeper.keep("s2") == first
    assert hub.keeper.due() == []
    assert not remove_objects(hub.objects, ONE, lambda: 0.0)
    assert remove_objects(hub.objects, ONE, lambda: 300.0)
    assert list(hub.objects.dump()) == ["i10/access/2026-01-01/1.jsonl.gz"]


def test_what_is_older_than_400_days_is_not_shown(hub: HistoryHub) -> None:
    first = kept(hub)
    hub.next_day(400)
    assert hub.get("population.csv", as_of=first.day)[0] == 200
    row = hub.table.get("i1#snapshots", first.day)
    assert row is not None
    assert hub.now <= row["expires_at"] <= hub.now + DAY
    hub.next_day()
    assert hub.get("population.csv", as_of=first.day)[0] == 404
    change(hub)
    assert hub.get("population.csv")[0] == 404
    assert kept(hub, "s2").rows["accounts"] == 5


def test_the_grants_of_groups_outside_are_part_of_the_state(hub: HistoryHub) -> None:
    before = kept(hub)
    row = hub.store().grant_row(grant("group", 99, ANA, 50))
    hub.table.put({**row.item, "pk": "i1#outside_grants", "sk": f"group#{99:012d}#{row.key}", "hash": "h"})
    hub.reviews.now += 60
    after = kept(hub, "s2")
    assert (before.feed_to, before.rows["outside_grants"]) == (after.feed_to, 0)
    assert after.rows["outside_grants"] == 1
