"""Making access reviews: what is frozen, for whom, and what is too much."""

from typing import Any

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.shards import Shards
from gitlab_hub.access.store import partitions
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.inventory.model import Resource
from tests.functional.access.access_api import NOW, grant
from tests.functional.access.review_hub import (
    ACME,
    ADMIN,
    ANA,
    BEN,
    BOT,
    DAY,
    LAB,
    OPS,
    REVIEWER,
    ROOT,
    SHOP,
    TEAM,
    ReviewHub,
    share,
)

Has = set[tuple[str, int, int, int]]


@pytest.fixture
def hub() -> ReviewHub:
    return ReviewHub()


def has(hub: ReviewHub, review_id: str) -> Has:
    """(type, resource, account, level) of every item."""
    rows = hub.items(review_id)
    found = {(row["resource"]["type"], row["resource"]["id"], row["account_id"], row["access_level"]) for row in rows}
    assert len(found) == len(rows)
    return found


IN_ACME: Has = {
    ("group", ACME, ANA, 40), ("group", ACME, BEN, 30), ("group", ACME, ROOT, 50),
    ("group", TEAM, ANA, 40), ("group", TEAM, BEN, 30), ("group", TEAM, BOT, 30), ("group", TEAM, ROOT, 50),
    ("project", SHOP, ANA, 40), ("project", SHOP, BEN, 30), ("project", SHOP, BOT, 30), ("project", SHOP, ROOT, 50),
}  # fmt: skip
ELSEWHERE: Has = {
    ("group", OPS, BEN, 50), ("group", OPS, ROOT, 50), ("project", LAB, ANA, 50), ("project", LAB, BEN, 30),
    ("project", LAB, BOT, 30), ("project", LAB, ROOT, 50),
}  # fmt: skip


@pytest.mark.parametrize("few", [0, 100], ids=["all at once", "one by one"])
@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({}, IN_ACME | ELSEWHERE),
        ({"group_id": ACME}, IN_ACME),
        ({"group_id": TEAM}, {one for one in IN_ACME if one[1] != ACME}),
        ({"project_id": LAB}, {one for one in ELSEWHERE if one[1] == LAB}),
        ({"group_id": ACME, "min_access_level": 40}, {one for one in IN_ACME if one[3] >= 40}),
        ({"kinds": ["group_bot"]}, {one for one in IN_ACME | ELSEWHERE if one[2] == BOT}),
        ({"kinds": ["service_account"]}, set()),
        ({"group_id": TEAM, "project_id": LAB}, None),
    ],
)
def test_a_scope_is_a_group_with_all_below_it_or_a_project_or_everything(
    few: int, scope: dict[str, Any], expected: Has | None
) -> None:
    hub = ReviewHub(few=few)
    if expected is None:
        status, body = hub("POST", "", {"title": "x", "scope": scope})
        assert (status, body["details"]["fields"][0]["field"]) == (422, "body.scope")
    else:
        assert has(hub, hub.make(**scope)) == expected


def outside(hub: ReviewHub) -> None:
    """A group that the integration does not cover, invited into the team; and members that could not be read."""
    client = hub.company
    client.store(
        Resource(
            id=TEAM, full_path="acme/team", name="Team", parent_id=ACME, shared_with=[share(77, 20), share(99, 20)]
        )
    )
    row = {"pk": "i1#outside_groups", "sk": f"{77:012d}", "id": 77, "full_path": "far", "outside": True}
    hub.table.put(row)
    hub.table.put({"pk": "i1#outside_grants", "sk": f"group#{77:012d}#{BOT:012d}", "account_id": BOT,
                   "resource_type": "group", "resource_id": 77, "access_level": 10})  # fmt: skip
    sk = f"SCOPE#access#group_members#{OPS:012d}"
    hub.notes.put({"pk": "INTEGRATION#i1", "sk": sk, "status": "forbidden", "code": "forbidden", "hint": ""})


