"""Grants of plans that end at a minute: shown, given, ended; and what comes between."""

from typing import Any

import httpx
import pytest

from tests.functional.provisioning.plan_hub import ADMIN, BEN, CRAFT, SHOP, START, grant, member
from tests.functional.provisioning.test_ending_access import away, here
from tests.functional.provisioning.timed_hub import NEW, TimedHub

END = START + 3600
NET = "2026-09-22"
MINUTE = "2026-09-21 15:13 UTC"
CRAFTS = {"type": "project", "id": CRAFT}


def timed(account: int = NEW, level: int = 40, until: int = END, **more: Any) -> dict[str, Any]:
    return grant(account, level, until=until, **more)


def applied(*operations: dict[str, Any]) -> tuple[TimedHub, dict[str, Any]]:
    """A hub with a plan that was applied, and that nobody has taken up."""
    hub = TimedHub()
    made = hub.plan(*(operations or (timed(), grant(21, 30))))
    status, body = hub.apply(made)
    assert status == 202, body
    hub.provisioner.started = 0
    found: dict[str, Any] = body["plan"]
    return hub, found


def given(*operations: dict[str, Any]) -> tuple[TimedHub, dict[str, Any], str]:
    """A hub with a plan that was carried out, and the request that sees to its end."""
    hub, plan = applied(*operations)
    hub.tick()
    request_id = str(hub.read(plan["id"])["operations"][0]["access_request_id"])
    assert hub.one(request_id)["status"] == "active"
    return hub, plan, request_id


def test_the_plan_says_the_minute_gives_it_and_the_hub_ends_it_then() -> None:
    hub = TimedHub()
    made = hub.plan(timed(BEN))
    [one] = made["operations"]
    assert one["sentence"] == f"Ben Roth: Developer → Maintainer on acme/team/shop until {MINUTE}"
    assert (one["until"], one["access_request_id"]) == (END, None)
    assert one["calls"][0]["body"] == {"access_level": 40, "expires_at": NET}
    assert hub.apply(made)[0] == 202
    [request] = hub.requests("GET")[1]["access_requests"]
    assert (request["status"], request["ends_at"], request["until"], request["minutes"]) == ("approved", END, END, None)
    assert (request["plan_id"], request["policy_id"], request["requested_by"]) == (made["id"], None, ADMIN.token_id)
    assert request["decided_by"] == request["approvals"][0]["token_id"] != ADMIN.token_id
    hub.work()
    assert (hub.shop(), hub.one(request["id"])["status"]) == ({BEN: (40, NET, None)}, "active")
    assert hub.read(made["id"])["operations"][0]["access_request_id"] == request["id"]
    hub.now = END - 1
    hub.tick()
    assert hub.shop() == {BEN: (40, NET, None)}
    hub.now = END
    hub.tick()
    found = hub.one(request["id"])
    assert (hub.shop(), found["status"], found["ended_at"]) == ({BEN: (30, None, None)}, "ended", END)
    assert (hub.left(), hub.incidents()) == ([], {})


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"expires_at": "2027-01-31"}, "body.operations.0"),
        ({"mode": "set_exactly"}, "body.operations.0"),
        ({"until": START + 366 * 86_400}, "body.operations.0.until"),
        ({"until": "2027-01-31"}, "body.operations.0"),
    ],
)
def test_an_end_that_makes_no_sense_is_told_of(more: dict[str, Any], field: str) -> None:
    status, body = TimedHub()("POST", "", {"operations": [{**timed(), **more}]})
    assert (status, body["code"]) == (422, "invalid_input"), body
    assert body["details"]["fields"][0]["field"].startswith(field)


def test_an_end_in_the_past_is_refused_also_when_it_has_come_since() -> None:
    hub = TimedHub()
    assert hub.plan(timed(until=START))["operations"][0]["refusals"] == ["expires_in_past"]
    made = hub.plan(timed(until=START + 60))
    hub.now += 60
    assert hub.apply(made)[1]["code"] == "plan_drifted"
    hub.later()
    assert (hub.gitlab.writes, hub.requests("GET")[1]["access_requests"]) == ([], [])


def test_one_plan_ends_so_many_grants_and_no_more() -> None:
    hub = TimedHub()
    some = [timed(number) for number in range(20, 46)]
    status, body = hub("POST", "", {"operations": some})
    assert (status, body["code"], body["details"]) == (422, "too_many_operations", {"most": 25, "wanted": 26})
    assert hub.apply(hub.plan(*some[:25]))[0] == 202
    assert len(hub.requests("GET", query={"limit": 50})[1]["access_requests"]) == 25


def test_who_has_as_much_is_given_nothing_and_keeps_it() -> None:
    hub = TimedHub()
    done = hub.done(timed(BEN, 30))
    assert (done["operations"][0]["status"], hub.requests("GET")[1]["access_requests"]) == ("skipped", [])
    hub.later(3600)
    assert (hub.shop(), hub.gitlab.writes) == ({BEN: (30, None, None)}, [])


