"""Access for a while: asked for, decided about by somebody else, given, and taken back."""

from typing import Any

import pytest

from gitlab_hub.web.principal import GitLabAccount, Principal, Role
from tests.fakes.events import OWNER
from tests.functional.provisioning.plan_hub import ADMIN, BEN, INTEGRATION, PROJECT, SHOP, START
from tests.functional.provisioning.timed_hub import BENS, DEV, GLASS, LEAD, NEW, TimedHub, policy


def test_access_is_given_for_an_hour_and_taken_back_within_a_minute_of_its_end() -> None:
    hub = TimedHub()
    before = hub.shop()
    request_id = hub.given()
    found = hub.one(request_id)
    assert (found["granted_at"], found["ends_at"], found["decided_by"]) == (START, START + 3600, "t-owner")
    assert hub.shop()[NEW] == (40, "2026-09-22", None)  # GitLab's own end, the day after
    hub.later(3599)
    assert hub.gitlab.level("projects", SHOP, NEW) == 40
    hub.later(61)
    found = hub.one(request_id)
    assert (found["status"], found["ended_at"], hub.shop()) == ("ended", START + 3660, before)
    assert [write[:2] for write in hub.gitlab.writes] == [
        ("POST", f"/projects/{SHOP}/members"),
        ("DELETE", f"/projects/{SHOP}/members/{NEW}"),
    ]
    assert (hub.left(), hub.incidents()) == ([], {})
    assert hub.read(found["end_plan_id"])["access_request_id"] == request_id
    lines = [row["action"] for row in hub.notes.dump() if str(row.get("action")).startswith("access_request")]
    assert sorted(lines) == ["access_request.approve", "access_request.create", "access_request.end"]


def test_who_had_less_gets_that_back() -> None:
    hub = TimedHub()
    hub.gitlab.members["projects", SHOP][BEN]["expires_at"] = "2026-12-31"
    before = hub.shop()
    request_id = hub.given(BEN, account_id=None, username="BEN", until=START + 600)
    assert hub.shop()[BEN] == (40, "2026-09-22", None)
    hub.later(600)
    assert (hub.one(request_id)["status"], hub.shop()) == ("ended", before)


def test_what_the_end_before_would_have_ended_meanwhile_is_not_given_back() -> None:
    hub = TimedHub()
    hub.put_policies(policy(max_minutes=10_000))
    hub.gitlab.members["projects", SHOP][BEN]["expires_at"] = "2026-09-23"
    request_id = hub.given(BEN, minutes=4_320)
    hub.later(4_320 * 60)
    assert (hub.one(request_id)["status"], BEN in hub.shop()) == ("ended", False)


def test_nobody_decides_about_access_of_their_own() -> None:
    hub = TimedHub()
    hub.put_policies(policy(requesters={"roles": ["developer", "owner"]}))
    mine, bens = hub.asked(who=OWNER), hub.asked(BEN)
    for request_id, who in ((mine, OWNER), (bens, BENS)):
        for how in ("approve", "deny"):
            status, body = hub.decide(request_id, how, who=who)
            assert (status, body["code"]) == (403, "self_approval"), (how, who)
    twin = Principal("t-twin", Role.OWNER, None, frozenset({GitLabAccount(INTEGRATION, 7)}))
    own = hub.asked(21, who=Principal("t-seven", Role.DEVELOPER, None, twin.gitlab_accounts))
    assert hub.decide(own, "approve", who=twin)[1]["code"] == "self_approval"
    assert (hub.gitlab.writes, hub.decide(mine, "approve", who=BENS)[0]) == ([], 200)


def test_who_may_approve_is_for_the_policy_to_say() -> None:
    hub = TimedHub()
    request_id = hub.asked()
    assert hub.decide(request_id, "approve", who=ADMIN)[1]["code"] == "policy_refused"
    hub.put_policies(policy(id="default", approvers={"token_ids": ["t-lead", "t-admin"], "count": 2}))
    assert hub.decide(request_id, "approve", who=OWNER)[1]["details"]["policies"][0]["against"] == ["approver"]
    for _ in range(2):
        status, body = hub.decide(request_id, "approve", who=LEAD)
        assert (status, body["access_request"]["status"]) == (200, "pending")
    assert hub.decide(request_id, "approve", who=ADMIN)[1]["access_request"]["status"] == "approved"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"access_level": 50}, "access_level"),
        ({"minutes": 481}, "minutes"),
        ({"until": START + 28_801}, "minutes"),
        ({"who": Principal("t-viewer", Role.ADMIN)}, "requester"),
        ({"break_glass": True}, "break_glass"),
    ],
)
def test_what_no_policy_allows_is_refused_with_what_does_not_fit(wanted: dict[str, Any], reason: str) -> None:
    hub = TimedHub()
    hub.put_policies(policy(resources=["acme/TEAM/*"]))
    status, body = hub.ask(**wanted)
    assert (status, body["code"]) == (403, "policy_refused")
    assert body["details"]["policies"] == [{"id": "p1", "against": [reason]}]
    assert hub.requests("GET")[1]["access_requests"] == []


def test_a_policy_that_changes_meanwhile_counts_when_it_is_approved() -> None:
    hub = TimedHub()
    request_id = hub.asked()
    hub.put_policies(policy(max_access_level=30))
    status, body = hub.decide(request_id, "approve")
    assert (status, body["code"], hub.one(request_id)["status"]) == (403, "policy_refused", "pending")
    hub.put_policies(policy(id="other"))
    assert hub.decide(request_id, "approve")[1]["access_request"]["policy_id"] == "other"


