"""Somebody leaves: what they have ends in the right order, and is given back by its own steps."""

from contextlib import suppress
from typing import Any

import pytest

from tests.fakes.faults import Crash
from tests.functional.provisioning.account_hub import account_hub, on, refused, states
from tests.functional.provisioning.plan_hub import (
    ACME,
    ANA,
    BEN,
    BOT,
    CRAFT,
    HUB,
    INTEGRATION,
    SHOP,
    TEAM,
    PlanHub,
    grant,
    member,
    revoke,
)
from tests.functional.provisioning.test_crashes import recover

BEN_LEAVES = [
    ("POST", f"/users/{BEN}/block"),
    ("DELETE", f"/groups/{ACME}/members/{BEN}"),
    ("DELETE", f"/groups/{TEAM}/members/{BEN}"),
    ("DELETE", f"/groups/12/members/{BEN}"),
    ("DELETE", f"/projects/{SHOP}/members/{BEN}"),
]
DELETED = ("DELETE", f"/users/{BEN}")


def leaving(account: int, *, delete: bool = False) -> dict[str, Any]:
    return on("offboard", account) | ({"delete": True} if delete else {})


def written(hub: PlanHub) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in hub.gitlab.writes]


def owned() -> PlanHub:
    """A hub with an Owner's token, limited to Acme."""
    hub = account_hub()
    hub.gitlabs.set(INTEGRATION, is_admin=False, group="acme")
    for place in [key for key in hub.gitlab.members if key[1] == 12]:
        del hub.gitlab.members[place]
    return hub


@pytest.mark.parametrize("delete", [False, True])
def test_an_account_is_blocked_first_then_memberships_end_and_it_is_deleted_only_if_asked_for(delete: bool) -> None:
    hub = account_hub()
    plan = hub.done(leaving(BEN, delete=delete), reason="leaver")
    assert plan["status"] == "applied"
    ops = [one["op"] for one in plan["operations"]]
    assert ops == ["block", *["revoke"] * 4, *["delete_account"] * delete]
    assert written(hub) == [*BEN_LEAVES, *[DELETED] * delete]
    assert (BEN in hub.gitlab.users) is not delete
    assert not any(BEN in rows for rows in hub.gitlab.members.values())


def test_undo_gives_back_the_memberships_and_lets_the_account_in_again() -> None:
    hub = account_hub()
    # As GitLab lets them be given: nowhere below has less.
    hub.gitlab.members["groups", TEAM][BEN] = hub.gitlab.members["projects", SHOP][BEN] = member(50)
    was = hub.gitlab.state(), states(hub)
    plan = hub.done(leaving(BEN), reason="leaver")
    back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
    assert hub.apply(back)[0] == 202, back
    hub.work()
    assert (hub.read(back["id"])["status"], hub.gitlab.state(), states(hub)) == ("applied", *was)


def test_who_leaves_as_the_last_owner_is_refused_in_every_step_that_would_make_it_so() -> None:
    hub = account_hub()
    hub.gitlab.members["groups", ACME][BEN] = member(40)
    found = refused(hub, leaving(ANA))
    assert found == [["last_owner"], ["last_owner"]]


@pytest.mark.parametrize(("account", "code"), [(HUB, "self_target"), (BOT, "bot_member"), (999, "user_not_found")])
def test_who_is_not_offboarded(account: int, code: str) -> None:
    assert code in refused(account_hub(), leaving(account))[0]


def test_who_cannot_sign_in_already_is_not_blocked_again() -> None:
    hub = account_hub()
    hub.gitlab.users[21]["state"] = "ldap_blocked"
    assert [one["op"] for one in hub.done(leaving(21))["operations"]] == ["revoke"]


def test_tokens_and_keys_end_after_the_memberships_and_before_the_account() -> None:
    hub = account_hub()
    token = {"id": 71, "user_id": 21, "name": "deploy", "active": True, "revoked": False, "expires_at": None}
    hub.gitlab.credentials["personal_access_tokens/71"] = token
    hub.gitlab.credentials["personal_access_tokens/72"] = {**token, "id": 72, "user_id": 22}
    hub.gitlab.credentials["users/21/keys/5"] = {"id": 5, "title": "laptop", "expires_at": None}
    plan = hub.done(leaving(21, delete=True))
    assert [one["status"] for one in plan["operations"]] == ["applied"] * 5, plan
    assert [path for _, path in written(hub)] == [
        "/users/21/block", f"/projects/{CRAFT}/members/21", "/personal_access_tokens/71", "/users/21/keys/5",
        "/users/21",
    ]  # fmt: skip


def test_who_has_nothing_is_blocked_and_that_is_all() -> None:
    hub = account_hub()
    assert [one["status"] for one in hub.done(leaving(55))["operations"]] == ["applied"]
    assert written(hub) == [("POST", "/users/55/block")]


