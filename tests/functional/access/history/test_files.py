"""The files for auditors: what they say, that a past day's never changes, and how large ones are handed out."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from gitlab_hub.access.history.model import DAY, day_of
from gitlab_hub.access.model import Account
from gitlab_hub.access.reviews.table import COLUMNS
from gitlab_hub.inventory.model import Resource, ResourceType
from tests.functional.access.history.history_hub import HistoryHub, churn
from tests.functional.access.review_hub import ACME, ANA, BEN, LAB, OPS, ROOT, SHOP, TEAM


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
