"""An access review in a deployed hub: frozen, decided about, closed, exported."""

import csv
import urllib.request

from tests.end_to_end.hub_client import Hub


def test_a_review_is_made_decided_and_closed(hub: Hub, one: str) -> None:
    wanted = {"title": "Quarterly", "scope": {"kinds": ["human"]}}
    made = hub.call("POST", f"{one}/reviews", wanted, Idempotency_Key="review-1")
    assert made.status == 201, made
    again = hub.call("POST", f"{one}/reviews", wanted, Idempotency_Key="review-1")
    review = made.body["review"]
    assert again.body["review"]["id"] == review["id"]
    path = f"{one}/reviews/{review['id']}"
    items = hub.rows(f"{path}/items")
    assert len(items) == review["item_count"] > 2
    decisions = [
        {"item_id": items[0]["id"], "decision": "keep"},
        {"item_id": items[1]["id"], "decision": "revoke", "comment": "left the team"},
    ]
    decided = hub.call("PATCH", f"{path}/items", {"decisions": decisions})
    assert decided.status == 200, decided
    assert [row["id"] for row in hub.rows(f"{path}/items", decision="revoke")] == [items[1]["id"]]
    closed = hub.call("POST", f"{path}/close", {})
    # This integration may change nothing: the review is closed all the same.
    assert (closed.status, closed.body["plan_id"]) == (200, None)
    assert closed.body["plan_refusal"]["code"] == "feature_disabled"
    late = hub.call("PATCH", f"{path}/items", {"decisions": decisions})
    assert late.refusal == (409, "review_closed")
    assert [row["id"] for row in hub.rows(f"{one}/reviews")] == [review["id"]]
    rows = list(csv.DictReader(exported(hub, path).splitlines()))
    assert len(rows) == len(items)
    assert {row["decision"] for row in rows} >= {"keep", "revoke"}


def exported(hub: Hub, path: str) -> str:
    """The review as a file."""
    request = urllib.request.Request(f"{hub.url}{path}.csv")  # noqa: S310 - http on loopback
    request.add_header("Authorization", f"Bearer {hub.owner_token}")
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
        assert answer.headers["Content-Type"].startswith("text/csv")
        text: str = answer.read().decode()
    return text
