"""The provisioner dies at any call while it changes accounts, or loses an answer: each write takes effect once."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest

from tests.fakes.faults import DENSE, Crash, every_call, faulty
from tests.functional.provisioning.account_hub import EVE, account_hub, on, states
from tests.functional.provisioning.plan_hub import ACME, ANA, BEN, CAT, HUB, OTHER, PlanHub, member
from tests.functional.provisioning.test_crashes import die_at, recover, timed_out

OPERATIONS = (EVE, on("block", 20), on("delete_account", 21))
WRITTEN = {("POST", "/users"), ("POST", "/users/20/block"), ("DELETE", "/users/21")}


def applied(*operations: dict[str, Any]) -> tuple[PlanHub, dict[str, Any]]:
    """A hub with a plan that an owner has applied, and that nobody has taken up."""
    hub = account_hub()
    plan = hub.plan(*(operations or OPERATIONS))
    assert hub.apply(plan)[0] == 202, plan
    hub.provisioner.started = 0
    return hub, plan


def written(hub: PlanHub) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in hub.gitlab.writes]


def truth() -> dict[str, str]:
    """The accounts after the plan."""
    hub, _ = applied()
    hub.tick()
    return states(hub)


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
        assert (found["status"], states(hub)) == ("applied", expected), fault
        assert [one["status"] for one in found["operations"]] == ["applied"] * 3, fault
        assert sorted(written(hub)) == sorted(WRITTEN), fault
    assert counted >= DENSE


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
        assert (found["status"], states(hub)) == ("applied", expected), at
        assert sorted(written(hub)) == sorted(WRITTEN), at
        if len(seen) < at:
            break
    assert at > 10


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_write_that_times_out_after_gitlab_did_it_is_found_done_by_reading(operation: dict[str, Any]) -> None:
    hub, plan = applied(operation)
    hub.gitlab.after_write = timed_out
    hub.tick()
    [one] = hub.read(plan["id"])["operations"]
    assert (one["status"], len(hub.gitlab.writes)) == ("applied", 1)


def test_a_deletion_whose_answer_was_lost_is_watched_before_it_is_sent_again() -> None:
    hub, plan = applied(on("delete_account", 21))
    hub.gitlab.accounts.lasting, hub.gitlab.after_write = 2, timed_out
    found = recover(hub, plan)
    assert (found["operations"][0]["status"], len(hub.gitlab.writes)) == ("applied", 1)


def test_a_deletion_that_never_reached_gitlab_is_sent_again() -> None:
    hub, plan = applied(on("delete_account", 21))
    hub.gitlab.instead_of_write = timed_out
    hub.tick()
    hub.gitlab.instead_of_write = lambda: None
    found = recover(hub, plan)
    assert (found["operations"][0]["status"], written(hub)) == ("applied", [("DELETE", f"/users/{21}")] * 2)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_gitlab_that_is_broken_for_a_while_is_tried_again(operation: dict[str, Any]) -> None:
    hub, plan = applied(operation)
    broken = [httpx.Response(502), httpx.Response(503)]
    hub.gitlab.instead_of_write = lambda: broken.pop() if broken else None
    assert recover(hub, plan)["status"] == "applied"
    assert len(hub.gitlab.writes) == 3


def two_plans(first: str, second: str) -> tuple[PlanHub, list[dict[str, Any]]]:
    """Two plans, each of which closes one of the last two owners, applied through two integrations."""
    hub = account_hub()
    hub.gitlabs.set(OTHER, is_admin=True)
    hub.gitlab.members["groups", ACME] = {one: member(50) for one in (HUB, ANA, BEN, CAT)}
    plans = [hub.plan(on(first, ANA)), hub.plan(on(second, BEN), of=OTHER)]
    assert [hub.apply(plans[0])[0], hub.apply(plans[1], of=OTHER)[0]] == [202, 202]
    return hub, plans


@pytest.mark.parametrize(
    "ops",
    [
        ("deactivate", "deactivate"),
        ("block", "deactivate"),
        ("deactivate", "delete_account"),
        ("delete_account", "delete_account"),
    ],
)
def test_of_two_plans_at_once_that_each_close_one_of_the_last_two_owners_one_is_done(ops: tuple[str, str]) -> None:
    hub, _ = two_plans(*ops)
    hub.gitlab.accounts.lasting = 12  # GitLab deletes in the background, after the other worker has looked.
    looks: list[Callable[[], None]] = [partial(hub.tick, hub.worker())]
    # The second worker comes while the first one writes.
    hub.gitlab.after_write = lambda: looks.pop()() if looks else None
    hub.tick()
    for _ in range(12):
        hub.later()
    left = [hub.gitlab.users.get(one, {}).get("state") == "active" for one in (ANA, BEN)]
    changed = {path.split("/")[2] for _, path in written(hub)}
    assert (sum(left), len(changed)) == (1, 1), hub.gitlab.writes
