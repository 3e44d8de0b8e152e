"""Accounts against the stand-in, which has GitLab's rules: afterwards they are as the plan showed."""

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.functional.provisioning.plan_hub import PlanHub
from tests.integration.provisioning.stand_in_gitlabs import StandInGitLabs

STATES = ("active", "active", "active", "blocked", "deactivated", "banned", "ldap_blocked", "blocked_pending_approval")
CHANGES = ("block", "unblock", "deactivate", "activate")
Accounts = dict[str, str]


def some_company(dice: random.Random, seed: int) -> StandInGitLabs:
    """A company whose people are in all states, and have been here or not."""
    gitlabs = StandInGitLabs(seed)
    gitlabs.app.company.behaviour = replace(gitlabs.app.company.behaviour, deletion_delay=0)
    for user in gitlabs.app.company.users.values():
        if user.id > 1 and not user.bot:
            user.state = dice.choice(STATES)
            user.last_activity_on = dice.choice(["2026-01-01", "2026-09-01", None])
    return gitlabs


def accounts(gitlabs: StandInGitLabs) -> Accounts:
    """The state of everybody by their usernames, as GitLab's database has it."""
    return {user.username: user.state for user in gitlabs.app.company.users.values()}


def some_operation(dice: random.Random, gitlabs: StandInGitLabs) -> dict[str, Any]:
    people = list(gitlabs.app.company.users.values())
    if dice.random() < 0.2:
        taken, name = dice.choice(people), f"new{dice.randrange(10_000)}"
        named = dice.choice([{}, {}, {"username": taken.username}, {"email": taken.email}])
        return {"op": "create_account", "email": f"{name}@example.com", "username": name, "name": "New One", **named}
    op = dice.choice([*CHANGES, *CHANGES, "delete_account"])
    return {"op": op, "account_id": dice.choice(people).id}


def after(plan: dict[str, Any], before: Accounts, usernames: dict[int, str]) -> Accounts:
    """What is to be so once a plan was applied, by what it shows."""
    [one] = plan["operations"]
    username = one["username"] or usernames[one["account_id"]]
    rest = {name: state for name, state in before.items() if name != username}
    return rest if one["after"] is None else {**rest, username: one["after"]["state"]}


@pytest.mark.parametrize("seed", range(6))
def test_the_truth_is_what_the_plan_showed_and_undo_leads_back(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    gitlabs = some_company(dice, seed)
    hub, applied = PlanHub(gitlabs), 0
    for _ in range(12):
        before, members, written = accounts(gitlabs), gitlabs.truth(), len(gitlabs.writes())
        usernames = {user.id: user.username for user in gitlabs.app.company.users.values()}
        status, body = hub("POST", "", {"operations": [some_operation(dice, gitlabs)]})
        assert status == 201, body
        plan = body["plan"]
        [one] = plan["operations"]
        status, _ = hub.apply(plan, "test")
        hub.work()
        if status == 403:
            assert (accounts(gitlabs), gitlabs.truth(), len(gitlabs.writes())) == (before, members, written), plan
            continue
        found = hub.read(plan["id"])
        assert (status, found["status"]) == (202, "applied"), found
        assert gitlabs.writes()[written:] == [(call["method"], call["path"]) for call in one["calls"]]
        assert accounts(gitlabs) == after(plan, before, usernames), plan
        assert one["op"] == "delete_account" or gitlabs.truth() == members, plan
        applied += bool(one["calls"])
        if one["calls"] and one["op"] in CHANGES and dice.random() < 0.5:
            back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
            # Whoever was here lately is deactivated by nobody; whoever is let in may be an owner again.
            assert set(back["operations"][0]["refusals"]) <= {"grant_changed", "last_owner"}, back
            if back["status"] == "ready" and one["before"]["state"] != "deactivated":
                assert hub.apply(back)[0] == 202
                hub.work()
                assert accounts(gitlabs) == before, (plan, hub.read(back["id"]))
    assert applied
