"""Inviting the address of somebody who has an account: refused where it is known, and told and taken back where not."""

from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.fields import padded
from tests.functional.provisioning.plan_hub import BEN, INTEGRATION, SHOP, PlanHub, invite, member, user
from tests.functional.provisioning.test_crashes import timed_out

EVE, EVES = "eve@example.com", 59
KEY = ("projects", SHOP)


def hub_with_eve(**has: Any) -> PlanHub:
    """A hub whose GitLab knows Eve by an address that it does not show; she may have something in the shop."""
    hub = PlanHub()
    hub.gitlab.addresses[EVE] = EVES
    if has:
        hub.gitlab.members[KEY][EVES] = member(**has)
    return hub


def stored(hub: PlanHub, **told: Any) -> None:
    """Let a list of accounts have told something of Eve."""
    pk = f"{INTEGRATION}#accounts"
    hub.access.put({"pk": pk, "sk": padded(EVES), "id": EVES, "username": "eve", "emails": [], **told})


@pytest.mark.parametrize(
    "told",
    [
        {"emails": [{"value": "Eve@Example.com", "source": "enterprise_users", "primary": True}]},
        {"identities": [{"provider": "group_saml", "extern_uid": EVE}]},
    ],
)
def test_an_address_that_a_list_of_accounts_has_told_is_refused_with_the_name_of_its_account(
    told: dict[str, Any],
) -> None:
    hub = hub_with_eve()
    stored(hub, **told)
    plan = hub.plan(invite(EVE, 30), invite("other@example.com", 30))
    assert [one["refusals"] for one in plan["operations"]] == [["grant_changed"], []]
    assert "which belongs to @eve" in plan["operations"][0]["sentence"]


def test_an_administrator_is_shown_accounts_by_secondary_addresses_that_no_row_names() -> None:
    hub = hub_with_eve()
    hub.gitlabs.set(INTEGRATION, is_admin=True)
    hub.gitlab.users[EVES] |= {"email": "eve@work.example", "public_email": ""}
    hub.gitlab.found_by[EVE] = EVES
    [one] = hub.plan(invite(EVE, 30))["operations"]
    assert one["refusals"] == ["grant_changed"]


@pytest.mark.parametrize(
    ("has", "before"),
    [
        ({}, None),
        ({"level": 40, "expires_at": "2027-01-31"}, (40, "2027-01-31", None)),
        ({"level": 20, "member_role": {"id": 7}}, (20, None, 7)),
    ],
)
@pytest.mark.parametrize("answers", [True, False])
def test_a_member_that_was_made_or_changed_instead_is_named_and_undo_takes_that_back(
    has: dict[str, Any], before: tuple[Any, ...] | None, answers: bool
) -> None:
    hub = hub_with_eve(**has)
    if not answers:
        hub.gitlab.after_write = timed_out
    done = hub.done(invite(EVE, 30))
    [one] = done["operations"]
    assert (done["status"], one["status"], one["error"]) == ("partly_applied", "failed", "became_member")
    assert (one["instead"]["account_id"], one["instead"]["after"]["access_level"]) == (EVES, 30)
    assert (one["instead"]["before"] or {}).get("access_level") == (before and before[0])
    assert "undo" in one["hint"]
    [line] = hub.audited("plan.outcome")
    assert line["details"]["after"]["instead"]["account_id"] == EVES
    own = [row for row in hub.access.dump() if row["pk"].endswith("#own_changes")]
    assert [(row["sk"].rpartition("#")[2], row["level"]) for row in own] == [(padded(EVES), 30)]
    assert len(hub.hints.bodies) == 1
    hub.gitlab.after_write = lambda: None
    back: dict[str, Any] = hub("POST", f"/{done['id']}/undo")[1]["plan"]
    assert hub.apply(back)[0] == 202, back
    hub.work()
    assert hub.gitlab.state()[KEY].get(EVES) == before


def test_what_another_member_gets_by_hand_in_the_same_moment_is_not_told_to_be_it() -> None:
    hub = hub_with_eve()

    def by_hand() -> httpx.Response | None:
        hub.gitlab.members[KEY][20] = member(30)
        hub.gitlab.members[KEY][BEN] = member(40)
        return None

    hub.gitlab.after_write = by_hand
    [one] = hub.done(invite(EVE, 30))["operations"]
    assert (one["error"], one["instead"]) == ("not_done", None)
    assert hub("POST", f"/{hub('GET')[1]['plans'][0]['id']}/undo")[1]["code"] == "plan_not_applied"


def test_members_are_not_compared_where_they_are_too_many() -> None:
    hub = hub_with_eve()
    people = range(1_000, 2_100)
    hub.gitlab.users |= {number: user(number, f"u{number}", f"U {number}") for number in people}
    hub.gitlab.members[KEY] |= {number: member(30) for number in people}
    [one] = hub.done(invite(EVE, 30))["operations"]
    assert (one["status"], one["error"], one["instead"]) == ("failed", "not_done", None)


def test_a_request_that_waits_for_an_administrator_is_accepted() -> None:
    hub = PlanHub()
    body = {"status": "success", "queued_users": {EVE: "Request queued for administrator approval."}}
    hub.gitlab.instead_of_write = lambda: httpx.Response(201, json=body)
    [one] = hub.done(invite(EVE, 30))["operations"]
    assert (one["status"], one["error"]) == ("accepted", None)
