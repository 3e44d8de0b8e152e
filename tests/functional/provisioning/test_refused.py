"""What is refused, with its code: nothing of it is sent to GitLab, and the plan cannot be applied."""

from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.sync.run import RunStatus
from tests.functional.provisioning.plan_hub import (
    ACME,
    ADMIN,
    ANA,
    BEN,
    BOT,
    CRAFT,
    GROUP,
    HUB,
    ROOT,
    SHOP,
    TEAM,
    PlanHub,
    grant,
    member,
    revoke,
)

TEAM_GROUP = {"type": "group", "id": TEAM}
Change = Callable[[PlanHub], object]


def nothing(_hub: PlanHub) -> None:
    """Leave everything as it is."""


def without_the_hubs_user(hub: PlanHub) -> None:
    hub.gitlab.members["groups", ACME][HUB] = member(40)


def locked(hub: PlanHub) -> None:
    hub.gitlab.places["groups", TEAM]["membership_lock"] = True


def by_ldap(hub: PlanHub) -> None:
    hub.gitlab.members["groups", TEAM][BEN]["override"] = False


def linked_to_ldap(hub: PlanHub) -> None:
    hub.gitlab.places["groups", TEAM]["ldap_group_links"] = [{"cn": "devs", "group_access": 30}]


def by_saml(hub: PlanHub) -> None:
    hub.gitlab.saml_links.add(TEAM)
    hub.gitlab.members["groups", TEAM][BEN]["group_saml_identity"] = {"provider": "group_saml", "extern_uid": "b"}


def awaiting(hub: PlanHub) -> None:
    hub.gitlab.members["groups", TEAM][BEN]["membership_state"] = "awaiting"


def personal(hub: PlanHub) -> None:
    hub.gitlab.places["projects", SHOP] |= {"namespace": {"id": 900, "kind": "user"}, "owner": {"id": ANA}}


