"""Accounts blocked, let in again, made and deleted by plans."""

from typing import Any

import httpx
import pytest

from tests.functional.provisioning.account_hub import EVE, account_hub, on, refused, states
from tests.functional.provisioning.plan_hub import (
    ACME,
    ANA,
    BEN,
    BOT,
    CAT,
    GROUP,
    GUESTS,
    HUB,
    INTEGRATION,
    PlanHub,
    grant,
    member,
    revoke,
)


def back(hub: PlanHub, plan: dict[str, Any]) -> dict[str, Any]:
    """Take a plan back, and give the plan that did."""
    status, body = hub("POST", f"/{plan['id']}/undo")
    assert status == 201, body
    assert hub.apply(body["plan"])[0] == 202, body
    hub.work()
    return hub.read(body["plan"]["id"])


@pytest.mark.parametrize(
    ("op", "account", "before", "after"),
    [("block", ANA, "active", "blocked"), ("unblock", CAT, "blocked", "active"),
     ("deactivate", ANA, "active", "deactivated"), ("activate", 20, "deactivated", "active")],
)  # fmt: skip
def test_a_change_of_state_is_shown_done_and_taken_back(op: str, account: int, before: str, after: str) -> None:
    hub = account_hub()
    hub.gitlab.users[20]["state"] = "deactivated"
    was = states(hub)
    plan = hub.done(on(op, account))
    [one] = plan["operations"]
    who = hub.gitlab.users[account]["name"]
    assert (one["sentence"], one["status"], plan["status"]) == (f"{who}: {before} → {after}", "applied", "applied")
    assert (one["before"], one["after"], one["resource"]) == ({"state": before}, {"state": after}, None)
    assert hub.gitlab.writes == [("POST", f"/users/{account}/{op}", None)]
    assert hub.gitlab.users[account]["state"] == after
    assert back(hub, plan)["status"] == "applied"
    assert states(hub) == was


def test_what_is_so_already_is_left_alone() -> None:
    hub = account_hub()
    [one] = hub.done(on("block", CAT))["operations"]
    assert (one["sentence"], one["status"], hub.gitlab.writes) == (
        "Cat Wu: blocked already, nothing to do", "skipped", [],
    )  # fmt: skip


def test_an_account_is_made_and_blocked_again_by_undo() -> None:
    hub = account_hub()
    plan = hub.done({**EVE, "external": True, "provider": "saml", "extern_uid": "e-7"})
    [one] = plan["operations"]
    assert (one["status"], one["username"], one["email"]) == ("applied", "eve", "eve@example.com")
    assert one["sentence"] == (
        "Eve Adams (@eve, eve@example.com): no account → active, external, known to saml as e-7, "
        "with a mail to choose a password"
    )
    assert (one["before"], one["after"]) == (None, {"state": "active"})
    [undone] = back(hub, plan)["operations"]
    assert (undone["op"], undone["status"], states(hub)["eve"]) == ("block", "applied", "blocked")


@pytest.mark.parametrize("changed", [{"username": "ana"}, {"email": "ana@example.com"}])
def test_a_name_or_an_address_that_somebody_has_is_refused(changed: dict[str, str]) -> None:
    hub = account_hub()
    assert refused(hub, {**EVE, **changed}) == [["grant_changed"]]


def test_an_account_that_is_there_as_wanted_is_not_made_again() -> None:
    hub = account_hub()
    wanted = {**EVE, "username": "ana", "email": "Ana@example.com"}
    assert hub.done(wanted)["operations"][0]["status"] == "skipped"


@pytest.mark.parametrize("lasting", [0, 1, 4])
def test_a_deletion_is_over_when_gitlab_shows_the_account_no_more(lasting: int) -> None:
    hub = account_hub()
    hub.gitlab.accounts.lasting = lasting
    plan = hub.plan(on("delete_account", 21))
    assert "which nothing takes back" in plan["operations"][0]["sentence"]
    assert hub.apply(plan)[0] == 202
    hub.work()
    for _ in range(5):
        hub.later()
    found = hub.read(plan["id"])
    assert (found["status"], found["operations"][0]["status"]) == ("applied", "applied")
    assert (hub.gitlab.writes, 21 in hub.gitlab.users) == ([("DELETE", f"/users/{21}", None)], False)
    status, body = hub("POST", f"/{plan['id']}/undo")
    assert (status, body["code"]) == (409, "plan_not_applied")