def test_what_cannot_be_given_or_is_there_already_is_refused_at_once() -> None:
    hub = TimedHub()
    assert hub.ask(5)[1]["code"] == "plan_blocked"
    hub.gitlab.members["projects", SHOP][BEN]["access_level"] = 40
    assert hub.ask(BEN)[1]["code"] == "access_held"
    assert hub.ask(account_id=None, username="nobody")[0] == 404
    assert hub.ask(until=START - 1)[1]["code"] == "invalid_input"
    hub.gitlabs.set(provisioning=False)
    assert hub.ask()[1]["code"] == "feature_disabled"


def test_the_same_twice_is_told_of_the_one_there_is() -> None:
    hub = TimedHub()
    first = hub.asked()
    status, body = hub.ask(access_level=30, who=ADMIN)
    assert (status, body["code"]) == (409, "request_exists")
    assert body["details"] == {"access_request_id": first, "status": "pending"}
    hub.decide(first, "revoke", who=DEV)
    assert (hub.one(first)["status"], hub.ask()[0]) == ("ended", 201)


def test_a_request_that_nobody_decides_about_expires() -> None:
    hub = TimedHub()
    first = hub.asked()
    hub.now += 86_400
    assert hub.one(first)["status"] == "expired"
    assert hub.decide(first, "approve")[1]["details"] == {"status": "expired"}
    hub.later()
    assert hub.left() == []
    assert hub.requests("GET", query={"status": "expired"})[1]["access_requests"][0]["id"] == first
    assert hub.requests("GET", query={"status": "active"})[1]["access_requests"] == []
    hub.synced(INTEGRATION)
    assert hub.ask()[0] == 201


def test_decisions_are_final_and_saying_them_again_changes_nothing() -> None:
    hub = TimedHub()
    yes, no = hub.asked(), hub.asked(21)
    for _ in range(2):
        assert hub.decide(yes, "approve")[1]["access_request"]["status"] == "approved"
        assert hub.decide(no, "deny")[1]["access_request"]["status"] == "denied"
    assert hub.decide(yes, "deny")[1]["code"] == "request_decided"
    assert hub.decide(no, "approve")[1]["code"] == "request_decided"
    hub.work()
    assert len(hub.gitlab.writes) == 1


def test_access_can_be_given_back_early_by_whom_it_is_for_and_by_admins_but_not_by_others() -> None:
    for who in (DEV, ADMIN, Principal("t-x", Role.DEVELOPER, None, frozenset({GitLabAccount(INTEGRATION, NEW)}))):
        hub = TimedHub()
        request_id = hub.given()
        assert hub.decide(request_id, "revoke", who=LEAD)[1]["code"] == "policy_refused"
        assert hub.decide(request_id, "revoke", who=who)[0] == 200
        hub.work()
        found = hub.one(request_id)
        assert (found["status"], found["ended_by"], NEW in hub.shop()) == ("ended", who.token_id, False)


def test_break_glass_is_given_at_once_and_has_to_be_reviewed_by_somebody_else() -> None:
    hub = TimedHub()
    hub.put_policies(policy(), GLASS)
    request_id = hub.asked(break_glass=True)
    assert hub.incidents()["break_glass"]["subject"] == request_id
    hub.work()
    assert (hub.one(request_id)["status"], hub.gitlab.level("projects", SHOP, NEW)) == ("active", 40)
    assert hub.decide(request_id, "approve", who=DEV)[1]["code"] == "self_approval"
    hub.later(3600)
    assert (hub.one(request_id)["status"], hub.incidents()["break_glass"]["details"]["overdue"]) == ("ended", True)
    assert hub.decide(request_id, "approve")[1]["access_request"]["reviewed_by"] == "t-owner"
    assert (hub.incidents(), hub.left()) == ({}, [])


def test_a_use_of_break_glass_that_was_wrong_is_ended() -> None:
    hub = TimedHub()
    hub.put_policies(GLASS)
    request_id = hub.asked(break_glass=True, minutes=120)
    hub.work()
    hub.decide(request_id, "deny")
    hub.work()
    assert (hub.one(request_id)["status"], NEW in hub.shop(), hub.incidents()) == ("ended", False, {})


def test_policies_are_shown_as_they_were_put() -> None:
    hub = TimedHub()
    [default] = hub("GET", "", room="access-policies")[1]["policies"]
    assert (default["id"], default["max_minutes"], default["approvers"]["roles"]) == ("default", 480, ["owner"])
    hub.put_policies(GLASS)
    [found] = hub("GET", "", room="access-policies")[1]["policies"]
    assert {name: found[name] for name in ("id", "resources", "break_glass")} == {
        "id": "glass",
        "resources": ["acme/team/*"],
        "break_glass": True,
    }
    for wrong in ({**GLASS, "max_minutes": 121}, {**GLASS, "review_within_minutes": None}):
        assert hub("PUT", "", {"policies": [wrong]}, room="access-policies")[0] == 422
    assert hub("PUT", "", {"policies": [GLASS, GLASS]}, room="access-policies")[0] == 422
    assert hub.ask(break_glass=False, resource=PROJECT)[1]["code"] == "policy_refused"
