"""Deciding in access reviews: by whom, about what, again, at once, and not any more."""

from typing import Any

import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.principal import GitLabAccount, Principal, Role
from tests.functional.access.access_api import grant
from tests.functional.access.review_hub import (
    ACME,
    ADMIN,
    ANA,
    ANAS,
    BEN,
    KEEP,
    REVIEWER,
    VIEWER,
    ReviewHub,
    of,
)


@pytest.fixture
def hub() -> ReviewHub:
    return ReviewHub()


@pytest.fixture
def review(hub: ReviewHub) -> str:
    return hub.make(reviewers=["ana", REVIEWER.token_id])


def test_decisions_are_kept_with_who_and_when_and_counted(hub: ReviewHub, review: str) -> None:
    keep, revoke, change, *_ = of(hub, review, BEN)
    hub.now += 60
    status, body = hub.decide(
        review,
        {"item_id": keep, "decision": "keep", "comment": "needs it"},
        {"item_id": revoke, "decision": "revoke"},
        {"item_id": change, "decision": "change", "access_level": 20},
        who=REVIEWER,
    )
    assert status == 200, body
    assert body["review"]["decisions"] == {"keep": 1, "revoke": 1, "change": 1, "none": 14}
    stored = {row["id"]: row for row in hub.items(review)}
    assert [stored[row["id"]] for row in body["items"]] == body["items"]
    told = [(row["decision"], row["comment"], row["new_access_level"]) for row in body["items"]]
    assert told == [("keep", "needs it", None), ("revoke", None, None), ("change", None, 20)]
    assert {(row["decided_by"], row["decided_at"]) for row in body["items"]} == {(REVIEWER.token_id, int(hub.now))}
    assert hub("GET", f"/{review}")[1]["review"]["decisions"] == body["review"]["decisions"]


def test_deciding_again_replaces_with_who_and_when(hub: ReviewHub, review: str) -> None:
    one = of(hub, review, BEN)[0]
    hub.decide(review, {"item_id": one, "decision": "change", "access_level": 20, "comment": "less"})
    hub.now += 60
    _, body = hub.decide(review, {"item_id": one, **KEEP}, who=REVIEWER)
    (row,) = body["items"]
    assert (row["decision"], row["comment"], row["new_access_level"]) == ("keep", None, None)
    assert (row["decided_by"], row["decided_at"]) == (REVIEWER.token_id, int(hub.now))
    assert body["review"]["decisions"] == {"keep": 1, "revoke": 0, "change": 0, "none": 16}
    first, second = hub.audited("review.decide")
    assert [first["details"][side] for side in ("before", "after")] == [{one: "none"}, {one: "change"}]
    assert [second["details"][side] for side in ("before", "after")] == [{one: "change"}, {one: "keep"}]
    assert (second["actor"], second["details"]["target"], second["integration_id"]) == (REVIEWER.token_id, review, "i1")


def test_items_are_narrowed_by_what_was_frozen_of_their_accounts(hub: ReviewHub, review: str) -> None:
    every = hub.items(review)
    told = [(row["username"], row["resource"]["full_path"], row["access_level"]) for row in every]
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"two_factor_enabled": "true"}, lambda row: row["two_factor_enabled"] is True),
        ({"two_factor_enabled": "false"}, lambda row: row["two_factor_enabled"] is False),
        ({"external": "true"}, lambda row: row["external"] is True),
        ({"min_access_level": 40}, lambda row: row["access_level"] >= 40),
        ({"q": "TEAM/shop"}, lambda row: row["resource"]["full_path"] == "acme/team/shop"),
        ({"q": "ana", "min_access_level": 50}, lambda row: "ana" in f"{row}" and row["access_level"] == 50),
        ({"inactive_days": 1}, lambda row: row["username"] == "ana"),
        ({"inactive_days": 3650}, lambda _: False),
        ({"expiring_within_days": 10}, lambda row: row["expires_at"] is not None),
        ({"expiring_within_days": 10, "q": "ana"}, lambda row: row["expires_at"] and "ana" in f"{row}"),
    ]
    for query, fits in cases:
        expected = [one for one, row in zip(told, every, strict=True) if fits(row)]
        for limit in (1, 200):
            found = hub.items(review, limit=limit, **query)
            shown = [(row["username"], row["resource"]["full_path"], row["access_level"]) for row in found]
            assert shown == expected, query
    assert len({len(hub.items(review, **query)) for query, _ in cases}) > 3


