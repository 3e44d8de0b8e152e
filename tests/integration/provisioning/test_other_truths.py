"""Shares and invitations against the stand-in: afterwards it holds what the plan showed, and no more."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.functional.provisioning.plan_hub import PlanHub
from tests.integration.provisioning.stand_in_gitlabs import Entry, StandInGitLabs

LEVELS = (10, 20, 30, 40, 50)
ADDRESSES = ("eve@outside.example", "max@outside.example")

Others = dict[Entry, tuple[int, str | None]]


def some_operation(dice: random.Random, gitlabs: StandInGitLabs) -> dict[str, Any]:
    """Ask for anything, and rather often about what is there."""
    others = gitlabs.others()
    kind, number = dice.choice(gitlabs.places())
    place, whom = (kind.removesuffix("s"), number), ""
    if others and dice.random() < 0.6:
        at, number, whom = dice.choice(sorted(others))
        place = (at, number)
    resource = {"type": place[0], "id": place[1]}
    more = {"expires_at": "2027-03-01"} if dice.random() < 0.3 else {}
    level = {"access_level": dice.choice(LEVELS)}
    if whom.startswith("group#") or (not whom and dice.random() < 0.5):
        guest = int(whom.partition("#")[2] or dice.choice(list(gitlabs.app.company.groups)))
        of = {"group_id": guest, "resource": resource}
        return {"op": "unshare", **of} if whom and dice.random() < 0.6 else {"op": "share", **of, **level, **more}
    people = [user.email for user in gitlabs.app.company.users.values()]
    of = {"email": whom or dice.choice([*ADDRESSES, dice.choice(people)]), "resource": resource}
    op = dice.choice(["update_invitation", "cancel_invitation", "invite"]) if whom else "invite"
    return {"op": op, **of} if op == "cancel_invitation" else {"op": op, **of, **level, **more}


def after(plan: dict[str, Any], others: Others) -> Others:
    """What is to be there once a plan was applied, by what it shows."""
    found = dict(others)
    for one in plan["operations"]:
        whom = one["email"] or f"group#{one['group_id']}"
        key = (one["resource"]["type"], one["resource"]["id"], whom)
        found.pop(key, None)
        if (state := one["after"]) is not None:
            ends = state["expires_at"]
            day = None if ends is None else datetime.fromtimestamp(ends, UTC).date().isoformat()
            found[key] = (state["access_level"], day)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_the_truth_is_what_the_plan_showed_and_undo_leads_back(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    gitlabs = StandInGitLabs(seed)
    hub, applied = PlanHub(gitlabs), 0
    for _ in range(14):
        before, members, written = gitlabs.others(), gitlabs.truth(), len(gitlabs.writes())
        status, body = hub("POST", "", {"operations": [some_operation(dice, gitlabs)]})
        assert status == 201, body
        plan = body["plan"]
        status, _ = hub.apply(plan, "test")
        hub.work()
        assert gitlabs.truth() == members, plan
        if status == 403:
            assert (gitlabs.others(), len(gitlabs.writes())) == (before, written), plan
            continue
        found = hub.read(plan["id"])
        assert (status, found["status"]) == (202, "applied"), found
        calls = plan["operations"][0]["calls"]
        assert gitlabs.writes()[written:] == [(call["method"], call["path"]) for call in calls]
        assert gitlabs.others() == after(plan, before), plan
        applied += bool(calls)
        if calls and dice.random() < 0.5:
            back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
            # A share or an invitation of the past is over, and GitLab's rules allow more to be there than to be made.
            assert set(back["operations"][0]["refusals"]) <= {"expires_in_past", "membership_lock"}, back
            if back["status"] == "ready":
                assert hub.apply(back)[0] == 202
                hub.work()
                assert gitlabs.others() == before, (plan, hub.read(back["id"]))
    assert applied
