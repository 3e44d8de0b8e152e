"""A hub whose token is an administrator's, and the operations about accounts."""

from typing import Any

from tests.functional.provisioning.plan_hub import ACME, BEN, GUESTS, INTEGRATION, PlanHub, member

EVE = {"op": "create_account", "email": "eve@example.com", "username": "eve", "name": "Eve Adams"}


def account_hub() -> PlanHub:
    """Acme as an administrator sees it; Ben is a second active person among its owners, and the only one of guests."""
    hub = PlanHub()
    hub.gitlabs.set(INTEGRATION, is_admin=True)
    for row in hub.gitlab.users.values():
        row.setdefault("is_admin", False)
        row.setdefault("email", f"{row['username']}@example.com")
    hub.gitlab.members["groups", ACME][BEN] = member(50)
    hub.gitlab.members["groups", GUESTS][BEN] = member(50)
    hub.gitlab.members["groups", GUESTS][41] = member(50)
    return hub


def on(op: str, account_id: int) -> dict[str, Any]:
    """An operation about an account."""
    return {"op": op, "account_id": account_id}


def states(hub: PlanHub) -> dict[str, str]:
    """The state of every account, by its username."""
    return {row["username"]: row["state"] for row in hub.gitlab.users.values()}


def refused(hub: PlanHub, *operations: dict[str, Any]) -> list[list[str]]:
    """What stands against operations; nothing of them is done."""
    plan = hub.plan(*operations)
    assert hub.apply(plan)[0] == 403, plan
    hub.work()
    assert hub.gitlab.writes == []
    return [one["refusals"] for one in plan["operations"]]