def test_reading_everything_at_once_finds_what_reading_one_by_one_does() -> None:
    hubs = [ReviewHub(few=few) for few in (0, 100)]
    for hub in hubs:
        hub.company.store(grant("group", TEAM, BOT, 5))
        outside(hub)
    at_once, one_by_one = (hub.items(hub.make()) for hub in hubs)
    assert at_once == one_by_one
    assert {row["at_least"] for row in at_once} == {True, False}
    assert [row for row in at_once if row["account_id"] == BOT]


def test_an_item_has_what_a_reviewer_needs_to_decide(hub: ReviewHub) -> None:
    shop = {row["account_id"]: row for row in hub.items(hub.make(project_id=SHOP))}
    assert shop[BEN] == {
        "id": "00002", "account_id": BEN, "username": "ben", "name": "", "account_kind": "human",
        "account_status": "disabled", "two_factor_enabled": None, "external": None, "last_sign_in_at": None,
        "last_activity_on": None,
        "resource": {"type": "project", "id": SHOP, "full_path": "acme/team/shop"}, "visibility": "internal",
        "access_level": 30, "role": "Developer", "custom_role": None, "kind": "shared", "source": "ops", "cap": 30,
        "since": None, "granted_by": None, "expires_at": NOW + 5 * DAY, "overdue": False, "privileged": False,
        "at_least": False, "revoke_at": [{"type": "group", "id": OPS, "full_path": "ops", "level": 50}],
        "decision": None, "new_access_level": None, "comment": None, "decided_by": None, "decided_at": None,
    }  # fmt: skip
    assert (shop[ANA]["since"], shop[ANA]["granted_by"], shop[ANA]["privileged"]) == (5, ROOT, True)
    assert [one["id"] for one in shop[ANA]["revoke_at"]] == [ACME, SHOP]
    assert (shop[BOT]["kind"], shop[BOT]["custom_role"]) == ("inherited", "Builder")
    assert (shop[ROOT]["kind"], shop[ROOT]["source"], shop[ROOT]["revoke_at"]) == ("implied", None, [])


def test_a_review_is_frozen(hub: ReviewHub) -> None:
    review_id = hub.make()
    before, csv_before = hub.items(review_id), hub("GET", f"/{review_id}.csv")
    hub.company.store(grant("group", ACME, ANA, 10), grant("group", OPS, BOT, 50), grant("project", SHOP, BEN, 50))
    hub.company.store(Account(id=BEN, username="benjamin", kind=AccountKind.HUMAN))
    hub.company.store(Resource(id=TEAM, full_path="elsewhere", name="Team"))
    hub.table.delete(*Shards("i1", "grants").key(f"group#{TEAM:012d}", f"{BOT:012d}"))
    hub.now += 30 * DAY
    assert hub.items(review_id) == before
    assert hub("GET", f"/{review_id}.csv") == csv_before
    assert has(hub, hub.make()) != {
        (one["resource"]["type"], one["resource"]["id"], one["account_id"], one["access_level"]) for one in before
    }


