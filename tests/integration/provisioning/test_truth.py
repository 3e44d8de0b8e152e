"""Plans against the stand-in, which has GitLab's rules: afterwards it holds what the plan showed, and no more."""

import random
from typing import Any

import pytest

from tests.functional.provisioning.plan_hub import PlanHub
from tests.integration.provisioning.stand_in_gitlabs import StandInGitLabs, Truth

LEVELS = (10, 15, 20, 30, 40, 50)


def some_operation(dice: random.Random, gitlabs: StandInGitLabs) -> dict[str, Any]:
    company = gitlabs.app.company
    kind, number = dice.choice(gitlabs.places())
    key: Any = (kind.removesuffix("s"), number)
    resource = {"type": key[0], "id": number}
    held = company.members.get(key, {})
    account = dice.choice([*held, *company.users]) if held else dice.choice(list(company.users))
    level = held[account].level if account in held else 30
    if dice.random() < 0.4:
        return {"op": "revoke", "account_id": account, "resource": resource, "expected_level": level}
    more = {"expires_at": "2027-03-01"} if dice.random() < 0.3 else {}
    mode = dice.choice(["ensure_at_least", "set_exactly"])
    wanted = dice.choice(LEVELS)
    return {
        "op": "grant", "account_id": account, "resource": resource, "access_level": wanted, "mode": mode, **more,
    }  # fmt: skip


def after(plan: dict[str, Any], truth: Truth) -> Truth:
    """What the truth is to be once a plan was applied, by what it shows."""
    found = {key: dict(rows) for key, rows in truth.items()}
    for one in plan["operations"]:
        rows = found.setdefault((one["resource"]["type"], one["resource"]["id"]), {})
        rows.pop(one["account_id"], None)
        if one["after"] is not None:
            day = {"2027-03-01": 1803859200, None: None}
            end = next((name for name, at in day.items() if at == one["after"]["expires_at"]), "another")
            rows[one["account_id"]] = (one["after"]["access_level"], end)
    return {key: rows for key, rows in found.items() if rows}


@pytest.mark.parametrize("seed", range(12))
def test_the_truth_is_what_the_plan_showed_and_undo_leads_back(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    gitlabs = StandInGitLabs(seed)
    hub = PlanHub(gitlabs)
    applied = 0
    for _ in range(8):
        before, written = gitlabs.truth(), len(gitlabs.writes())
        status, body = hub("POST", "", {"operations": [some_operation(dice, gitlabs)]})
        assert status == 201, body
        plan = body["plan"]
        status, _ = hub.apply(plan, "test")
        hub.work()
        found = hub.read(plan["id"])
        if status == 403:
            assert (gitlabs.truth(), len(gitlabs.writes())) == (before, written), plan
            continue
        assert (status, found["status"]) == (202, "applied"), found
        shown = [
            (call["method"], call["path"].partition("?")[0]) for one in plan["operations"] for call in one["calls"]
        ]
        assert gitlabs.writes()[written:] == shown
        assert gitlabs.truth() == after(plan, before), plan
        applied += bool(shown)
        if shown and dice.random() < 0.5:
            status, body = hub("POST", f"/{plan['id']}/undo")
            # Some states GitLab lets nobody bring about again.
            refused = {*body["plan"]["operations"][0]["refusals"]}
            assert (status, refused <= {"expires_in_past", "below_inherited_level"}) == (201, True), body
            if body["plan"]["status"] == "ready":
                assert hub.apply(body["plan"])[0] == 202
                hub.work()
                assert gitlabs.truth() == before, (plan, hub.read(body["plan"]["id"]))
    assert applied
