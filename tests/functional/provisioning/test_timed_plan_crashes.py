"""Grants of plans that end at a minute end whatever call a worker dies at, and whoever applies them."""

from contextlib import suppress

import pytest

from tests.fakes.faults import Crash, Plan, faulty
from tests.functional.provisioning.plan_hub import BEN, START
from tests.functional.provisioning.test_crashes import die_at
from tests.functional.provisioning.test_ending_access import MOST_SECONDS_LATE, here
from tests.functional.provisioning.test_timed_plans import END, applied, timed
from tests.functional.provisioning.timed_hub import NEW, TimedHub


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_whoever_dies_while_applying_leaves_no_grant_without_its_end(lost: bool) -> None:
    at, outcomes = 0, set[str]()
    while True:
        at += 1
        hub = TimedHub()
        made = hub.plan(timed())
        fault = Plan(at=at, applied=lost)
        with suppress(Crash):
            hub.apply(made, api=hub.api(hub.feature(faulty(hub.access, fault), faulty(hub.notes, fault))))
        hub.later()
        if NEW in hub.shop():
            [request] = hub.requests("GET")[1]["access_requests"]
            assert request["ends_at"] == END, fault
        hub.now = END
        for _ in range(3):
            hub.later(400)
        assert hub.shop() == {BEN: (30, None, None)}, fault
        outcomes.add(hub.read(made["id"])["status"])
        if not fault.struck:
            break
    assert outcomes == {"expired", "applied"}


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at_end", [False, True], ids=["giving", "ending"])
def test_a_worker_that_dies_at_any_call_of_a_store_leaves_nothing_behind(lost: bool, at_end: bool) -> None:
    at = died = 0
    while True:
        at += 7 if at > 6 else 1
        hub, plan = applied()
        if at_end:
            hub.tick()
        hub.now = START + (3600 if at_end else 0)
        fault = Plan(at=at, applied=lost)
        with suppress(Crash):
            hub.tick(hub.worker(hub.feature(faulty(hub.access, fault), faulty(hub.notes, fault))))
        died += fault.struck
        for _ in range(0 if at_end else 2):
            hub.later(400)
        hub.now = max(hub.now, END)
        found = hub.until_over(hub.read(plan["id"])["operations"][0]["access_request_id"])
        assert hub.shop() == {BEN: (30, None, None), 21: (30, None, None)}, fault
        assert (found["status"], (found["ended_at"] or 0) <= END + MOST_SECONDS_LATE) == ("ended", True), fault
        assert [write[0] for write in hub.gitlab.writes] == ["POST", "POST", "DELETE"], fault
        assert (hub.left(), hub.incidents()) == ([], {}), fault
        if not fault.struck:
            break
    assert died > 8


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_any_request_to_gitlab_leaves_nothing_behind(lost: bool) -> None:
    at = 0
    while True:
        at += 1
        hub, plan = applied(timed())
        seen = die_at(hub, at, applied=lost)
        with suppress(Crash):
            hub.tick()
        hub.gitlab.step, hub.gitlab.after_write = here, lambda: None
        for _ in range(2):
            hub.later(400)
        hub.now = max(hub.now, END)
        found = hub.until_over(hub.read(plan["id"])["operations"][0]["access_request_id"])
        assert (found["status"], NEW in hub.shop()) == ("ended", False), at
        assert [write[0] for write in hub.gitlab.writes] == ["POST", "DELETE"], at
        if len(seen) < at:
            break
    assert at > 5