def test_a_review_says_what_it_is_of_and_how_whole(hub: ReviewHub) -> None:
    body = {
        "title": "Q1", "scope": {"group_id": ACME, "min_access_level": 30, "kinds": ["human", "group_bot", "human"]},
        "due_at": NOW + DAY, "reviewers": ["@Ana", REVIEWER.token_id, ADMIN.token_id],
    }  # fmt: skip
    status, made = hub("POST", "", body)
    review = made["review"]
    assert (status, hub("GET", f"/{review['id']}")) == (201, (200, made))
    said = {
        "title": "Q1", "status": "open", "due_at": NOW + DAY, "item_count": 11, "snapshot_at": NOW,
        "created_by": ADMIN.token_id,
    }  # fmt: skip
    assert {name: review[name] for name in said} == said
    assert review["scope"] == {
        "group_id": ACME, "project_id": None, "min_access_level": 30, "kinds": ["group_bot", "human"]
    }  # fmt: skip
    assert review["reviewers"] == [
        {"name": "ana", "type": "account", "account_id": ANA},
        {"name": REVIEWER.token_id, "type": "hub_token", "account_id": None},
        {"name": ADMIN.token_id, "type": "hub_token", "account_id": None},
    ]
    assert review["decisions"] == {"keep": 0, "revoke": 0, "change": 0, "none": 11}
    assert (review["completeness"]["complete"], review["closed_at"], review["closed_by"]) == (False, None, None)
    (line,) = hub.audited("review.create")
    assert (line["actor"], line["details"]["target"]) == (ADMIN.token_id, review["id"])
    assert line["details"]["after"]["items"] == 11


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": {}}, "body.title"),
        ({"title": "", "scope": {}}, "body.title"),
        ({"title": "x"}, "body.scope"),
        ({"title": "x", "scope": {"group_id": 999}}, "body.scope.group_id"),
        ({"title": "x", "scope": {"project_id": 999}}, "body.scope.project_id"),
        ({"title": "x", "scope": {"group_id": "acme"}}, "body.scope.group_id"),
        ({"title": "x", "scope": {"kinds": ["robot"]}}, "body.scope.kinds.0"),
        ({"title": "x", "scope": {"kinds": []}}, "body.scope.kinds"),
        ({"title": "x", "scope": {"min_access_level": 60}}, "body.scope.min_access_level"),
        ({"title": "x", "scope": {"path": "acme"}}, "body.scope.path"),
        ({"title": "x", "scope": {}, "due_at": NOW}, "body.due_at"),
        ({"title": "x", "scope": {}, "due_at": "tomorrow"}, "body.due_at"),
        ({"title": "x", "scope": {}, "reviewers": ["ana", "nobody"]}, "body.reviewers.1"),
        ({"title": "x", "scope": {}, "reviewers": [""]}, "body.reviewers.0"),
        ({"title": "x", "scope": {}, "status": "closed"}, "body.status"),
    ],
)
def test_what_cannot_be_reviewed_is_refused_and_leaves_nothing(hub: ReviewHub, body: Any, field: str) -> None:
    before = hub.table.dump(), hub.notes.dump()
    status, said = hub("POST", "", body)
    assert (status, said["code"], said["details"]["fields"][0]["field"]) == (422, "invalid_input", field)
    assert (hub.table.dump(), hub.notes.dump()) == before


@pytest.mark.parametrize("few", [0, 100])
def test_more_items_than_a_review_takes_are_refused(few: int) -> None:
    assert ReviewHub(most=17, few=few).make()
    hub = ReviewHub(most=16, few=few)
    status, said = hub("POST", "", {"title": "x", "scope": {}})
    assert (status, said["details"]["fields"][0]["field"]) == (422, "body.scope")
    assert "narrow it" in said["error"]
    assert hub("GET")[1]["reviews"] == []
    assert hub.make(group_id=ACME)


@pytest.mark.parametrize("few", [0, 100])
def test_what_takes_longer_than_a_request_has_is_refused(few: int) -> None:
    hub = ReviewHub(few=few)
    hub.left = 7.9
    status, said = hub("POST", "", {"title": "x", "scope": {}})
    assert (status, said["details"]["fields"][0]["field"]) == (422, "body.scope")
    assert "20 seconds" in said["error"]
    assert hub("GET")[1]["reviews"] == []
    assert hub.audited("review.create") == []


def test_the_same_key_makes_one_review(hub: ReviewHub) -> None:
    body, headers = {"title": "x", "scope": {}}, {"Idempotency-Key": "k"}
    first, again = (hub("POST", "", body, headers=headers) for _ in range(2))
    assert first == again
    assert len(hub("GET")[1]["reviews"]) == 1
    assert hub("POST", "", {"title": "y", "scope": {}}, headers=headers)[1]["code"] == "idempotency_mismatch"


def test_removing_the_integration_removes_its_reviews() -> None:
    assert {"i1#reviews", "i1#review_items"} <= set(partitions("i1"))
