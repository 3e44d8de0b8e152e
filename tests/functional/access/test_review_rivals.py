"""Reviewers who decide at the same moment: both count, and a closed review takes nothing."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.faults import Plan
from tests.fakes.interleaving import Interleaving
from tests.functional.access.review_hub import (
    ANAS,
    BEN,
    KEEP,
    REVIEWER,
    ReviewHub,
    of,
)


@pytest.fixture
def hub() -> ReviewHub:
    return ReviewHub()


@pytest.fixture
def review(hub: ReviewHub) -> str:
    return hub.make(reviewers=["ana", REVIEWER.token_id])


def counted(hub: ReviewHub, review: str) -> dict[str, int]:
    """The counts as the items give them."""
    found = Counter(row["decision"] or "none" for row in hub.items(review))
    return {name: found[name] for name in ("keep", "revoke", "change", "none")}


TURNS = st.lists(st.integers(0, 1), max_size=30)


@settings(max_examples=25, deadline=None)
@given(TURNS)
def test_two_reviewers_at_once_both_count(turns: list[int]) -> None:
    hub = ReviewHub()
    review = hub.make(reviewers=["ana", REVIEWER.token_id])
    shared, mine, yours = of(hub, review, BEN)[:3]
    together = Interleaving(turns)
    api = [hub.api(together.wrapped(hub.table), together.wrapped(hub.notes)) for _ in range(2)]
    answers = together.run(
        lambda: hub.decide(review, {"item_id": shared, **KEEP}, {"item_id": mine, **KEEP}, who=ANAS, api=api[0]),
        lambda: hub.decide(
            review, {"item_id": shared, "decision": "revoke"}, {"item_id": yours, "decision": "revoke"},
            who=REVIEWER, api=api[1],
        ),
    )  # fmt: skip
    assert [answer[0] for answer in answers] == [200, 200]  # type: ignore[index]  # no exception came
    stored = {row["id"]: row["decision"] for row in hub.items(review)}
    assert (stored[mine], stored[yours]) == ("keep", "revoke")
    assert hub("GET", f"/{review}")[1]["review"]["decisions"] == counted(hub, review)


@settings(max_examples=25, deadline=None)
@given(TURNS)
def test_a_review_that_is_closed_meanwhile_takes_a_decision_before_or_not_at_all(turns: list[int]) -> None:
    hub = ReviewHub()
    review = hub.make()
    one = of(hub, review, BEN)[0]
    together = Interleaving(turns)
    api = [hub.api(together.wrapped(hub.table), together.wrapped(hub.notes)) for _ in range(2)]
    decided, closed = together.run(
        lambda: hub.decide(review, {"item_id": one, **KEEP}, api=api[0]),
        lambda: hub("POST", f"/{review}/close", api=api[1]),
    )
    assert isinstance(decided, tuple), decided
    assert isinstance(closed, tuple), closed
    assert closed[0] == 200
    assert (decided[0], counted(hub, review)["keep"]) in {(200, 1), (409, 0)}
    assert (
        closed[1]["review"]["decisions"] == counted(hub, review) == hub("GET", f"/{review}")[1]["review"]["decisions"]
    )


def test_who_never_gets_a_turn_is_told_to_send_it_again(hub: ReviewHub, review: str) -> None:
    one, two = of(hub, review, BEN)[:2]

    def meanwhile() -> None:
        hub.decide(review, {"item_id": two, **KEEP})

    class Overtaken(Plan):
        """Somebody else decides just before every transaction."""

        def outcome(self, name: str) -> Any:
            if name == "transact":
                meanwhile()
            return super().outcome(name)

    status, said = hub.decide(review, {"item_id": one, **KEEP}, api=hub.struck(Overtaken()))
    assert (status, said["code"], said["retryable"]) == (409, "conflict", True)
    assert counted(hub, review)["keep"] == 1
