"""The provisioner dies at any call, or loses any answer: the plan is carried out all the same, each write once."""

from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest

from gitlab_hub.provisioning.keys import start_where_due
from tests.fakes.faults import Crash, Plan, every_call, faulty
from tests.functional.provisioning.plan_hub import (
    BEN,
    GROUP,
    GUESTS,
    HUB,
    SHOP,
    TEAM,
    PlanHub,
    grant,
    invite,
    revoke,
    revoke_credential,
    share,
)

TEAM_GROUP = {"type": "group", "id": TEAM}
OPERATIONS = (
    grant(20, 40),
    grant(BEN, 40, expires_at="2027-01-31"),
    revoke(BEN, 20, TEAM_GROUP),
    share(GUESTS, 30),
    invite("eve@example.com", 30),
    revoke_credential("personal_token", 7, account_id=HUB),
)
DONE = [*["applied"] * 4, "accepted", "applied"]


def applied(*operations: dict[str, Any]) -> tuple[PlanHub, dict[str, Any]]:
    """A hub with a plan that an owner has applied, and that nobody has taken up."""
    hub = PlanHub()
    plan = hub.plan(*(operations or OPERATIONS))
    assert hub.apply(plan)[0] == 202
    hub.provisioner.started = 0
    return hub, plan


def recover(hub: PlanHub, plan: dict[str, Any]) -> dict[str, Any]:
    """Let ticks come until the plan is over."""
    for _ in range(20):
        found = hub.read(plan["id"])
        if found["status"] != "applying":
            return found
        hub.later()
    raise AssertionError(hub.read(plan["id"]))


def truth() -> Any:
    """What GitLab has after the plan."""
    hub, _ = applied()
    hub.tick()
    return state(hub)


def state(hub: PlanHub) -> Any:
    return hub.gitlab.state(), hub.gitlab.invited(), hub.gitlab.waiting(), hub.gitlab.credentials


def test_the_minutes_tick_starts_the_provisioner_for_a_plan_that_was_left_and_for_nothing_else() -> None:
    hub, plan = applied(grant(20, 40))
    look = partial(start_where_due, hub.access, hub.provisioner, hub.clock)
    look()
    assert hub.provisioner.started == 1
    recover(hub, plan)
    look()
    assert hub.provisioner.started == 1


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_any_call_of_a_store_leaves_a_plan_that_the_next_one_finishes(lost: bool) -> None:
    expected, counted = truth(), 0
    for fault in every_call(applied=lost):
        hub, plan = applied()
        dying = hub.worker(hub.feature(faulty(hub.access, fault), faulty(hub.notes, fault)))
        try:
            hub.tick(dying)
        except Crash:
            counted += 1
        found = recover(hub, plan)
        assert (found["status"], state(hub)) == ("applied", expected), fault
        assert [one["status"] for one in found["operations"]] == DONE, fault
        # Every write is a step of the plan, and none was sent twice: what is done is never sent again.
        assert len(hub.gitlab.writes) == len(OPERATIONS), fault
    assert counted > 12


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_any_request_to_gitlab_does_no_write_twice(lost: bool) -> None:
    expected, at = truth(), 0
    while True:
        at += 1
        hub, plan = applied()
        seen = die_at(hub, at, applied=lost)
        with suppress(Crash):
            hub.tick()
        hub.gitlab.step, hub.gitlab.after_write = (lambda _method, _path: None), (lambda: None)
        found = recover(hub, plan)
        assert (found["status"], state(hub)) == ("applied", expected), at
        done = list(hub.gitlab.writes)
        assert len(done) == len(OPERATIONS), (at, done)
        if len(seen) < at:
            break
    assert at > 20


def die_at(hub: PlanHub, at: int, *, applied: bool) -> list[str]:
    """End the process at a request, before it has reached GitLab, or (a write) once it has taken effect."""
    seen: list[str] = []

    def step(method: str, path: str) -> None:
        seen.append(path)
        if len(seen) == at and not (applied and method != "GET"):
            raise Crash

    def after_write() -> httpx.Response | None:
        if len(seen) == at:
            raise Crash
        return None

    hub.gitlab.step, hub.gitlab.after_write = step, after_write
    return seen


def timed_out() -> httpx.Response | None:
    raise httpx.ReadTimeout("")


def test_a_write_that_times_out_after_gitlab_did_it_is_found_done_by_reading() -> None:
    hub, plan = applied(grant(20, 40))
    hub.gitlab.after_write = timed_out
    hub.tick()
    [one] = hub.read(plan["id"])["operations"]
    assert (one["status"], one["gitlab_request_id"], len(hub.gitlab.writes)) == ("applied", None, 1)


def test_a_write_that_times_out_undone_is_read_again_a_tick_later_before_it_is_sent_again() -> None:
    hub, plan = applied(grant(20, 40))
    hub.gitlab.instead_of_write = timed_out
    hub.tick()
    assert (hub.read(plan["id"])["operations"][0]["status"], len(hub.gitlab.writes)) == ("pending", 1)
    # It lands late: nothing is sent again.
    hub.gitlab.instead_of_write = lambda: None
    hub.gitlab.members["projects", SHOP][20] = {"access_level": 40, "expires_at": None, "member_role": None}
    found = recover(hub, plan)
    assert (found["operations"][0]["status"], len(hub.gitlab.writes)) == ("applied", 1)


