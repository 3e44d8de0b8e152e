"""Inviting groups into groups and projects, and ending that."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.provisioning.plan_hub import (
    ACME,
    BEN,
    GROUP,
    GUESTS,
    HUB,
    SHOP,
    TEAM,
    PlanHub,
    member,
    share,
    unshare,
)

TEAM_GROUP = {"type": "group", "id": TEAM}


def row(level: int = 30, **more: Any) -> dict[int, dict[str, Any]]:
    one = {"group_id": GUESTS, "group_access_level": level, "expires_at": None, "member_role_id": None}
    return {GUESTS: one | more}


def with_share(hub: PlanHub, kind: str = "projects", place: int = SHOP, **more: Any) -> None:
    hub.gitlab.shares[kind, place] = row(**more)


def test_a_group_is_invited_as_the_plan_showed_and_undo_ends_it() -> None:
    hub = PlanHub()
    plan = hub.plan(share(GUESTS, 30, expires_at="2027-01-31"))
    [one] = plan["operations"]
    assert one["sentence"] == "group guests: no access → Developer on acme/team/shop until 2027-01-31"
    body = {"group_id": GUESTS, "group_access": 30, "expires_at": "2027-01-31"}
    assert one["calls"] == [{"method": "POST", "path": f"/projects/{SHOP}/share", "body": body}]
    assert (one["account_id"], one["group_id"], one["before"]) == (None, GUESTS, None)
    done = hub.done(share(GUESTS, 30, expires_at="2027-01-31"))
    assert (done["status"], hub.gitlab.invited()) == (
        "applied",
        {("projects", SHOP): {GUESTS: (30, "2027-01-31", None)}},
    )
    back = hub("POST", f"/{done['id']}/undo")[1]["plan"]
    assert hub.apply(back)[0] == 202
    hub.work()
    assert (hub.gitlab.invited(), len(hub.gitlab.writes)) == ({}, 2)


def test_a_share_is_ended_and_undo_brings_it_back_with_its_end_and_its_role() -> None:
    hub = PlanHub()
    hub.gitlab.members["groups", ACME][HUB] = member(50)
    with_share(hub, "groups", TEAM, expires_at="2027-01-31", member_role_id=7)
    before = hub.gitlab.invited()
    done = hub.done(unshare(GUESTS, TEAM_GROUP, access_level=30), reason="two of three")
    assert (done["status"], hub.gitlab.invited()) == ("applied", {})
    back = hub("POST", f"/{done['id']}/undo")[1]["plan"]
    assert hub.apply(back)[0] == 202
    hub.work()
    assert hub.gitlab.invited() == before


def test_what_is_shared_so_already_is_no_change() -> None:
    hub = PlanHub()
    with_share(hub)
    done = hub.done(share(GUESTS, 30))
    assert (done["operations"][0]["status"], done["status"], hub.gitlab.writes) == ("skipped", "applied", [])


def test_whoever_is_in_the_group_counts_as_changed_when_the_share_ends() -> None:
    hub = PlanHub()
    with_share(hub)
    hub.gitlab.members["groups", GUESTS] |= {number: member(10) for number in range(42, 50)}
    plan = hub.plan(unshare(GUESTS))
    assert (plan["status"], plan["operations"][0]["refusals"]) == ("blocked", ["blast_radius"])
    assert hub.apply(plan)[0] == 403
    assert hub.apply(plan, "they have left")[0] == 202
    hub.work()
    assert hub.gitlab.invited() == {}


@pytest.mark.parametrize(
    ("resource", "place", "counted"),
    [({"type": "project", "id": SHOP}, ("projects", SHOP), {HUB, 41, BEN}), (GROUP, ("groups", ACME), {HUB, 41})],
    ids=["a project reaches all", "a group reaches direct members"],
)
def test_those_count_whom_a_share_reaches(resource: dict[str, Any], place: tuple[str, int], counted: set[int]) -> None:
    hub = PlanHub()
    hub.gitlab.places["groups", GUESTS]["parent_id"] = above = 13
    hub.gitlab.places["groups", above] = {"id": above, "full_path": "above", "parent_id": None}
    hub.gitlab.members["groups", above] = {BEN: member(30)}
    with_share(hub, *place)
    hub.done(unshare(GUESTS, resource), reason="they have left")
    [spent], _ = hub.feature().ledger.spent("https://gitlab.example/gitlab")
    assert [set(accounts) for accounts in spent.members.values()] == [counted]


def test_a_plan_may_invite_two_groups_and_names_each_once() -> None:
    hub = PlanHub()
    hub.gitlab.places["groups", 13] = {"id": 13, "full_path": "others", "parent_id": None}
    hub.gitlab.members["groups", 13] = {HUB: member(10)}
    done = hub.done(share(GUESTS, 30), share(13, 20))
    assert (done["status"], {*hub.gitlab.invited()["projects", SHOP]}) == ("applied", {GUESTS, 13})
    status, body = hub("POST", "", {"operations": [share(GUESTS, 30), unshare(GUESTS)]})
    assert (status, body["details"]["fields"][0]["field"]) == (422, "body.operations.1")


def test_a_share_is_written_down_and_known_to_the_change_feed() -> None:
    hub = PlanHub()
    hub.done(share(GUESTS, 30))
    [own] = [found for found in hub.access.dump() if found["pk"].endswith("#own_changes")]
    assert (own["sk"].split("#")[-2], own["level"]) == ("group", 30)
    assert [line["details"]["after"]["status"] for line in hub.audited("plan.outcome")] == ["applied"]
    assert [message["hint"]["project_id"] for message in hub.hints.bodies] == [SHOP]


def only_by_the_guests(hub: PlanHub) -> None:
    with_share(hub, level=40)
    hub.gitlab.members["groups", ACME][HUB] = member(20)
    hub.gitlab.effective = {("projects", SHOP): {HUB: 40}}


def locked(hub: PlanHub) -> None:
    hub.gitlab.places["groups", TEAM]["share_with_group_lock"] = True


def kept_inside(hub: PlanHub) -> None:
    hub.gitlab.places["groups", ACME]["prevent_sharing_groups_outside_hierarchy"] = True


def lowered(hub: PlanHub) -> None:
    hub.gitlab.members["groups", ACME][HUB] = member(40)


def not_in_the_guests(hub: PlanHub) -> None:
    del hub.gitlab.members["groups", GUESTS][HUB]


def by_ldap(hub: PlanHub) -> None:
    hub.gitlab.places["groups", TEAM]["ldap_group_links"] = [{"cn": "devs", "group_access": 30}]


CASES: dict[str, tuple[Callable[[PlanHub], object], dict[str, Any], str]] = {
    "no such group": (lambda _: None, share(999, 30), "user_not_found"),
    "the group it lies in": (lambda _: None, share(ACME, 30), "inherited_access"),
    "with itself": (lambda _: None, share(TEAM, 30, TEAM_GROUP), "inherited_access"),
    "another level": (with_share, share(GUESTS, 20), "grant_changed"),
    "another end": (with_share, share(GUESTS, 30, expires_at="2027-01-31"), "grant_changed"),
    "not shared": (lambda _: None, unshare(GUESTS), "grant_changed"),
    "another level than expected": (with_share, unshare(GUESTS, access_level=40), "grant_changed"),
    "over today": (lambda _: None, share(GUESTS, 30, expires_at="2026-09-21"), "expires_in_past"),
    "a lock": (locked, share(GUESTS, 30), "membership_lock"),
    "a tree that keeps to itself": (kept_inside, share(GUESTS, 30, GROUP), "membership_lock"),
    "no owner of the group": (lowered, share(GUESTS, 30, GROUP), "not_owner"),
    "more than the token's user has": (lowered, share(GUESTS, 50), "not_owner"),
    "the token's user is not in the group": (not_in_the_guests, share(GUESTS, 30), "not_owner"),
    "filled by LDAP": (by_ldap, share(GUESTS, 30, TEAM_GROUP), "ldap_managed"),
    "the hub's own way in": (only_by_the_guests, unshare(GUESTS), "self_target"),
    "a token that may not": (lambda hub: hub.gitlabs.set(scopes=("read_api",)), share(GUESTS, 30), "token_scope"),
    "not covered": (lambda hub: hub.access.delete("int_0a1b#projects", f"{SHOP:012d}"), share(GUESTS, 30),
                    "stale_data"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_must_not_be_done_blocks_the_plan_and_writes_nothing(case: str) -> None:
    change, operation, code = CASES[case]
    hub = PlanHub()
    change(hub)
    plan = hub.plan(operation)
    refusals = [one for one in plan["operations"][0]["refusals"] if one != "blast_radius"]
    assert (plan["status"], refusals) == ("blocked", [code])
    assert hub.apply(plan, "because")[1]["code"] == "plan_blocked"
    hub.later()
    assert hub.gitlab.writes == []