def test_items_are_listed_by_what_was_decided(hub: ReviewHub, review: str) -> None:
    ids = [row["id"] for row in hub.items(review)]
    hub.decide(review, *({"item_id": one, **KEEP} for one in ids[::3]))
    hub.decide(review, *({"item_id": one, "decision": "revoke"} for one in ids[1::3]))
    for answer, expected in {"keep": ids[::3], "revoke": ids[1::3], "change": [], "none": ids[2::3]}.items():
        for limit in (1, 2, 200):
            assert [row["id"] for row in hub.items(review, decision=answer, limit=limit)] == expected
    status, said = hub("GET", f"/{review}/items", query={"decision": "maybe"})
    assert (status, said["details"]["allowed"]) == (422, ["keep", "revoke", "change", "none"])


def test_a_cursor_is_good_for_its_own_list_alone(hub: ReviewHub, review: str) -> None:
    cursor = hub("GET", f"/{review}/items", query={"limit": 1})[1]["next_cursor"]
    other = hub.make()
    for path, query in ((f"/{other}/items", {}), (f"/{review}/items", {"decision": "none"}), ("", {})):
        assert hub("GET", path, query={"cursor": cursor, **query})[1]["code"] == "invalid_cursor"


@pytest.mark.parametrize("who", [ADMIN, REVIEWER, ANAS, Principal("t-owner", Role.OWNER)])
def test_admins_and_reviewers_decide_whatever_their_role(hub: ReviewHub, review: str, who: Principal) -> None:
    one = of(hub, review, BEN)[0]
    assert hub.decide(review, {"item_id": one, **KEEP}, who=who)[0] == 200
    assert hub("GET", f"/{review}.csv", who=who)[0] == 200
    assert len(hub.items(review, who=who)) == 17


def test_a_reviewer_of_one_review_is_none_of_another(hub: ReviewHub, review: str) -> None:
    other = hub.make(reviewers=["ben"])
    assert hub.decide(other, {"item_id": "00001", **KEEP}, who=ANAS)[1]["code"] == "permission_denied"
    elsewhere = Principal("t-x", Role.VIEWER, None, frozenset({GitLabAccount("i2", ANA)}))
    assert hub.decide(review, {"item_id": "00001", **KEEP}, who=elsewhere)[1]["code"] == "permission_denied"


@pytest.mark.parametrize("role", list(Role))
def test_nobody_decides_on_their_own_access(hub: ReviewHub, review: str, role: Role) -> None:
    mine, others = of(hub, review, ANA), of(hub, review, BEN)
    me = Principal("t-ana", role, None, frozenset({GitLabAccount("i1", ANA), GitLabAccount("i2", BEN)}))
    before = hub.table.dump()
    for wanted in ([mine[0]], [others[0], mine[1]]):
        status, said = hub.decide(review, *({"item_id": one, **KEEP} for one in wanted), who=me)
        assert (status, said["code"], said["details"]) == (403, "self_review", {"item_ids": wanted[-1:]})
    assert hub.table.dump() == before
    assert hub.audited("review.decide") == []
    assert hub.decide(review, {"item_id": others[0], **KEEP}, who=me)[0] == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"item_id": "00099", "decision": "keep"}, "item_id"),
        ({"item_id": "../x", "decision": "keep"}, "item_id"),
        ({"item_id": "00001", "decision": "keep"}, "item_id"),
        ({"item_id": "00002", "decision": "change"}, "access_level"),
        ({"item_id": "00002", "decision": "change", "access_level": 30}, "access_level"),
        ({"item_id": "00002", "decision": "keep", "access_level": 10}, "access_level"),
        ({"item_id": "00002", "decision": "maybe"}, "decision"),
        ({"item_id": 2, "decision": "keep"}, "item_id"),
        ({"item_id": "00002", "decision": "keep", "comment": "x" * 1001}, "comment"),
        ({"item_id": "00002", "decision": "keep", "by": "me"}, "by"),
    ],
)
def test_where_one_decision_is_wrong_none_is_taken_and_it_is_named(
    hub: ReviewHub, review: str, wrong: dict[str, Any], field: str
) -> None:
    before = hub.table.dump(), hub.notes.dump()
    status, said = hub.decide(review, {"item_id": "00001", **KEEP}, wrong)
    assert (status, said["code"]) == (422, "invalid_input")
    assert f"body.decisions.1.{field}" in {one["field"] for one in said["details"]["fields"]}
    assert (hub.table.dump(), hub.notes.dump()) == before