def test_a_write_that_never_gets_an_answer_is_given_up_and_said_so() -> None:
    hub, plan = applied(grant(20, 40), grant(21, 40))
    hub.gitlab.instead_of_write = timed_out
    found = recover(hub, plan)
    assert [(one["status"], one["error"]) for one in found["operations"]] == [("failed", "gitlab_unavailable")] * 2
    assert len(hub.gitlab.writes) == 10


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(403, json={"message": "403 Forbidden"}), ("failed", "invalid_permissions")),
        (httpx.Response(404, json={"message": "404 Not found"}), ("failed", "not_found")),
        (httpx.Response(409, json={"message": "Member already exists"}), ("failed", "gitlab_refused")),
        (httpx.Response(201, json={"status": "error", "message": {"dev20": "no"}}), ("failed", "gitlab_refused")),
        (httpx.Response(200, json={"message": {"dev20": "Request queued for administrator approval."}}),
         ("accepted", None)),
        (httpx.Response(201, json={"id": 20}), ("failed", "not_done")),
    ],
    ids=["403", "404", "409", "status error", "queued", "said done"],
)  # fmt: skip
def test_what_gitlab_answers_is_no_proof(answer: httpx.Response, outcome: tuple[str, str | None]) -> None:
    hub, plan = applied(grant(20, 40), grant(21, 40))
    answers = [httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)]
    hub.gitlab.instead_of_write = lambda: answers.pop() if answers else None
    found = recover(hub, plan)
    first, second = found["operations"]
    assert ((first["status"], first["error"]), second["status"]) == (outcome, "applied")
    assert found["status"] == ("applied" if outcome[0] == "accepted" else "partly_applied")


def test_gitlab_that_asks_to_wait_is_asked_again_later_and_in_order() -> None:
    hub, plan = applied()
    busy = [httpx.Response(429, json={"message": {"error": "slow down"}}, headers={"retry-after": "60"})]
    hub.gitlab.instead_of_write = lambda: busy.pop() if busy else None
    hub.tick()
    assert [one["status"] for one in hub.read(plan["id"])["operations"]] == ["pending"] * len(OPERATIONS)
    assert recover(hub, plan)["status"] == "applied"
    assert [write[1] for write in hub.gitlab.writes][:2] == [f"/projects/{SHOP}/members"] * 2


def test_a_gitlab_that_is_away_for_a_day_is_not_changed_by_surprise() -> None:
    hub, plan = applied()

    def away(_method: str, _path: str) -> None:
        raise httpx.ConnectError("")

    hub.gitlab.step = away
    hub.tick()
    hub.later(86_401)
    found = hub.read(plan["id"])
    assert {one["error"] for one in found["operations"]} == {"host_unreachable"}
    assert found["status"] == "partly_applied"


def test_somebody_who_changes_the_level_in_between_is_not_overruled() -> None:
    hub, plan = applied(grant(BEN, 40))
    hub.gitlab.members["projects", SHOP][BEN]["access_level"] = 20
    found = recover(hub, plan)
    [one] = found["operations"]
    assert (one["status"], one["error"], hub.gitlab.writes) == ("skipped", "plan_drifted", [])
    hub, plan = PlanHub(), {}
    made = hub.plan(grant(BEN, 40))
    hub.gitlab.members["projects", SHOP][BEN]["access_level"] = 20
    status, body = hub.apply(made)
    assert (status, body["code"]) == (409, "plan_drifted")
    assert body["details"]["operations"][0]["sentence"] == "Ben Roth: Reporter → Maintainer on acme/team/shop"


def test_deletions_keep_a_distance() -> None:
    waits: list[float] = []
    hub, _ = applied(revoke(BEN, 30), revoke(BEN, 20, TEAM_GROUP), grant(20, 10, GROUP))
    hub.tick(hub.worker(sleep=waits.append))
    assert (waits, len(hub.gitlab.writes)) == ([1.0, 1.0], 3)


def test_what_the_looks_have_taken_of_that_distance_is_not_waited_for_again() -> None:
    hub, _ = applied(revoke(BEN, 30), revoke(BEN, 20, TEAM_GROUP))
    sent: list[float] = []

    def step(method: str, _path: str) -> None:
        hub.now += 0.05
        if method == "DELETE":
            sent.append(hub.now)

    def sleep(seconds: float) -> None:
        assert seconds < 1
        hub.now += seconds

    began, hub.gitlab.step = hub.now, step
    hub.tick(hub.worker(sleep=sleep))
    assert [round(sent[0] - began, 2), round(sent[1] - sent[0], 2)] == [1.05, 1.05]


def test_a_clock_that_is_set_back_makes_no_deletion_wait_longer() -> None:
    waits: list[float] = []
    hub, _ = applied(revoke(BEN, 30))

    def step(_method: str, _path: str) -> None:
        hub.now -= 100

    hub.gitlab.step = step
    hub.tick(hub.worker(sleep=waits.append))
    assert waits == [1.0]


def test_a_fault_that_strikes_nothing_shows_that_the_ones_before_did() -> None:
    hub, _ = applied()
    plan = Plan()
    hub.tick(hub.worker(hub.feature(faulty(hub.access, plan), faulty(hub.notes, plan))))
    assert len(plan.calls) > 20


def test_a_plan_of_a_later_release_waits_for_it_and_holds_up_no_other() -> None:
    hub, plan = applied()
    row = next(row for row in hub.access.dump() if row["sk"] == plan["id"])
    hub.access.put({**row, "schema_version": 2})
    other = hub.plan(grant(21, 30))
    assert hub.apply(other)[0] == 202
    hub.tick()
    assert [write[2] for write in hub.gitlab.writes] == [{"user_id": 21, "access_level": 30}]
    hub.access.put(row)
    assert recover(hub, plan)["status"] == "applied"
