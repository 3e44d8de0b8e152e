"""What the token is not shown any more is not gone: nothing counts as done, or as over, because GitLab answers 404."""

from typing import Any

import httpx
import pytest

from tests.fakes.gitlab_members import Key
from tests.functional.provisioning.plan_hub import (
    BEN,
    GUESTS,
    PROJECT,
    SHOP,
    START,
    PlanHub,
    grant,
    revoke,
    unshare,
)  # fmt: skip
from tests.functional.provisioning.test_crashes import recover
from tests.functional.provisioning.timed_hub import NEW, TimedHub

SHOP_KEY, GUESTS_KEY = ("projects", SHOP), ("groups", GUESTS)
EVE = "eve@example.com"
CANCEL = {"op": "cancel_invitation", "email": EVE, "resource": PROJECT}


def ready(operation: dict[str, Any]) -> tuple[PlanHub, str]:
    """A hub with a plan about a shop where a group and an address are invited, applied and not taken up."""
    hub = PlanHub()
    hub.gitlab.invitations[SHOP_KEY] = {EVE: {"invite_email": EVE, "access_level": 30, "expires_at": None}}
    row = {"group_id": GUESTS, "group_access_level": 30, "expires_at": None, "member_role_id": None}
    hub.gitlab.shares[SHOP_KEY] = {GUESTS: row}
    plan = hub.plan(operation)
    assert hub.apply(plan, "all of them")[0] == 202
    hub.provisioner.started = 0
    return hub, plan["id"]


def write_unanswered_then(hub: PlanHub, hidden: Key, *, done: bool) -> None:
    """Let the next write go without an answer, and the place out of sight at the same moment."""

    def lost() -> httpx.Response | None:
        hub.gitlab.hidden.add(hidden)
        raise httpx.ReadTimeout("")

    setattr(hub.gitlab, "after_write" if done else "instead_of_write", lost)


@pytest.mark.parametrize(
    ("operation", "hidden"),
    [
        (revoke(BEN, 30), SHOP_KEY),
        (unshare(GUESTS), SHOP_KEY),
        (unshare(GUESTS), GUESTS_KEY),
        (CANCEL, SHOP_KEY),
        (grant(BEN, 40), SHOP_KEY),
    ],
)
def test_a_place_that_goes_out_of_sight_before_a_plan_is_carried_out_is_no_place_where_it_is_done(
    operation: dict[str, Any], hidden: Key
) -> None:
    hub, plan_id = ready(operation)
    hub.gitlab.hidden.add(hidden)
    hub.tick()
    found = hub.read(plan_id)
    [one] = found["operations"]
    assert (found["status"], one["status"], one["error"]) == ("partly_applied", "skipped", "out_of_sight")
    assert hub.gitlab.writes == []


@pytest.mark.parametrize("operation", [revoke(BEN, 30), unshare(GUESTS), CANCEL, grant(BEN, 40)])
@pytest.mark.parametrize("done", [True, False])
def test_a_write_whose_place_goes_out_of_sight_is_not_taken_for_done_and_has_a_line_about_its_outcome(
    operation: dict[str, Any], done: bool
) -> None:
    hub, plan_id = ready(operation)
    write_unanswered_then(hub, SHOP_KEY, done=done)
    hub.tick()
    found = recover(hub, {"id": plan_id})
    [one] = found["operations"]
    assert (found["status"], one["status"], one["error"]) == ("partly_applied", "failed", "out_of_sight")
    assert len(hub.gitlab.writes) == 1
    [line] = hub.audited("plan.outcome")
    assert (line["details"]["after"]["status"], line["details"]["after"]["error"]) == ("failed", "out_of_sight")


def test_access_whose_place_is_out_of_sight_at_its_end_is_not_over_until_it_is_seen_to_be() -> None:
    hub = TimedHub()
    request_id = hub.given(NEW)
    hub.gitlab.hidden.add(SHOP_KEY)
    hub.now = START + 3600
    for _ in range(4):
        hub.later()
    assert hub.one(request_id)["status"] == "active"
    assert hub.incidents()["access_not_ended"]["details"]["reason"] == "out_of_sight"
    hub.gitlab.hidden.clear()
    assert hub.until_over(request_id)["status"] == "ended"
    assert (NEW in hub.shop(), hub.incidents()) == (False, {})


def test_access_that_stays_out_of_sight_is_over_once_gitlab_itself_has_ended_it() -> None:
    hub = TimedHub()
    request_id = hub.given(NEW)
    hub.gitlab.hidden.add(SHOP_KEY)
    hub.now = START + 86_400
    hub.later()
    assert (hub.one(request_id)["status"], list(hub.incidents())) == ("active", ["access_not_ended"])
    # GitLab's own end is the day after that of the hub's, and its job comes at night.
    hub.now = START + 2 * 86_400
    hub.later()
    found = hub.one(request_id)
    assert (found["status"], found["error"], hub.incidents()) == ("ended", "out_of_sight", {})


def test_an_account_that_is_gone_has_no_access_left_to_take_away() -> None:
    hub = TimedHub()
    request_id = hub.given(NEW)
    del hub.gitlab.users[NEW], hub.gitlab.members[SHOP_KEY][NEW]
    hub.now = START + 3600
    hub.later(0)
    assert (hub.one(request_id)["status"], hub.incidents()) == ("ended", {})