CASES: dict[str, tuple[Change, dict[str, Any], str]] = {
    "the token's own user": (nothing, grant(HUB, 50, GROUP), "self_target"),
    "a bot": (nothing, revoke(BOT, 50, GROUP), "bot_member"),
    "the last active person among the owners": (nothing, revoke(ANA, 50, GROUP), "last_owner"),
    "the last owner is lowered": (nothing, grant(ANA, 40, GROUP, mode="set_exactly"), "last_owner"),
    "the last owner is to end": (
        nothing, grant(ANA, 50, GROUP, mode="set_exactly", expires_at="2027-01-31"), "last_owner",
    ),
    "inherited": (nothing, revoke(ANA, 50), "inherited_access"),
    "an administrator": (nothing, revoke(ROOT, 50), "implied_access"),
    "the holder of the namespace": (personal, revoke(ANA, 50), "implied_access"),
    "another level than expected": (nothing, revoke(BEN, 40), "grant_changed"),
    "nobody there": (nothing, revoke(20, 30), "grant_changed"),
    "less than inherited": (nothing, grant(BEN, 10, mode="set_exactly"), "below_inherited_level"),
    "over today": (nothing, grant(BEN, 40, expires_at="2026-09-21"), "expires_in_past"),
    "no such account": (nothing, grant(777, 30), "user_not_found"),
    "a token that may not": (lambda hub: hub.gitlabs.set(scopes=("read_api",)), grant(BEN, 40), "token_scope"),
    "too low a role": (without_the_hubs_user, grant(BEN, 30, GROUP), "not_owner"),
    "more than the token's user has": (without_the_hubs_user, grant(BEN, 50), "not_owner"),
    "a locked group": (locked, grant(20, 30), "membership_lock"),
    "made by LDAP": (by_ldap, revoke(BEN, 20, TEAM_GROUP), "ldap_managed"),
    "LDAP would remove it": (linked_to_ldap, grant(20, 30, TEAM_GROUP), "ldap_managed"),
    "LDAP lets nobody be removed": (linked_to_ldap, revoke(BEN, 20, TEAM_GROUP), "ldap_managed"),
    "kept by SAML": (by_saml, revoke(BEN, 20, TEAM_GROUP), "saml_managed"),
    "waits for approval": (awaiting, grant(BEN, 30, TEAM_GROUP), "queued_for_approval"),
    "a suspect sync": (lambda hub: hub.synced("int_0a1b", status=RunStatus.SUSPECT), grant(BEN, 40), "stale_data"),
    "a sync of the day before": (lambda hub: hub.synced("int_0a1b", ago=86_401), grant(BEN, 40), "stale_data"),
    "not covered": (lambda hub: hub.access.delete("int_0a1b#projects", f"{SHOP:012d}"), grant(BEN, 40), "stale_data"),
    "gone": (lambda hub: hub.gitlab.places.pop(("projects", SHOP)), grant(BEN, 40), "stale_data"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_must_not_be_done_blocks_the_plan_and_writes_nothing(case: str) -> None:
    change, operation, code = CASES[case]
    hub = PlanHub()
    change(hub)
    plan = hub.plan(operation)
    [one] = plan["operations"]
    assert (plan["status"], one["refusals"]) == ("blocked", [code])
    assert one["explanations"][0]["hint"].endswith(".")
    assert hub.apply(plan)[1]["code"] == "plan_blocked"
    assert hub.apply(plan, "because")[1]["code"] == "plan_blocked"
    hub.later()
    assert hub.gitlab.writes == []


@pytest.mark.parametrize(
    ("operation", "calls"),
    [
        (grant(BEN, 30), 0),
        (grant(BEN, 20), 0),
        (grant(ANA, 40), 0),
        (grant(BEN, 30, mode="set_exactly"), 0),
        (grant(BEN, 30, mode="set_exactly", expires_at="2027-01-31"), 1),
        (grant(BEN, 30, expires_at="2027-01-31"), 0),
    ],
    ids=["same", "lower", "inherited", "exactly so", "other end", "a shorter end"],
)
def test_what_is_so_already_is_no_change(operation: dict[str, Any], calls: int) -> None:
    hub = PlanHub()
    done = hub.done(operation)
    [one] = done["operations"]
    assert (len(one["calls"]), done["status"], len(hub.gitlab.writes)) == (calls, "applied", calls)
    assert one["status"] == ("applied" if calls else "skipped")


def test_a_custom_role_stays_with_its_level_and_is_named_in_the_call() -> None:
    hub = PlanHub()
    hub.gitlab.members["projects", SHOP][BEN] = member(30, member_role={"id": 7, "name": "Builder"})
    hub.done(grant(BEN, 30, mode="set_exactly", expires_at="2027-01-31"))
    assert hub.gitlab.state()["projects", SHOP][BEN] == (30, "2027-01-31", 7)


def test_owners_are_added_first_and_removed_last_whatever_the_order_of_the_request() -> None:
    hub = PlanHub()
    done = hub.done(revoke(ANA, 50, GROUP), grant(BEN, 50, GROUP))
    assert [(method, path) for method, path, _ in hub.gitlab.writes] == [
        ("POST", f"/groups/{ACME}/members"),
        ("DELETE", f"/groups/{ACME}/members/{ANA}"),
    ]
    assert done["status"] == "applied"


def test_of_two_owners_in_one_plan_the_second_is_refused() -> None:
    hub = PlanHub()
    hub.gitlab.members["groups", ACME][BEN] = member(50)
    plan = hub.plan(revoke(ANA, 50, GROUP), revoke(BEN, 50, GROUP))
    assert [one["refusals"] for one in plan["operations"]] == [["blast_radius"], ["blast_radius", "last_owner"]]


def test_provisioning_is_off_unless_it_was_switched_on() -> None:
    hub = PlanHub()
    hub.gitlabs.set(provisioning=False)
    status, body = hub("POST", "", {"operations": [grant(BEN, 40)]}, who=ADMIN)
    assert (status, body["code"], body["details"]) == (409, "feature_disabled", {"feature": "provisioning"})


def test_a_plan_that_was_applied_stops_where_the_feature_is_switched_off() -> None:
    hub = PlanHub()
    plan = hub.plan(grant(BEN, 40))
    assert hub.apply(plan)[0] == 202
    hub.gitlabs.set(provisioning=False)
    hub.work()
    found = hub.read(plan["id"])
    assert (found["status"], found["operations"][0]["error"], hub.gitlab.writes) == (
        "partly_applied", "feature_disabled", [],
    )  # fmt: skip


def test_a_tenth_of_the_members_and_25_operations_may_change_in_a_day() -> None:
    hub, craft = PlanHub(), {"type": "project", "id": CRAFT}
    assert hub.plan(*(revoke(one, 30, craft) for one in (20, 21)))["status"] == "ready"
    assert hub.plan(*(revoke(one, 30, craft) for one in (20, 21, 22)))["status"] == "blocked"
    assert hub.plan(*(grant(one, 30, craft) for one in range(40, 60)))["status"] == "ready"
    everybody = [*(grant(one, 30, craft) for one in range(40, 60)), *(grant(one, 30) for one in range(40, 46))]
    assert hub.plan(*everybody)["status"] == "blocked"


def test_what_was_done_within_24_hours_counts_and_an_owner_goes_beyond_it_with_a_reason() -> None:
    hub, craft = PlanHub(), {"type": "project", "id": CRAFT}
    hub.done(*(revoke(one, 30, craft) for one in (20, 21)))
    plan = hub.plan(revoke(22, 30, craft))
    assert plan["operations"][0]["refusals"] == ["blast_radius"]
    assert hub.apply(plan)[0] == 403
    assert hub.apply(plan, who=ADMIN, reason="now")[0] == 403
    assert hub.apply(plan, "reorganisation")[0] == 202
    hub.work()
    assert hub.gitlab.level("projects", CRAFT, 22) == 0
    noted = [row["details"]["after"] for row in hub.audited("plan.apply")]
    assert [one["override"] for one in noted if "override" in one] == ["reorganisation"]
    hub.now += 86_401
    hub.synced("int_0a1b")
    assert hub.plan(revoke(23, 30, craft))["status"] == "ready"


@pytest.mark.parametrize("path", ["acme/team/shop/../../x", "..", "acme/./shop"])
def test_a_path_that_would_leave_its_place_names_nothing(path: str) -> None:
    operation = {"op": "grant", "account_id": BEN, "resource": {"type": "project", "full_path": path}}
    status, body = PlanHub()("POST", "", {"operations": [{**operation, "access_level": 40}]})
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize("op", ["invite", "update_invitation", "cancel_invitation"])
def test_an_address_with_a_slash_cannot_be_named_in_a_path_and_is_refused(op: str) -> None:
    level = {} if op == "cancel_invitation" else {"access_level": 30}
    operation = {"op": op, "email": "a/../b@example.com", "resource": {"type": "project", "id": SHOP}, **level}
    status, body = PlanHub()("POST", "", {"operations": [operation]})
    assert (status, body["code"]) == (422, "invalid_input")


def test_undo_is_free_for_a_day_and_counts_after_that_and_so_does_what_does_it_again() -> None:
    craft = {"type": "project", "id": 101}
    hub = PlanHub()
    many = hub.done(*(grant(account, 40, craft) for account in range(20, 30)), reason="new team")
    assert many["status"] == "applied"
    back = hub("POST", f"/{many['id']}/undo")[1]["plan"]
    assert back["status"] == "ready"
    assert hub.apply(back)[0] == 202
    hub.work()
    again = hub("POST", f"/{back['id']}/undo")[1]["plan"]
    assert {code for one in again["operations"] for code in one["refusals"]} == {"blast_radius"}
    assert hub.apply(again)[1]["code"] == "plan_blocked"
    assert hub.apply(again, "new team after all")[0] == 202
    hub.work()
    hub.now += 86_400
    hub.synced("int_0a1b")
    late = hub("POST", f"/{many['id']}/undo")[1]["plan"]
    assert {code for one in late["operations"] for code in one["refusals"]} == {"blast_radius"}