def large(hub: ReviewHub) -> str:
    hub.company.store(*(Account(id=number, username=f"u{number}") for number in range(1000, 1250)))
    hub.company.store(*(grant("group", ACME, number, 30) for number in range(1000, 1250)))
    return hub.make(group_id=ACME)


def test_at_most_two_hundred_are_decided_at_a_time(hub: ReviewHub) -> None:
    review = large(hub)
    every = [{"item_id": f"{number:05d}", **KEEP} for number in range(1, 202)]
    assert hub.decide(review, *every)[0] == 422
    assert hub.decide(review)[0] == 422
    status, body = hub.decide(review, *every[:200])
    assert (status, len(body["items"]), body["review"]["decisions"]["keep"]) == (200, 200, 200)
    assert len(hub.items(review, decision="keep")) == 200
    assert len(hub.audited("review.decide")) == 1


def test_a_closed_review_takes_no_decision_and_stays_closed(hub: ReviewHub, review: str) -> None:
    one, two = of(hub, review, BEN)[:2]
    hub.decide(review, {"item_id": one, "decision": "revoke"})
    hub.now += 60
    first = hub("POST", f"/{review}/close")
    status, body = first
    assert (status, body["plan_id"], body["review"]["status"]) == (200, "plan_1", "closed")
    assert body["review"]["decisions"] == {"keep": 0, "revoke": 1, "change": 0, "none": 16}
    assert (body["review"]["closed_by"], body["review"]["closed_at"]) == (ADMIN.token_id, int(hub.now))
    hub.now += 60
    assert hub("POST", f"/{review}/close", who=Principal("t-other", Role.OWNER)) == first
    assert len(hub.audited("review.close")) == 1
    before = hub.items(review)
    for item in (one, two):
        status, said = hub.decide(review, {"item_id": item, **KEEP}, who=REVIEWER)
        assert (status, said["code"]) == (409, "review_closed")
    assert hub.items(review) == before
    assert hub("GET", f"/{review}.csv", who=REVIEWER)[0] == 200


def test_viewers_are_not_told_what_is_reviewed(hub: ReviewHub, review: str) -> None:
    status, said = hub.decide(review, {"item_id": "99999", **KEEP}, who=VIEWER)
    assert (status, said["code"]) == (403, "permission_denied")
    assert "reviewer" in said["error"]


def test_a_review_is_whole_where_only_details_of_accounts_are_missing(hub: ReviewHub) -> None:
    ended = Run(integration_id="i1", kind=Kind.ACCESS, status=RunStatus.IDLE, finished_at=int(hub.now))
    RunStore(hub.notes).save(ended)

    def is_whole(title: str) -> bool:
        made = hub("POST", "", {"title": title, "scope": {"group_id": ACME}})[1]
        return bool(made["review"]["completeness"]["complete"])

    def unread(sk: str) -> None:
        hub.notes.put({"pk": "INTEGRATION#i1", "sk": f"SCOPE#access#{sk}", "status": "forbidden", "code": "x"})

    unread("account_lists#billable_members")
    unread("group_invitations#all")
    assert is_whole("Q1")
    unread(f"group_members#{ACME:012d}")
    assert not is_whole("Q2")
