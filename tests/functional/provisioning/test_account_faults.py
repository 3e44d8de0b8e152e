"""What goes wrong in between while accounts are changed: nothing is deleted, taken or told that should not be."""

from typing import Any

import httpx
import pytest

from gitlab_hub.access.changes.model import Change, ChangeKind
from gitlab_hub.access.changes.own_changes import OwnChangeReader
from tests.functional.provisioning.account_hub import EVE, account_hub, on, refused, states
from tests.functional.provisioning.plan_hub import ACME, BEN, HUB, INTEGRATION, SHOP
from tests.functional.provisioning.test_account_crashes import applied
from tests.functional.provisioning.test_crashes import recover, timed_out
from tests.functional.provisioning.test_offboarding import leaving, owned, written

NO = httpx.Response(403, json={"message": "no"})


def outcomes(plan: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["op"], one["status"], one["error"]) for one in plan["operations"]]


@pytest.mark.parametrize("failing", [f"/users/{BEN}/block", f"/projects/{SHOP}/members/{BEN}"])
def test_who_leaves_is_not_deleted_where_anything_before_that_was_not_done(failing: str) -> None:
    hub = account_hub()
    hub.gitlab.instead_of_write = lambda: NO if hub.gitlab.writes[-1][1] == failing else None
    plan = hub.done(leaving(BEN, delete=True), reason="leaver")
    assert plan["status"] == "partly_applied"
    assert outcomes(plan)[-1] == ("delete_account", "skipped", "held_back")
    assert "not deleted" in plan["operations"][-1]["hint"]
    assert ("DELETE", f"/users/{BEN}") not in written(hub)


def test_what_was_done_by_somebody_else_meanwhile_holds_no_deletion_back() -> None:
    hub = account_hub()
    plan = hub.plan(leaving(BEN, delete=True))
    assert hub.apply(plan, "leaver")[0] == 202
    del hub.gitlab.members["projects", SHOP][BEN]
    hub.work()
    assert [one[1] for one in outcomes(hub.read(plan["id"]))] == [*["applied"] * 4, "skipped", "applied"]


def test_the_deletion_of_one_account_is_not_held_back_by_another() -> None:
    hub = account_hub()
    hub.gitlab.instead_of_write = lambda: NO if hub.gitlab.writes[-1][1] == "/users/20/block" else None
    plan = hub.done(on("block", 20), on("delete_account", 21))
    assert [one[1] for one in outcomes(plan)] == ["failed", "applied"]


def test_undo_opens_no_account_whose_deletion_is_under_way() -> None:
    hub = account_hub()
    hub.gitlab.accounts.lasting = 1_000
    plan = hub.plan(leaving(BEN, delete=True), on("block", 20))
    assert hub.apply(plan, "leaver")[0] == 202
    for _ in range(14):
        hub.later()
    assert outcomes(hub.read(plan["id"]))[5] == ("delete_account", "accepted", None)
    back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
    assert [(one["op"], one["account_id"]) for one in back["operations"]] == [("unblock", 20)]
    assert "operations 0, 1, 2, 3, 4, 5" in back["note"]


def test_undo_blocks_nobody_who_has_taken_the_name_of_an_account_that_was_made() -> None:
    hub = account_hub()
    plan = hub.done(EVE)
    [made] = [row for row in hub.gitlab.users.values() if row["username"] == "eve"]
    made["username"] = "eva"
    hub.gitlab.users[20]["username"] = "eve"
    back = hub("POST", f"/{plan['id']}/undo")[1]["plan"]
    assert [one["refusals"] for one in back["operations"]] == [["user_not_found"]]
    hub.apply(back)
    hub.work()
    assert states(hub)["eve"] == "active"


def test_an_account_that_somebody_else_made_at_the_same_moment_is_not_taken_for_the_hubs() -> None:
    hub = account_hub()
    plan = hub.plan(EVE)

    def rival() -> httpx.Response:
        hub.gitlab.users[70] = {"id": 70, "username": "eve", "email": "eve@example.com", "name": "E", "state": "active"}
        return httpx.Response(409, json={"message": "Username has already been taken"})

    hub.gitlab.instead_of_write = rival
    assert hub.apply(plan)[0] == 202
    hub.work()
    assert outcomes(hub.read(plan["id"])) == [("create_account", "failed", "grant_changed")]
    assert hub("POST", f"/{plan['id']}/undo")[0] == 409


def test_an_account_whose_first_answer_came_too_late_is_the_hubs_own() -> None:
    hub, plan = applied(EVE)
    hub.gitlab.instead_of_write = timed_out
    hub.tick()

    def first_one_lands() -> None:
        hub.gitlab.instead_of_write = lambda: None
        hub.gitlab.accounts.write("POST", "users", {**EVE})

    hub.gitlab.instead_of_write = first_one_lands
    found = recover(hub, plan)
    assert outcomes(found) == [("create_account", "applied", None)]
    assert [row["username"] for row in hub.gitlab.users.values()].count("eve") == 1


def test_an_account_that_gitlab_hides_from_whoever_is_no_administrator_any_more_is_not_gone() -> None:
    hub, plan = applied(on("delete_account", 21))
    shown = hub.gitlab.users.pop(21)
    del hub.gitlab.users[HUB]["is_admin"]
    found = recover(hub, plan)
    hub.gitlab.users[21] = shown
    assert outcomes(found) == [("delete_account", "skipped", "out_of_sight")]
    assert hub.gitlab.writes == []


def test_a_group_that_is_out_of_sight_is_none_that_somebody_was_removed_from() -> None:
    hub = owned()
    plan = hub.plan(leaving(BEN))
    assert hub.apply(plan, "leaver")[0] == 202
    hub.gitlab.hidden.add(("groups", ACME))
    hub.work()
    assert outcomes(hub.read(plan["id"])) == [("offboard", "skipped", "out_of_sight")]


def test_the_user_of_another_integration_is_not_removed_from_a_whole_tree() -> None:
    hub = owned()
    hub.other_users = frozenset({BEN})
    assert refused(hub, leaving(BEN)) == [["self_target"]]


def test_what_administrators_act_as_somebody_with_ends_as_well() -> None:
    hub = account_hub()
    token = {"id": 73, "user_id": 21, "name": "support", "active": True, "revoked": False, "expires_at": None}
    hub.gitlab.credentials["users/21/impersonation_tokens/73"] = token
    plan = hub.done(leaving(21))
    assert outcomes(plan)[-1] == ("revoke_credential", "applied", None)
    assert written(hub)[-1] == ("DELETE", "/users/21/impersonation_tokens/73")
    assert token["revoked"] is True


@pytest.mark.parametrize("failing", [False, True])
def test_the_feed_tells_a_change_of_an_account_as_the_hubs_own_only_where_it_was_done(failing: bool) -> None:
    hub = account_hub()
    hub.gitlab.instead_of_write = lambda: NO if failing else None
    hub.done(EVE, on("block", 20), on("delete_account", 21))
    active = {"state": "active"}
    found = (
        Change(kind=ChangeKind.ACCOUNT_ADDED, account_id=70, after={**active, "username": "eve"}),
        Change(kind=ChangeKind.ACCOUNT_CHANGED, account_id=20, before=active, after={"state": "blocked"}),
        Change(kind=ChangeKind.ACCOUNT_REMOVED, account_id=21, before=active),
    )
    lines = [one.audit_id for one in OwnChangeReader(hub.access, INTEGRATION, hub.clock).attributed(found)]
    assert [line is None for line in lines] == [failing] * 3
    assert failing or len(set(lines)) == len(hub.audited("plan.operation")) == 3
