"""Which state of an account follows which, and what GitLab answers."""

from typing import Any

import pytest

from stand_in_gitlab.clock import DAY, day

RECENT = "The user you are trying to deactivate has been active in the past 90 days and cannot be deactivated"


def state(house: Any, user_id: int) -> str:
    return str(house.app.company.users[user_id].state)


@pytest.mark.parametrize(("before", "verb", "status", "answer", "after"), [
    ("active", "block", 201, True, "blocked"),
    ("deactivated", "block", 201, True, "blocked"),
    ("blocked", "block", 201, None, "blocked"),
    ("banned", "block", 201, None, "banned"),
    ("ldap_blocked", "block", 403, "403 Forbidden - LDAP blocked users cannot be modified by the API", "ldap_blocked"),
    ("blocked", "unblock", 201, True, "active"),
    ("active", "unblock", 201, False, "active"),
    ("deactivated", "unblock", 403, "403 Forbidden - Deactivated users cannot be unblocked by the API", "deactivated"),
    ("active", "deactivate", 201, True, "deactivated"),
    ("deactivated", "deactivate", 201, None, "deactivated"),
    ("blocked", "deactivate", 403, "Error occurred. A blocked user cannot be deactivated", "blocked"),
    ("deactivated", "activate", 201, True, "active"),
    ("active", "activate", 201, True, "active"),
    ("banned", "activate", 403, "Error occurred. A blocked user must be unblocked to be activated", "banned"),
    ("active", "ban", 201, True, "banned"),
    ("blocked", "ban", 403, "You cannot ban blocked users.", "blocked"),
    ("banned", "unban", 201, True, "active"),
    ("active", "unban", 403, "You cannot unban active users.", "active"),
    ("active", "approve", 409, "The user you are trying to approve is not pending approval", "active"),
    ("active", "reject", 409, "User does not have a pending request", "active"),
])  # fmt: skip
def test_a_change_of_state(house: Any, before: str, verb: str, status: int, answer: Any, after: str) -> None:
    user = house.person("ana", state=before, last_activity_on=day(house.app.clock.now() - 200 * DAY))
    got = house.ask(f"/users/{user}/{verb}", "admin", "POST")
    body = {"message": answer} if isinstance(answer, str) else answer
    assert (got.status, got.json, state(house, user)) == (status, body, after)


def test_whoever_was_here_lately_is_not_deactivated(house: Any) -> None:
    user = house.person("ana", last_activity_on=day(house.app.clock.now() - 89 * DAY))
    got = house.ask(f"/users/{user}/deactivate", "admin", "POST")
    assert (got.status, got.json) == (403, {"message": RECENT})


def test_nobody_blocks_themselves(house: Any) -> None:
    got = house.ask("/users/1/block", "admin", "POST")
    assert (got.status, got.json) == (
        403,
        {"message": "403 Forbidden - The API initiating user cannot be blocked by the API"},
    )


def test_a_blocked_account_opens_nothing_and_keeps_its_rows(house: Any) -> None:
    ana = house.person("ana", token="ana")
    house.put("group", house.top, ana, 30)
    assert house.ask(f"/users/{ana}/block", "admin", "POST").json is True
    assert house.ask("/user", "ana").json == {"message": "403 Forbidden - Your account has been blocked."}
    assert house.level("group", house.top, ana) == 30


def test_who_waits_is_approved_or_rejected(house: Any) -> None:
    ana = house.person("ana", state="blocked_pending_approval")
    ben = house.person("ben", state="blocked_pending_approval")
    approved = house.ask(f"/users/{ana}/approve", "admin", "POST")
    assert (approved.status, approved.json["message"], state(house, ana)) == (201, "Success", "active")
    assert house.ask(f"/users/{ben}/reject", "admin", "POST").status == 201
    house.control("POST", "advance", {"seconds": 1, "idle": True})
    assert house.ask(f"/users/{ben}", "admin").status == 404


@pytest.mark.parametrize("verb", ["block", "unblock", "deactivate", "activate", "ban", "unban", "approve", "reject"])
def test_administrators_only(house: Any, verb: str) -> None:
    got = house.ask(f"/users/{house.owner}/{verb}", "owner", "POST")
    own_words = {"approve": "You are not allowed to approve a user", "reject": "You are not allowed to reject a user"}
    assert (got.status, got.json) == (403, {"message": own_words.get(verb, "403 Forbidden")})
    assert house.ask(f"/users/999999/{verb}", "admin", "POST").json == {"message": "404 User Not Found"}
