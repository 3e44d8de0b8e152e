"""Access ends whatever happens: the worker dies, answers are lost, GitLab is away, or a person comes in between."""

from contextlib import suppress

import httpx
import pytest

from gitlab_hub.provisioning.keys import start_where_due
from tests.fakes.faults import Crash, Plan, faulty
from tests.functional.provisioning.plan_hub import ACME, BEN, GROUP, INTEGRATION, OTHER, SHOP, START, member
from tests.functional.provisioning.test_crashes import die_at, timed_out
from tests.functional.provisioning.timed_hub import NEW, TimedHub, policy

MOST_SECONDS_LATE = 60 + 330 + 60
"""A tick, the lease of a worker that died, and a tick."""


def approved(account: int = BEN) -> tuple[TimedHub, str]:
    """A hub with a request that was approved, and that nobody has taken up."""
    hub = TimedHub()
    request_id = hub.asked(account)
    hub.decide(request_id, "approve")
    hub.provisioner.started = 0
    return hub, request_id


def active(account: int = BEN) -> tuple[TimedHub, str]:
    """A hub with access that ends in an hour."""
    hub = TimedHub()
    return hub, hub.given(account)


def away(_method: str, _path: str) -> None:
    raise httpx.ConnectError("")


def here(_method: str, _path: str) -> None:
    return None


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at_end", [False, True], ids=["giving", "ending"])
def test_a_worker_that_dies_at_any_call_of_a_store_leaves_nothing_behind(lost: bool, at_end: bool) -> None:
    at = died = 0
    while True:
        at += 5 if at > 5 else 1
        hub, request_id = active() if at_end else approved()
        hub.now = START + (3600 if at_end else 0)
        fault = Plan(at=at, applied=lost)
        dying = hub.worker(hub.feature(faulty(hub.access, fault), faulty(hub.notes, fault)))
        with suppress(Crash):
            hub.tick(dying)
        died += fault.struck
        hub.now = max(hub.now, START + 3600)
        found = hub.until_over(request_id)
        assert hub.shop() == {BEN: (30, None, None)}, fault
        assert (found["ended_at"] or 0) <= START + 3600 + MOST_SECONDS_LATE, fault
        # Given once and taken back once, or not given at all where the worker died too early.
        writes = [write[0] for write in hub.gitlab.writes]
        assert (found["status"], writes) in (("ended", ["PUT", "PUT"]), ("failed", [])), fault
        assert hub.left() == [], fault
        assert hub.incidents() == {}, fault
        if not fault.struck:
            break
    assert died > 8


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at_end", [False, True], ids=["giving", "ending"])
def test_a_worker_that_dies_at_any_request_to_gitlab_leaves_nothing_behind(lost: bool, at_end: bool) -> None:
    at = 0
    while True:
        at += 1
        hub, request_id = active(NEW) if at_end else approved(NEW)
        hub.now = START + (3600 if at_end else 0)
        seen = die_at(hub, at, applied=lost)
        with suppress(Crash):
            hub.tick()
        hub.gitlab.step, hub.gitlab.after_write = here, lambda: None
        for _ in range(0 if at_end else 8):
            hub.later()
        hub.now = max(hub.now, START + 3600)
        assert hub.until_over(request_id)["status"] == "ended", at
        assert (NEW in hub.shop(), [write[0] for write in hub.gitlab.writes]) == (False, ["POST", "DELETE"]), at
        if len(seen) < at:
            break
    assert at > 5


def test_the_minutes_tick_starts_the_provisioner_when_access_is_to_end() -> None:
    hub, _ = active()
    hub.later()
    hub.provisioner.started = 0
    start_where_due(hub.access, hub.provisioner, hub.clock)
    assert hub.provisioner.started == 0
    hub.now = START + 3600
    start_where_due(hub.access, hub.provisioner, hub.clock)
    assert hub.provisioner.started == 1


def test_a_gitlab_that_is_away_at_the_end_is_tried_until_it_is_done_and_told_of_while_it_is_late() -> None:
    hub, request_id = active()
    hub.now, hub.gitlab.step = START + 3600, away
    for _ in range(4):
        hub.later()
    late = hub.incidents()["access_not_ended"]
    assert (late["subject"], late["details"]["reason"]) == (request_id, "host_unreachable")
    hub.later(2 * 86_400)
    assert hub.one(request_id)["status"] == "active"
    hub.gitlab.step = here
    hub.later()
    assert (hub.one(request_id)["status"], hub.incidents(), hub.shop()) == ("ended", {}, {BEN: (30, None, None)})


def test_a_gitlab_that_refuses_the_end_is_asked_ever_more_seldom_and_ends_it_at_last() -> None:
    hub, request_id = active(NEW)
    hub.gitlab.instead_of_write = lambda: httpx.Response(403, json={"message": "403 Forbidden"})
    hub.now = START + 3600
    for _ in range(120):
        hub.later()
    tried = [write[0] for write in hub.gitlab.writes].count("DELETE")
    assert 4 < tried < 12
    assert hub.incidents()["access_not_ended"]["details"]["reason"] == "invalid_permissions"
    hub.gitlab.instead_of_write = lambda: None
    for _ in range(31):
        hub.later()
    assert (hub.one(request_id)["status"], NEW in hub.shop(), hub.incidents()) == ("ended", False, {})


def test_an_end_without_an_answer_is_found_done_by_reading() -> None:
    hub, request_id = active(NEW)
    hub.now, hub.gitlab.after_write = START + 3600, timed_out
    hub.tick()
    assert (hub.one(request_id)["status"], len(hub.gitlab.writes)) == ("ended", 2)