def test_a_deletion_that_takes_gitlab_long_is_told_as_accepted() -> None:
    hub = account_hub()
    hub.gitlab.accounts.lasting = 1_000
    plan = hub.done(on("delete_account", 21))
    assert plan["operations"][0]["status"] == "pending"
    for _ in range(12):
        hub.later()
    [one] = hub.read(plan["id"])["operations"]
    assert (one["status"], len(hub.gitlab.writes)) == ("accepted", 1)
    assert "in the background" in one["hint"]


def test_what_closes_the_last_owner_is_refused() -> None:
    hub = account_hub()
    hub.gitlab.members["groups", ACME][BEN] = member(40)
    for op in ("block", "deactivate", "delete_account"):
        codes = refused(hub, on(op, ANA))
        assert (codes, bool(codes)) == ([["last_owner"]] * len(codes), True)


def test_of_two_last_owners_one_plan_closes_one_only() -> None:
    hub = account_hub()
    assert refused(hub, on("block", ANA), on("deactivate", BEN)) == [[], ["last_owner"]]
    assert refused(hub, on("block", ANA), revoke(BEN, 50, GROUP)) == [[], ["last_owner"]]


def test_a_new_owner_comes_before_the_old_one_is_closed() -> None:
    hub = account_hub()
    hub.gitlab.members["groups", ACME][BEN] = member(40)
    plan = hub.done(on("block", ANA), grant(BEN, 50, GROUP), reason="handover")
    assert [one["status"] for one in plan["operations"]] == ["applied", "applied"]
    assert [path for _, path, _ in hub.gitlab.writes] == [f"/groups/{ACME}/members/{BEN}", f"/users/{ANA}/block"]


def test_whoever_cannot_sign_in_is_no_owner_to_keep() -> None:
    hub = account_hub()
    hub.gitlab.members["groups", GUESTS] = {CAT: member(50)}
    hub.gitlab.users[CAT]["state"] = "deactivated"
    assert hub.done(on("block", CAT))["status"] == "applied"
    hub.gitlab.writes.clear()
    assert refused(hub, on("delete_account", CAT)) == [["last_owner"]]


@pytest.mark.parametrize(("account", "code"), [(HUB, "self_target"), (BOT, "bot_member"), (999, "user_not_found")])
def test_whom_no_plan_closes(account: int, code: str) -> None:
    assert code in refused(account_hub(), on("block", account))[0]


@pytest.mark.parametrize(
    ("connection", "code"),
    [({"is_admin": False}, "token_scope"), ({"scopes": ("read_api",)}, "token_scope"),
     ({"base_url": "https://gitlab.com"}, "not_supported_here")],
)  # fmt: skip
def test_a_token_that_changes_no_accounts(connection: dict[str, Any], code: str) -> None:
    hub = account_hub()
    hub.gitlabs.set(INTEGRATION, **connection)
    plan = hub.plan(on("block", ANA), EVE)
    assert [code in one["refusals"] for one in plan["operations"]] == [True, True]
    hints = [one["hint"] for one in plan["operations"][0]["explanations"] if one["code"] == code]
    assert "ccounts" in hints[0]


def test_nothing_is_decided_by_what_is_stale() -> None:
    hub = account_hub()
    hub.synced(INTEGRATION, ago=90_000)
    assert refused(hub, on("block", ANA), EVE) == [["stale_data"], ["stale_data"]]


@pytest.mark.parametrize("status", [403, 404, 409])
@pytest.mark.parametrize("op", ["block", "deactivate", "delete_account"])
def test_what_gitlab_refuses_has_failed_and_the_rest_goes_on(op: str, status: int) -> None:
    hub = account_hub()
    no = httpx.Response(status, json={"message": "no"})
    hub.gitlab.instead_of_write = lambda: no if hub.gitlab.writes[-1][1].startswith("/users/") else None
    plan = hub.done(on(op, 21), revoke(BEN, 30))
    assert [one["status"] for one in plan["operations"]] == ["failed", "applied"]
    assert (plan["status"], hub.gitlab.users[21]["state"]) == ("partly_applied", "active")
