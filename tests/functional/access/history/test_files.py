"""The files for auditors: what they say, that a past day's never changes, and how large ones are handed out."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from gitlab_hub.access.history.model import DAY, day_of
from gitlab_hub.access.keys import GRANTS
from gitlab_hub.access.model import Account
from gitlab_hub.access.reviews.table import COLUMNS
from gitlab_hub.access.shards import Shards
from gitlab_hub.inventory.model import Resource, ResourceType
from gitlab_hub.storage.ports import StorageUnavailable
from tests.fakes.faults import Plan, faulty
from tests.functional.access.access_api import grant
from tests.functional.access.history.history_hub import HistoryHub, read
from tests.functional.access.review_hub import ACME, ANA, BEN, BOT, LAB, OPS, ROOT, SHOP, TEAM


@pytest.fixture
def hub() -> HistoryHub:
    hub = HistoryHub()
    hub.keeper.keep()
    return hub


def accesses(rows: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
    names = ("resource_path", "username", "access_level", "membership_type")
    return [tuple(row[name] for name in names) for row in rows]  # type: ignore[misc]


def test_everybody_with_access_has_one_line_per_resource_in_a_fixed_order(hub: HistoryHub) -> None:
    rows = hub.rows("access-review.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert accesses(rows) == [
        ("acme", "ana", "40", "direct"), ("acme", "ben", "30", "shared"), ("acme", "root", "50", "implied"),
        ("acme/team", "ana", "40", "inherited"), ("acme/team", "ben", "30", "shared"),
        ("acme/team", "acme_bot", "30", "direct"), ("acme/team", "root", "50", "implied"),
        ("ops", "ben", "50", "direct"), ("ops", "root", "50", "implied"),
        ("acme/team/shop", "everyone", "", "implied"),
        ("acme/team/shop", "ana", "40", "inherited"), ("acme/team/shop", "ben", "30", "shared"),
        ("acme/team/shop", "acme_bot", "30", "inherited"), ("acme/team/shop", "root", "50", "implied"),
        ("ana/lab", "ana", "50", "owner"), ("ana/lab", "ben", "30", "shared"), ("ana/lab", "acme_bot", "30", "shared"),
        ("ana/lab", "root", "50", "implied"),
    ]  # fmt: skip
    ana, everyone = rows[0], rows[9]
    assert (ana["email"], ana["granted_by"], ana["revoke_at"], ana["privileged"]) == (
        "ana@example.com", str(ROOT), "acme", "true",
    )  # fmt: skip
    assert rows[1]["cap"] == "30"
    assert (everyone["name"], everyone["visibility"], everyone["account_id"], everyone["role"]) == (
        "everyone who is signed in", "internal", "", "",
    )  # fmt: skip
    assert {row["source_system"] for row in rows} == {"gitlab"}


def test_the_file_says_what_the_list_of_effective_grants_says(hub: HistoryHub) -> None:
    listed = {
        (row["account_id"], row["resource"]["id"]): row["access_level"]
        for resource in (
            {"group_id": ACME},
            {"group_id": TEAM},
            {"group_id": OPS},
            {"project_id": SHOP},
            {"project_id": LAB},
        )
        for row in hub.company.every("grants", view="effective", **resource)
    }
    rows = [row for row in hub.rows("access-review.csv") if row["username"] != "everyone"]
    assert {(int(row["account_id"]), int(row["resource_id"])): int(row["access_level"]) for row in rows} == listed


def test_a_group_brings_what_lies_below_it(hub: HistoryHub) -> None:
    paths = {row["resource_path"] for row in hub.rows("access-review.csv", group_id=TEAM)}
    assert paths == {"acme/team", "acme/team/shop"}
    assert hub.get("access-review.csv", group_id=777)[0] == 404


def churn(hub: HistoryHub) -> None:
    """Somebody goes, a name is taken over, a group is renamed, a membership ends."""
    hub.company.store(Account(id=BEN, username="ana", name="Ben"), Account(id=ANA, username="ana.old", name="Ana"))
    hub.company.store(Resource(id=ACME, full_path="renamed", name="Renamed"))
    hub.company.store(Resource(id=TEAM, full_path="renamed/team", name="Team", parent_id=ACME))
    hub.table.delete(*Shards("i1", GRANTS).key(f"group#{OPS:012d}", f"{BEN:012d}"))
    hub.company.store(grant("project", LAB, BOT, 10))


def test_a_past_days_files_are_the_same_bytes_whatever_happens_later(hub: HistoryHub) -> None:
    hub.reviews.now += 60
    day, files = day_of(hub.now), ("access-review.csv", "population.csv")
    hub.next_day()
    before = {name: hub.text(name, as_of=day) for name in files}
    for number in range(3):
        churn(hub)
        hub.keeper.keep(f"t{number}")
        hub.next_day()
        assert {name: hub.text(name, as_of=day) for name in files} == before
    assert hub.text("access-review.csv") != before["access-review.csv"]
    renamed = {row["resource_path"] for row in hub.rows("access-review.csv")}
    assert renamed == {"renamed", "renamed/team", "ops", "acme/team/shop", "ana/lab"}
    # A day without a snapshot of its own shows the last one before it.
    assert hub.text("access-review.csv", as_of=day_of(hub.now)) == hub.text("access-review.csv")


def test_decisions_are_those_of_the_day(hub: HistoryHub) -> None:
    review = hub.reviews.make(group_id=OPS)
    (ben, *_) = hub.reviews.items(review)
    hub.reviews.decide(review, {"item_id": ben["id"], "decision": "keep", "comment": "=on call"})
    first = day_of(hub.now)

    def decided(**query: Any) -> list[tuple[str, str, str]]:
        rows = hub.rows("access-review.csv", **query)
        return [(row["review_id"], row["decision"], row["comment"]) for row in rows if row["review_id"]]

    assert decided() == [(review, "keep", "'=on call")]
    hub.next_day()
    hub.keeper.keep("s2")
    hub.reviews.decide(review, {"item_id": ben["id"], "decision": "revoke"})
    other = hub.reviews.make(group_id=OPS)
    assert decided() == [(review, "revoke", "")]
    assert decided(as_of=first) == [(review, "keep", "'=on call")]
    hub.next_day()
    hub.reviews.decide(other, {"item_id": ben["id"], "decision": "change", "access_level": 20})
    assert decided() == [(other, "change to Reporter (20)", "")]
    assert decided(as_of=first) == [(review, "keep", "'=on call")]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"), ('🦊 «Fox», "Jr"\nII', '🦊 «Fox», "Jr"\nII'),
        ("שלום עולם", "שלום עולם"), ("\u202eevil", "\u202eevil"),
    ],
)  # fmt: skip
def test_names_of_any_kind_come_through_and_start_no_formula(hub: HistoryHub, name: str, cell: str) -> None:
    hub.company.store(Account(id=ANA, username="ana", name=name))
    hub.next_day()
    hub.keeper.keep("s2")
    assert {row["name"] for row in hub.rows("access-review.csv") if row["username"] == "ana"} == {cell}


def test_the_population_counts_every_scope(hub: HistoryHub) -> None:
    rows = hub.rows("population.csv")
    assert {row["scope"]: (row["rows"], row["completeness"]) for row in rows} == {
        "accounts": ("4", "complete"), "groups": ("3", "complete"), "projects": ("2", "complete"),
        "outside_groups": ("0", "complete"), "grants": ("4", "complete"), "outside_grants": ("0", "complete"),
    }  # fmt: skip
    assert {row["sync_id"] for row in rows} == {"s1"}
    assert len({row["rows_sha256"] for row in rows}) == 5  # Two scopes are empty.


@pytest.mark.parametrize("path", ["access-review.csv", "population.csv", "leavers.csv"])
def test_before_the_first_day_there_is_no_history(path: str) -> None:
    hub = HistoryHub()
    status, _, body = hub.get(path)
    assert (status, json.loads(body)["code"], json.loads(body)["details"]) == (404, "no_history", {"first_day": None})
    hub.keeper.keep()
    if path != "leavers.csv":
        status, _, body = hub.get(path, as_of="2026-02-01")
        assert (status, json.loads(body)["details"]) == (404, {"first_day": day_of(hub.now)})


@pytest.mark.parametrize("as_of", ["2026-02-30", "2999-01-01", "today", "20260101", "2026-1-1"])
def test_what_is_no_day_that_has_begun_is_refused(hub: HistoryHub, as_of: str) -> None:
    status, _, body = hub.get("access-review.csv", as_of=as_of)
    assert status in {400, 422}
    assert json.loads(body)["code"] == "invalid_input"


def test_a_small_file_has_a_name_and_a_digest(hub: HistoryHub) -> None:
    _, headers, body = hub.get("access-review.csv")
    assert headers["content-disposition"] == f'attachment; filename="access-review-{day_of(hub.now)}.csv"'
    assert headers["repr-digest"] == f"sha-256=:{b64encode(sha256(body.encode()).digest()).decode()}:"


class Large:
    """A hub whose access review does not fit an answer."""

    def __init__(self) -> None:
        self.hub, self.small = HistoryHub(most=500), HistoryHub()
        for hub in (self.hub, self.small):
            hub.keeper.keep()

    def ask(self, **query: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
        status, headers, body = self.hub.get("access-review.csv", **query)
        return status, headers, json.loads(body)

    def content(self, body: dict[str, Any]) -> str:
        """What the link leads to; nothing else is read than what the bucket holds."""
        key = body["url"].removeprefix("https://bucket.example/").partition("?")[0]
        content = self.hub.objects.dump()[key]
        assert (len(content), sha256(content).hexdigest()) == (body["bytes"], body["sha256"])
        return content.decode()


def test_a_large_file_is_made_by_a_worker_and_handed_out_by_a_link() -> None:
    large = Large()
    status, headers, _ = large.ask()
    assert (status, headers["retry-after"]) == (202, "15")
    assert large.ask()[0] == 202
    assert len(large.hub.queue.sent) == 1
    large.hub.make_files()
    status, headers, body = large.ask()
    assert (status, headers["location"]) == (303, body["url"])
    assert "for=300" in body["url"]
    assert large.content(body) == large.small.text("access-review.csv")
    assert len(read(large.content(body))) == 18
    large.hub.make_files()
    assert large.ask(group_id=ACME)[0] == 202


def test_a_large_file_of_a_past_day_stays_as_it_is() -> None:
    large = Large()
    day = day_of(large.hub.now)
    large.hub.next_day()
    large.ask(as_of=day)
    large.hub.make_files()
    before = large.content(large.ask(as_of=day)[2])
    churn(large.hub)
    large.hub.keeper.keep("s2")
    assert large.content(large.ask(as_of=day)[2]) == before
    # It is made again, and no other, once the bucket has let it go.
    large.hub.next_day(26)
    large.hub.objects.delete([key for key in large.hub.objects.dump() if key.startswith("files/")])
    assert large.ask(as_of=day)[0] == 202
    large.hub.make_files()
    assert large.content(large.ask(as_of=day)[2]) == before


def test_a_decision_of_today_makes_another_file() -> None:
    large = Large()
    large.ask()
    large.hub.make_files()
    assert large.ask()[0] == 303
    review = large.hub.reviews.make(group_id=OPS)
    (ben, *_) = large.hub.reviews.items(review)
    large.hub.reviews.decide(review, {"item_id": ben["id"], "decision": "keep"})
    assert large.ask()[0] == 202
    large.hub.make_files()
    assert "keep" in {row["decision"] for row in read(large.content(large.ask()[2]))}


def test_a_worker_that_dies_is_followed_by_another_and_shows_nothing_half() -> None:
    large = Large()
    large.ask()
    plan = Plan(at=1, only=("write",), error=lambda: StorageUnavailable("Away."))
    with pytest.raises(StorageUnavailable):
        large.hub.make_files(objects=faulty(large.hub.objects, plan))
    assert large.ask()[0] == 202
    assert not [key for key in large.hub.objects.dump() if key.startswith("files/")]
    large.hub.reviews.now += 901
    assert large.ask()[0] == 202
    large.hub.make_files()
    assert large.ask()[0] == 303


def test_what_is_too_much_for_a_worker_asks_for_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitlab_hub.access.history.files._PART_BYTES", 1_000)
    large = Large()
    large.ask()
    large.hub.make_files(left=lambda: 0.0)
    status, _, body = large.ask()
    assert (status, body["details"]["fields"][0]["field"]) == (422, "query.group_id")
    large.hub.reviews.now += 901
    assert large.ask()[0] == 202


def test_a_request_that_runs_out_of_time_leaves_it_to_a_worker(hub: HistoryHub) -> None:
    hub.left = 5.0
    assert hub.get("access-review.csv")[0] == 202
    hub.make_files()
    assert hub.get("access-review.csv")[0] == 303


def test_a_snapshot_that_was_replaced_is_not_written_for_whoever_asked_before() -> None:
    large = Large()
    large.ask()
    large.hub.reviews.now += 60
    large.hub.store().inventory  # noqa: B018 - the feed has begun
    row = large.hub.store().account_row(Account(id=700, username="new"))
    large.hub.store().accounts.put("all", [row], {row.key: "h"}, {})
    large.hub.keeper.keep("s2")
    large.hub.make_files()
    assert not [key for key in large.hub.objects.dump() if key.startswith("files/")]
    assert large.ask()[0] == 202
    large.hub.make_files()
    assert large.ask()[0] == 303


def test_a_damaged_snapshot_is_never_taken_for_a_whole_one(hub: HistoryHub) -> None:
    (key,) = hub.objects.dump()
    whole = hub.objects.dump()[key]
    for cut in range(0, len(whole), 7):
        hub.objects.write(key, [whole[:cut]], media="application/gzip")
        status, _, body = hub.get("access-review.csv")
        assert (status, json.loads(body)["code"]) == (500, "storage_refused"), cut
    hub.objects.delete([key])
    assert hub.get("access-review.csv")[0] == 500


def test_a_project_outside_of_groups_is_below_no_group(hub: HistoryHub) -> None:
    hub.company.store(Resource(id=900, full_path="acme-labs/x", name="x", owner_id=BEN), kind=ResourceType.PROJECT)
    hub.reviews.now += DAY
    hub.keeper.keep("s2")
    assert "acme-labs/x" in {row["resource_path"] for row in hub.rows("access-review.csv")}
    assert "acme-labs/x" not in {row["resource_path"] for row in hub.rows("access-review.csv", group_id=ACME)}
