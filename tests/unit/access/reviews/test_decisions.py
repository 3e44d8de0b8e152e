"""What may be decided in an access review, and what it counts; all pure."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.access.reviews.model import (
    Decision,
    Item,
    NewDecision,
    Review,
    Reviewer,
    is_reviewer,
    own_items,
    problems,
    recount,
    undecided,
)

DEVELOPER = Item(
    id="00001", account_id=5, resource_type="project", resource_id=8, full_path="a/b", access_level=30, kind="direct"
)
GUEST = replace(DEVELOPER, id="00002", account_id=6, access_level=10)
MINIMAL = replace(DEVELOPER, id="00003", account_id=7, access_level=5)
CUSTOM = replace(DEVELOPER, id="00004", account_id=8, access_level=37)
ITEMS = {item.id: item for item in (DEVELOPER, GUEST, MINIMAL, CUSTOM)}
REVIEW = Review(
    id="rev_1", title="", snapshot_at=1, created_by="t", complete=True, sync_status="idle", synced_at=1, item_count=4
)


def new_decision(item_id: str = "00001", decision: str = "keep", **more: Any) -> NewDecision:
    return NewDecision(item_id=item_id, decision=Decision(decision), **more)


@pytest.mark.parametrize(
    "fine",
    [
        new_decision(), new_decision(decision="revoke", comment="left"),
        new_decision(decision="change", access_level=20),
        new_decision(decision="change", access_level=5), new_decision("00002", "change", access_level=5),
        new_decision("00004", "change", access_level=30),
    ],
)  # fmt: skip
def test_what_keeps_revokes_or_lowers_is_fine(fine: NewDecision) -> None:
    assert problems([fine], ITEMS) == []


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        (new_decision("00009"), "item_id", "no item of this review"),
        (new_decision(decision="change"), "access_level", "must be lower than the 30"),
        (new_decision(decision="change", access_level=30), "access_level", "one of 5, 10, 15, 20, 25"),
        (new_decision(decision="change", access_level=50), "access_level", "must be lower"),
        (new_decision(decision="change", access_level=21), "access_level", "one of 5, 10"),
        (new_decision(decision="change", access_level=0), "access_level", "must be lower"),
        (new_decision("00003", "change", access_level=5), "access_level", "revoke it instead"),
        (new_decision(access_level=10), "access_level", "leave it out to keep"),
        (new_decision(decision="revoke", access_level=10), "access_level", "leave it out to revoke"),
    ],
)
def test_what_is_wrong_is_named(wrong: NewDecision, field: str, says: str) -> None:
    (found,) = problems([wrong], ITEMS)
    assert (found.place, found.field) == (0, field)
    assert says in found.message


def test_every_wrong_decision_is_named_and_an_item_twice_is_wrong_twice() -> None:
    found = problems([new_decision(), new_decision("00002"), new_decision("00009"), new_decision()], ITEMS)
    assert [(one.place, one.field) for one in found] == [(0, "item_id"), (2, "item_id"), (3, "item_id")]


def test_deciding_again_replaces_all_of_the_first_decision() -> None:
    first = new_decision(decision="change", access_level=20, comment="less").applied(DEVELOPER, by="a", at=1)
    again = new_decision().applied(first, by="b", at=2)
    assert (again.decision, again.new_access_level, again.comment) == ("keep", None, None)
    assert (again.decided_by, again.decided_at) == ("b", 2)


DECIDED = st.lists(st.sampled_from(Decision), min_size=4, max_size=4)


@given(DECIDED, DECIDED)
def test_counts_are_those_of_the_items_however_often_they_are_decided(first: list[Any], second: list[Any]) -> None:
    items, counts = list(ITEMS.values()), undecided(4)
    for decisions in (first, second):
        new = [
            new_decision(item.id, one).applied(item, by="a", at=1) for item, one in zip(items, decisions, strict=True)
        ]
        counts = recount(counts, items, new)
        items = new
    assert counts == {**undecided(0), **{str(one): second.count(one) for one in Decision}}
    assert sum(counts.values()) == 4


def test_ones_own_items_are_those_of_ones_accounts() -> None:
    assert own_items(ITEMS.values(), {6, 8, 99}) == ["00002", "00004"]
    assert own_items(ITEMS.values(), ()) == []


@pytest.mark.parametrize(
    ("reviewer", "token_id", "accounts", "may"),
    [
        (Reviewer(name="t1", account_id=None), "t1", set(), True),
        (Reviewer(name="t1", account_id=None), "t2", {1}, False),
        (Reviewer(name="jane", account_id=5), "t2", {5}, True),
        (Reviewer(name="jane", account_id=5), "jane", set(), False),
        (Reviewer(name="jane", account_id=5), "jane", {6}, False),
    ],
)
def test_a_reviewer_is_a_token_or_whom_a_token_belongs_to(
    reviewer: Reviewer, token_id: str, accounts: set[int], may: bool
) -> None:
    assert is_reviewer(replace(REVIEW, reviewers=[reviewer]), token_id, accounts) is may
    assert not is_reviewer(REVIEW, token_id, accounts)


@pytest.mark.parametrize(("level", "privileged"), [(30, False), (37, False), (40, True), (50, True)])
def test_who_may_change_settings_is_privileged(level: int, privileged: bool) -> None:
    assert replace(DEVELOPER, access_level=level).privileged is privileged