def test_a_grant_that_takes_effect_after_it_was_given_up_is_taken_back() -> None:
    hub, request_id = approved(NEW)
    hub.gitlab.instead_of_write = timed_out
    hub.gitlabs.set(provisioning=True)
    hub.tick()
    hub.gitlab.instead_of_write = lambda: None
    hub.gitlabs.set(provisioning=False)  # which gives the plan up
    hub.later()
    hub.later()
    assert hub.one(request_id)["status"] == "approved"
    hub.gitlab.members["projects", SHOP][NEW] = member(40, expires_at="2026-09-22")
    hub.later()
    assert NEW not in hub.shop()
    found = hub.until_over(request_id)
    assert (found["status"], found["error"], hub.incidents()) == ("failed", "feature_disabled", {})
    assert found["ended_at"] - START > 600  # It might have come again.


def test_a_grant_that_gitlab_refuses_fails_with_its_reason() -> None:
    hub, request_id = approved(NEW)
    hub.gitlab.instead_of_write = lambda: httpx.Response(409, json={"message": "no"})
    found = hub.until_over(request_id)
    assert (found["status"], found["error"], found["granted_at"]) == ("failed", "gitlab_refused", None)
    assert (hub.incidents(), hub.left()) == ({}, [])


def test_what_could_not_be_given_in_time_is_not_given_at_all() -> None:
    hub, request_id = approved(NEW)
    hub.gitlab.step = away
    hub.tick()
    hub.now, hub.gitlab.step = START + 3600, here
    found = hub.until_over(request_id)
    assert (found["status"], found["error"], hub.gitlab.writes) == ("failed", "expires_in_past", [])


def test_what_waits_for_an_administrator_of_gitlab_is_taken_back_when_it_comes_late() -> None:
    hub, request_id = approved(NEW)
    words = {"message": {"dev20": "Request queued for administrator approval."}}
    hub.gitlab.instead_of_write = lambda: httpx.Response(200, json=words)
    hub.tick()
    hub.gitlab.instead_of_write = lambda: None
    hub.later()
    assert hub.one(request_id)["error"] == "queued_for_approval"
    hub.later(3600)
    hub.gitlab.members["projects", SHOP][NEW] = member(40, expires_at="2026-09-22")
    hub.later()
    assert NEW not in hub.shop()


@pytest.mark.parametrize("level", [30, 50])
def test_what_a_person_gave_meanwhile_stays_and_is_told_of(level: int) -> None:
    hub, request_id = active(NEW)
    hub.gitlab.members["projects", SHOP][NEW] = member(level)
    hub.later(3600)
    found = hub.one(request_id)
    assert (found["status"], found["error"], hub.gitlab.level("projects", SHOP, NEW)) == (
        "ended", "changed_by_hand", level,
    )  # fmt: skip
    assert hub.incidents()["access_changed_by_hand"]["details"]["access_level"] == level
    hub.decide(request_id, "revoke")
    assert (hub.incidents(), len(hub.gitlab.writes)) == ({}, 1)


def test_what_a_person_took_away_meanwhile_is_over() -> None:
    for row in (None, member(30), member(20)):
        hub, request_id = active(BEN)
        hub.gitlab.members["projects", SHOP].pop(BEN)
        if row is not None:
            hub.gitlab.members["projects", SHOP][BEN] = row
        hub.later(3600)
        assert (hub.one(request_id)["status"], len(hub.gitlab.writes), hub.incidents()) == ("ended", 1, {})


def test_who_has_more_from_above_by_now_keeps_that_alone() -> None:
    hub, request_id = active(BEN)
    hub.gitlab.members["groups", ACME][BEN] = member(40)
    hub.later(3600)
    assert (hub.one(request_id)["status"], BEN in hub.shop()) == ("ended", False)


def test_a_feature_that_is_off_and_a_mirror_that_is_stale_do_not_keep_access_from_ending() -> None:
    hub, request_id = active(NEW)
    hub.gitlabs.set(provisioning=False)
    hub.later(3 * 86_400)
    assert (hub.one(request_id)["status"], NEW in hub.shop()) == ("ended", False)


def test_a_paused_integration_is_told_of_and_ends_access_when_it_goes_on() -> None:
    hub, request_id = active(NEW)
    hub.gitlabs.set(paused=True)
    hub.later(3600)
    hub.later()
    assert hub.incidents()["access_not_ended"]["details"]["reason"] == "integration_paused"
    hub.gitlabs.set(paused=False)
    hub.later()
    assert (hub.one(request_id)["status"], hub.incidents()) == ("ended", {})


def test_a_last_owner_is_not_taken_away_and_told_of() -> None:
    hub = TimedHub()
    hub.put_policies(policy(max_access_level=50))
    request_id = hub.given(20, resource=GROUP, access_level=50)
    del hub.gitlab.members["groups", ACME][2]
    hub.later(3600)
    hub.later(120)
    assert hub.gitlab.level("groups", ACME, 20) == 50
    assert hub.incidents()["access_not_ended"]["details"]["reason"] == "last_owner"
    hub.gitlab.members["groups", ACME][2] = member(50)
    for _ in range(10):
        hub.later()
    assert (hub.one(request_id)["status"], hub.incidents()) == ("ended", {})


def test_a_clock_that_is_ahead_ends_nothing_early_for_whoever_comes_after() -> None:
    hub, request_id = active(NEW)
    hub.now -= 300  # The next worker's clock is behind.
    hub.tick()
    hub.now = START + 3600
    hub.tick()
    assert hub.one(request_id)["status"] == "ended"
    assert hub.requests("GET", of=OTHER)[1]["access_requests"] == []
    assert INTEGRATION != OTHER