def test_two_plans_for_the_same_person_and_place_are_one_too_many() -> None:
    hub = TimedHub()
    first, second = hub.plan(timed()), hub.plan(timed(until=END + 600))
    assert hub.apply(first)[0] == 202
    status, body = hub.apply(second)
    assert (status, body["code"]) == (403, "plan_blocked")
    assert body["details"]["operations"] == [{"index": 0, "refusals": ["request_exists"]}]
    hub.work()
    assert hub.plan(timed(level=50, until=END + 600))["operations"][0]["refusals"] == ["request_exists"]
    status, body = hub.ask(NEW, access_level=50)
    assert (status, body["code"]) in {(409, "request_exists"), (403, "policy_refused")}
    hub.later(3600)
    hub.done(timed(until=END + 7200))
    assert hub.shop()[NEW] == (40, NET, None)
    hub.later(7200)
    assert hub.shop() == {BEN: (30, None, None)}


def test_a_request_that_somebody_waits_with_comes_first() -> None:
    hub = TimedHub()
    request_id = hub.asked(NEW)
    assert hub.plan(timed())["operations"][0]["refusals"] == ["request_exists"]
    hub.decide(request_id, "deny")
    assert hub.plan(timed())["status"] == "ready"


def test_undo_ends_it_early_and_leaves_out_what_has_ended() -> None:
    hub, plan, request_id = given(timed(), timed(21, until=END + 600))
    other = hub.read(plan["id"])["operations"][1]["access_request_id"]
    hub.later(3600)
    assert (hub.one(request_id)["status"], hub.one(other)["status"]) == ("ended", "active")
    back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
    assert [one["account_id"] for one in back["operations"]] == [21]
    assert hub.apply(back)[0] == 202
    hub.work()
    found = hub.one(other)
    assert (found["status"], found["ended_at"], found["ends_at"]) == ("ended", int(hub.now), int(hub.now))
    assert (hub.shop(), hub.left(), hub.incidents()) == ({BEN: (30, None, None)}, [], {})
    status, body = hub("POST", f"/{plan['id']}/undo")
    assert (status, body["code"]) == (409, "plan_not_applied")


def test_the_request_can_be_ended_early_too_and_by_its_maker() -> None:
    hub, _, request_id = given(timed())
    assert hub.decide(request_id, "revoke", who=ADMIN)[0] == 200
    hub.work()
    assert (hub.one(request_id)["status"], NEW in hub.shop()) == ("ended", False)


def test_what_was_ended_before_it_was_given_is_not_given_and_the_rest_is() -> None:
    hub, plan = applied(timed(), grant(21, 30))
    request_id = hub.read(plan["id"])["operations"][0]["access_request_id"]
    hub.gitlab.step = away
    hub.tick()
    hub.decide(request_id, "revoke")
    hub.tick()
    assert [one["status"] for one in hub.read(plan["id"])["operations"]] == ["skipped", "pending"]
    hub.gitlab.step = here
    hub.later()
    assert hub.one(request_id)["status"] == "ended"
    assert hub.shop() == {BEN: (30, None, None), 21: (30, None, None)}
    assert (hub.left(), hub.incidents()) == ([], {})


def test_a_gitlab_that_is_away_when_it_ends_is_tried_until_it_is_done() -> None:
    hub, _, request_id = given()
    hub.now, hub.gitlab.step = END, away
    for _ in range(4):
        hub.later()
    assert hub.incidents()["access_not_ended"]["details"]["reason"] == "host_unreachable"
    hub.gitlab.step = here
    hub.later()
    assert (hub.one(request_id)["status"], NEW in hub.shop(), hub.incidents()) == ("ended", False, {})


def test_what_could_not_be_given_in_time_is_not_given_while_the_rest_waits() -> None:
    hub, plan = applied()
    hub.gitlab.step = away
    hub.tick()
    hub.now = END
    for _ in range(3):
        hub.later()
    assert [one["error"] for one in hub.read(plan["id"])["operations"]] == ["expires_in_past", None]
    assert hub.incidents() == {}
    hub.gitlab.step = here
    hub.later()
    assert [write[2]["user_id"] for write in hub.gitlab.writes] == [21]


def test_a_feature_that_is_switched_off_meanwhile_keeps_nothing_from_ending() -> None:
    hub, _, request_id = given()
    hub.gitlabs.set(provisioning=False)
    hub.later(3600)
    assert (hub.one(request_id)["status"], NEW in hub.shop()) == ("ended", False)


def test_a_level_that_was_raised_by_hand_stays_and_is_told_of() -> None:
    hub, _, request_id = given()
    hub.gitlab.members["projects", SHOP][NEW] = member(50)
    hub.later(3600)
    found = hub.one(request_id)
    assert (found["status"], found["error"], hub.shop()[NEW]) == ("ended", "changed_by_hand", (50, None, None))
    assert hub.incidents()["access_changed_by_hand"]["details"]["access_level"] == 50


def test_a_refused_grant_has_no_end_to_come() -> None:
    hub, plan = applied()
    answers = [httpx.Response(409, json={"message": "no"})]
    hub.gitlab.instead_of_write = lambda: answers.pop() if answers else None
    hub.tick()
    request_id = hub.read(plan["id"])["operations"][0]["access_request_id"]
    found = hub.until_over(request_id)
    assert (found["status"], found["error"], hub.incidents()) == ("failed", "gitlab_refused", {})
