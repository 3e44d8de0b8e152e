"""Closing a review makes one plan of what was decided, and the file for the auditor says what became of it."""

import csv
from typing import Any

import pytest

from gitlab_hub.access.reviews.remediation import Key
from gitlab_hub.errors import FeatureDisabled
from tests.fakes.events import Context, http_event
from tests.functional.access.review_hub import ACME, ADMIN, ANA, BEN, OPS, SHOP, ReviewHub


@pytest.fixture
def hub() -> ReviewHub:
    return ReviewHub()


def items_of(hub: ReviewHub, review: str, account_id: int, resource_id: int) -> dict[str, Any]:
    found = [
        one for one in hub.items(review) if (one["account_id"], one["resource"]["id"]) == (account_id, resource_id)
    ]
    return found[0]


def decided(hub: ReviewHub) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A review with one item to be revoked and one to be lowered."""
    review = hub.make()
    gone, lower = items_of(hub, review, BEN, OPS), items_of(hub, review, ANA, ACME)
    decisions = [
        {"item_id": gone["id"], "decision": "revoke"},
        {"item_id": lower["id"], "decision": "change", "access_level": 20},
    ]
    assert hub.decide(review, *decisions)[0] == 200
    return review, gone, lower


def exported(hub: ReviewHub, review: str) -> dict[str, tuple[str, str]]:
    event = http_event("GET", f"/v1/integrations/i1/reviews/{review}.csv", principal=ADMIN)
    rows = list(csv.DictReader(hub.api().resolve(event, Context())["body"].splitlines()))
    return {
        f"{row['account_id']}@{row['resource_id']}": (row["remediation_plan_id"], row["remediated_at"]) for row in rows
    }


def test_what_is_to_be_revoked_or_changed_becomes_one_plan(hub: ReviewHub) -> None:
    review, _, _ = decided(hub)
    status, body = hub("POST", f"/{review}/close")
    assert (status, body["plan_id"], body["plan_refusal"], body["left_out"]) == (200, "plan_1", None, [])
    assert body["plan_status"] == "blocked"
    [(remedies, note, actor)] = hub.plans.asked
    assert {one.key: (one.expected, one.level) for one in remedies} == {
        ("group", OPS, BEN): (50, None),
        ("group", ACME, ANA): (40, 20),
    }
    assert (review in note, actor) == (True, ADMIN.token_id)
    assert hub("GET", f"/{review}")[1]["review"]["plan_id"] == "plan_1"


def test_closing_again_makes_a_plan_only_where_none_can_be_applied(hub: ReviewHub) -> None:
    review, _, _ = decided(hub)
    first = hub("POST", f"/{review}/close")
    assert (hub("POST", f"/{review}/close"), len(hub.plans.asked)) == (first, 1)
    hub.plans.expired.add("plan_1")
    status, body = hub("POST", f"/{review}/close")
    assert (status, body["plan_id"], len(hub.plans.asked)) == (200, "plan_2", 2)
    assert body["review"]["closed_at"] == first[1]["review"]["closed_at"]


def test_a_review_closes_without_a_plan_and_says_why(hub: ReviewHub) -> None:
    review, _, _ = decided(hub)
    hub.plans.refusal = FeatureDisabled("Switch it on.")
    status, body = hub("POST", f"/{review}/close")
    assert (status, body["review"]["status"], body["plan_id"]) == (200, "closed", None)
    assert body["plan_refusal"] == {"code": "feature_disabled", "hint": "Switch it on."}
    assert set(exported(hub, review).values()) == {("", "")}
    hub.plans.refusal = None
    assert hub("POST", f"/{review}/close")[1]["plan_id"] == "plan_1"


def test_a_review_that_keeps_everything_asks_for_no_plan(hub: ReviewHub) -> None:
    review = hub.make()
    hub.decide(review, {"item_id": hub.items(review)[0]["id"], "decision": "keep"})
    status, body = hub("POST", f"/{review}/close")
    assert (status, body["plan_id"], body["plan_refusal"], hub.plans.asked) == (200, None, None, [])


def test_a_membership_that_gives_what_is_kept_stays_and_the_item_is_named(hub: ReviewHub) -> None:
    review = hub.make()
    kept, below = items_of(hub, review, ANA, ACME), items_of(hub, review, ANA, SHOP)
    assert ACME in {one["id"] for one in below["revoke_at"]}
    hub.decide(review, {"item_id": kept["id"], "decision": "keep"}, {"item_id": below["id"], "decision": "revoke"})
    _, body = hub("POST", f"/{review}/close")
    assert body["left_out"] == [{"item_id": below["id"], "reason": "kept_elsewhere"}]
    assert ("group", ACME, ANA) not in {one.key for remedies, *_ in hub.plans.asked for one in remedies}


def test_the_file_names_the_plan_and_when_each_decision_was_carried_out(hub: ReviewHub) -> None:
    review, _, _ = decided(hub)
    hub("POST", f"/{review}/close")
    gone, lower = f"{BEN}@{OPS}", f"{ANA}@{ACME}"
    rows = exported(hub, review)
    assert (rows[gone], rows[lower]) == (("plan_1", ""), ("plan_1", ""))
    key: Key = ("group", OPS, BEN)
    hub.plans.settled[key] = 1801353600
    rows = exported(hub, review)
    assert (rows[gone], rows[lower]) == (("plan_1", "2027-01-31T00:00:00Z"), ("plan_1", ""))
    assert {rows[one] for one in rows.keys() - {gone, lower}} == {("", "")}
