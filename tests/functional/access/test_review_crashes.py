"""The process ends, or a store is away, at every call that making and deciding take."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.shards import Shards
from tests.fakes.faults import BEFORE_OR_AFTER, CRASH_OR_OUTAGE, Crash, Plan, every_call
from tests.functional.access.access_api import grant
from tests.functional.access.review_hub import ACME, ReviewHub

WANTED = {"title": "Q1", "scope": {}}
KEY = {"Idempotency-Key": "k"}


def large() -> ReviewHub:
    """So many items that they take several batches and several transactions."""
    hub = ReviewHub()
    hub.company.store(*(Account(id=number, username=f"u{number}") for number in range(1000, 1080)))
    hub.company.store(*(grant("group", ACME, number, 30) for number in range(1000, 1080)))
    return hub


def attempted(hub: ReviewHub, plan: Plan, *call: Any, **how: Any) -> None:
    """Try once; it may fail in any way that the plan makes it fail."""
    with suppress(Crash):
        hub(*call, api=hub.struck(plan), **how)


def listed(hub: ReviewHub) -> list[dict[str, Any]]:
    return list(hub("GET")[1]["reviews"])


def is_whole(hub: ReviewHub, review: dict[str, Any]) -> bool:
    return [row["id"] for row in hub.items(review["id"])] == [f"{n:05d}" for n in range(1, review["item_count"] + 1)]


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
def test_what_ends_while_a_review_is_made_leaves_a_whole_one_or_none(
    applied: bool, error: Callable[[], BaseException]
) -> None:
    for plan in every_call(first=1 + 2 * applied + (error is Crash), step=4, error=error, applied=applied):
        hub = large()
        attempted(hub, plan, "POST", "", WANTED, headers=KEY)
        assert all(is_whole(hub, review) for review in listed(hub)), plan.calls
        hub.now += 90
        # Grants go meanwhile: what was written first has more items than the review that comes of it.
        hub.table.delete(*Shards("i1", "grants").key(f"group#{ACME:012d}", f"{1000:012d}"))
        status, body = hub("POST", "", WANTED, headers=KEY)
        assert status == 201, plan.calls
        assert listed(hub) == [body["review"]]
        assert is_whole(hub, body["review"])
        assert hub("GET", f"/{body['review']['id']}.csv")[1].count("\r\n") == body["review"]["item_count"] + 1
    assert plan.at > 12


@BEFORE_OR_AFTER
@CRASH_OR_OUTAGE
def test_what_ends_while_decisions_are_stored_counts_what_is_stored(
    applied: bool, error: Callable[[], BaseException]
) -> None:
    at = 0
    while True:
        at += 1
        hub = large()
        review = hub.make(group_id=ACME)
        ids = [row["id"] for row in hub.items(review)][:200]
        body = {"decisions": [{"item_id": one, "decision": "revoke"} for one in ids]}
        plan = Plan(at=at, error=error, applied=applied)
        attempted(hub, plan, "PATCH", f"/{review}/items", body)
        assert told(hub, review) == counted(hub, review), plan.calls
        assert hub("PATCH", f"/{review}/items", body)[0] == 200
        assert told(hub, review) == counted(hub, review)
        assert counted(hub, review)["revoke"] == len(ids)
        if not plan.struck:
            break
    assert at > 5


@BEFORE_OR_AFTER
@pytest.mark.parametrize("at", range(1, 6))
def test_what_ends_while_a_review_is_closed_leaves_it_open_or_closed(at: int, applied: bool) -> None:
    hub = ReviewHub()
    review = hub.make()
    attempted(hub, Plan(at=at, applied=applied), "POST", f"/{review}/close")
    before = hub("GET", f"/{review}")[1]["review"]
    hub.now += 60
    status, body = hub("POST", f"/{review}/close")
    assert (status, body["review"]["status"]) == (200, "closed")
    assert before["status"] == "open" or before == body["review"]


def told(hub: ReviewHub, review: str) -> dict[str, int]:
    counts: dict[str, int] = hub("GET", f"/{review}")[1]["review"]["decisions"]
    return counts


def counted(hub: ReviewHub, review: str) -> dict[str, int]:
    found = Counter(row["decision"] or "none" for row in hub.items(review))
    return {name: found[name] for name in ("keep", "revoke", "change", "none")}
