"""Inviting people by their addresses, changing that, and taking it back."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.functional.provisioning.plan_hub import ACME, ANA, GROUP, HUB, PROJECT, SHOP, TEAM, PlanHub, invite, member

EVE = "eve@example.com"
KEY = ("projects", SHOP)


def update(level: int, **more: Any) -> dict[str, Any]:
    return {"op": "update_invitation", "email": EVE, "resource": PROJECT, "access_level": level, **more}


def cancel(**more: Any) -> dict[str, Any]:
    return {"op": "cancel_invitation", "email": EVE, "resource": PROJECT, **more}


def invited(hub: PlanHub, level: int = 30, expires_at: str | None = None) -> None:
    hub.gitlab.invitations[KEY] = {EVE: {"invite_email": EVE, "access_level": level, "expires_at": expires_at}}


def undone(hub: PlanHub, plan: dict[str, Any]) -> dict[str, Any]:
    """Take a plan back, and read the plan that did so."""
    back: dict[str, Any] = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
    assert hub.apply(back)[0] == 202, back
    hub.work()
    return hub.read(back["id"])


def test_an_invitation_is_sent_as_the_plan_showed_and_waits_until_somebody_accepts() -> None:
    hub = PlanHub()
    done = hub.done(invite("Eve@Example.com", 30, expires_at="2027-01-31"))
    [one] = done["operations"]
    assert one["sentence"] == f"invitation of {EVE}: none → Developer on acme/team/shop until 2027-01-31"
    body = {"email": EVE, "access_level": 30, "expires_at": "2027-01-31"}
    assert one["calls"] == [{"method": "POST", "path": f"/projects/{SHOP}/invitations", "body": body}]
    assert (done["status"], one["status"], one["error"], one["email"]) == ("applied", "accepted", None, EVE)
    assert hub.gitlab.waiting() == {KEY: {EVE: (30, "2027-01-31")}}
    assert (undone(hub, done)["status"], hub.gitlab.waiting(), len(hub.gitlab.writes)) == ("applied", {}, 2)


@pytest.mark.parametrize(
    ("operation", "after", "body"),
    [
        (update(40), (40, "2027-01-31"), {"access_level": 40}),
        (update(30, expires_at=None), (30, None), {"access_level": 30, "expires_at": None}),
        (update(20, expires_at="2027-02-28"), (20, "2027-02-28"), {"access_level": 20, "expires_at": "2027-02-28"}),
    ],
)
def test_an_invitation_is_changed_in_so_many_words_and_changed_back(
    operation: dict[str, Any], after: tuple[Any, ...], body: dict[str, Any]
) -> None:
    hub = PlanHub()
    invited(hub, expires_at="2027-01-31")
    done = hub.done(operation)
    assert hub.gitlab.writes == [("PUT", f"/projects/{SHOP}/invitations/{EVE}", body)]
    assert hub.gitlab.waiting() == {KEY: {EVE: after}}
    undone(hub, done)
    assert hub.gitlab.waiting() == {KEY: {EVE: (30, "2027-01-31")}}


def test_an_invitation_is_taken_back_and_undo_sends_it_anew() -> None:
    hub = PlanHub()
    invited(hub, expires_at="2027-01-31")
    done = hub.done(cancel())
    assert (done["operations"][0]["status"], hub.gitlab.waiting()) == ("applied", {})
    undone(hub, done)
    assert hub.gitlab.waiting() == {KEY: {EVE: (30, "2027-01-31")}}


def test_what_was_accepted_meanwhile_cannot_be_taken_back_and_says_so() -> None:
    hub = PlanHub()
    done = hub.done(invite(EVE, 30))
    del hub.gitlab.invitations[KEY][EVE]
    back = hub("POST", f"/{done['id']}/undo")[1]["plan"]
    assert (back["status"], back["operations"][0]["refusals"]) == ("blocked", ["user_not_found"])


def test_an_invitation_that_made_a_member_at_once_is_not_said_to_wait() -> None:
    hub = PlanHub()
    hub.gitlab.instead_of_write = lambda: httpx.Response(201, json={"status": "success"})
    [one] = hub.done(invite(EVE, 30))["operations"]
    assert (one["status"], one["error"]) == ("failed", "not_done")


def test_what_is_no_address_is_refused() -> None:
    for email in ("eve", "a@b.example,c@d.example", "", 7):
        status, body = PlanHub()("POST", "", {"operations": [invite(email, 30)]})  # type: ignore[arg-type]
        assert (status, body["code"]) == (422, "invalid_input"), email


def known(hub: PlanHub) -> None:
    hub.gitlab.users[ANA]["public_email"] = EVE


def its_own(hub: PlanHub) -> None:
    hub.gitlab.users[HUB]["email"] = EVE


def locked(hub: PlanHub) -> None:
    hub.gitlab.places["groups", TEAM]["membership_lock"] = True


def lowered(hub: PlanHub) -> None:
    hub.gitlab.members["groups", ACME][HUB] = member(40)


def by_ldap(hub: PlanHub) -> None:
    hub.gitlab.places["groups", ACME]["ldap_group_links"] = [{"cn": "devs", "group_access": 30}]


def nothing(_hub: PlanHub) -> None:
    """Leave everything as it is."""


CASES: dict[str, tuple[Callable[[PlanHub], object], dict[str, Any], str]] = {
    "somebody who has an account": (known, invite(EVE, 30), "grant_changed"),
    "the token's own user": (its_own, invite(EVE, 30), "grant_changed"),
    "invited already": (lambda hub: invited(hub, 20), invite(EVE, 30), "pending_invitation"),
    "nobody to change": (nothing, update(30), "user_not_found"),
    "nobody to take back": (nothing, cancel(), "user_not_found"),
    "over today": (nothing, invite(EVE, 30, expires_at="2026-09-21"), "expires_in_past"),
    "a lock": (locked, invite(EVE, 30), "membership_lock"),
    "no owner of the group": (lowered, invite(EVE, 30, GROUP), "not_owner"),
    "more than the token's user has": (lowered, invite(EVE, 50), "not_owner"),
    "filled by LDAP": (by_ldap, invite(EVE, 30, GROUP), "ldap_managed"),
    "by SAML": (lambda hub: hub.gitlab.saml_links.add(ACME), invite(EVE, 30, GROUP), "saml_managed"),
    "a token that may not": (lambda hub: hub.gitlabs.set(scopes=("read_api",)), invite(EVE, 30), "token_scope"),
    "not covered": (lambda hub: hub.access.delete("int_0a1b#projects", f"{SHOP:012d}"), invite(EVE, 30), "stale_data"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_must_not_be_done_blocks_the_plan_and_writes_nothing(case: str) -> None:
    change, operation, code = CASES[case]
    hub = PlanHub()
    change(hub)
    plan = hub.plan(operation)
    assert (plan["status"], plan["operations"][0]["refusals"]) == ("blocked", [code])
    assert hub.apply(plan, "because")[1]["code"] == "plan_blocked"
    hub.later()
    assert hub.gitlab.writes == []


def test_what_is_so_already_is_no_change() -> None:
    hub = PlanHub()
    invited(hub)
    done = hub.done(invite(EVE, 30))
    assert (done["status"], done["operations"][0]["status"], hub.gitlab.writes) == ("applied", "skipped", [])