def test_a_request_for_access_and_a_project_of_their_own_are_left() -> None:
    hub = account_hub()
    own = {"id": 200, "path_with_namespace": "dev55/x", "namespace": {"kind": "user", "id": 900}, "owner": {"id": 55}}
    hub.gitlab.places["projects", 200] = own
    hub.gitlab.members["projects", 200] = {55: member(50)}
    hub.synced(INTEGRATION)
    assert [one["op"] for one in hub.done(leaving(55))["operations"]] == ["block"]


def test_more_memberships_than_a_plan_holds_are_refused_with_what_to_do() -> None:
    hub = account_hub()
    for number in range(300, 399):
        hub.gitlab.members["projects", number] = {55: member(30)}
    status, body = hub("POST", "", {"operations": [leaving(55)]})
    assert (status, body["code"], body["details"]["account_id"]) == (422, "too_many_operations", 55)
    assert "Block the account" in body["error"]


def test_the_same_is_done_once_and_what_contradicts_it_is_refused() -> None:
    hub = account_hub()
    plan = hub.plan(leaving(20), revoke(20, None, {"type": "project", "id": CRAFT}))
    assert sorted(one["op"] for one in plan["operations"]) == ["block", "revoke"]
    status, body = hub("POST", "", {"operations": [leaving(20), grant(20, 40, {"type": "project", "id": CRAFT})]})
    assert (status, body["code"]) == (400, "invalid_input")


@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_worker_that_dies_at_a_write_leaves_an_offboarding_that_the_next_one_finishes(lost: bool) -> None:
    for write in range(1, 7):
        hub = account_hub()
        plan = hub.plan(leaving(BEN, delete=True))
        assert hub.apply(plan, "leaver")[0] == 202
        hub.provisioner.started = 0
        writes: list[str] = []

        def step(method: str, path: str, writes: list[str] = writes, write: int = write) -> None:
            writes.extend([path] if method != "GET" else [])
            if method != "GET" and len(writes) == write and not lost:
                raise Crash

        def after(writes: list[str] = writes, write: int = write) -> None:
            if len(writes) == write and lost:
                raise Crash

        hub.gitlab.step, hub.gitlab.after_write = step, after
        with suppress(Crash):
            hub.tick()
        hub.gitlab.step, hub.gitlab.after_write = (lambda _method, _path: None), (lambda: None)
        assert recover(hub, plan)["status"] == "applied", write
        assert written(hub) == [*BEN_LEAVES, DELETED], write


def test_an_owner_removes_a_person_from_the_whole_tree_with_their_invitation() -> None:
    hub = owned()
    hub.gitlab.users[BEN]["public_email"] = "ben@example.com"
    hub.gitlab.invitations["groups", ACME] = {
        "ben@example.com": {"invite_email": "ben@example.com", "access_level": 30, "expires_at": None}
    }
    plan = hub.done(leaving(BEN), reason="leaver")
    first, second = plan["operations"]
    assert first["sentence"] == (
        "Ben Roth: Owner → no access on acme and everything in it (3 direct: groups 10, groups 11, projects 100), "
        "to be given anew one by one only"
    )
    assert (first["status"], second["op"], second["status"]) == ("applied", "cancel_invitation", "applied")
    assert written(hub) == [
        ("DELETE", f"/groups/{ACME}/billable_members/{BEN}"),
        ("DELETE", f"/groups/{ACME}/invitations/ben@example.com"),
    ]
    assert not any(BEN in rows for rows in hub.gitlab.members.values())


@pytest.mark.parametrize(
    ("connection", "more", "code"),
    [
        ({"group": None}, {}, "token_scope"),
        ({"group": None, "base_url": "https://gitlab.com"}, {}, "not_supported_here"),
        ({}, {"delete": True}, "token_scope"),
        ({"group": "nowhere/team"}, {}, "token_scope"),
    ],
)
def test_what_an_owners_token_cannot_do(connection: dict[str, Any], more: dict[str, Any], code: str) -> None:
    hub = owned()
    hub.gitlabs.set(INTEGRATION, **connection)
    [one] = hub.plan(leaving(BEN) | more)["operations"]
    assert code in one["refusals"], one


def test_an_owner_removes_neither_the_last_one_nor_where_somebody_else_owns() -> None:
    hub = owned()
    hub.gitlab.members["groups", ACME][BEN] = member(40)
    assert refused(hub, leaving(ANA)) == [["last_owner"]]
    hub.gitlab.members["groups", ACME][HUB] = member(40)
    [codes] = refused(hub, leaving(BEN))
    assert codes == ["not_owner"]


def test_memberships_that_a_directory_keeps_are_refused() -> None:
    hub = owned()
    hub.gitlab.saml_links.add(ACME)
    assert refused(hub, leaving(BEN)) == [["saml_managed"]]
