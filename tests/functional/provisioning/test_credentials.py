"""Revoking tokens and keys: for good, never the hub's own, and only what the token's user may."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.access.credentials.store import CredentialStore
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.storage.rows import content_hash
from tests.functional.provisioning.plan_hub import (
    ACME,
    ANA,
    BEN,
    BOT,
    GROUP,
    HUB,
    INTEGRATION,
    PROJECT,
    SHOP,
    PlanHub,
    grant,
    member,
    revoke_credential,
)

PERSONAL = "personal_access_tokens/7"
OF_GROUP, OF_PROJECT = f"groups/{ACME}/access_tokens/8", f"projects/{SHOP}/access_tokens/9"
SSH, IMPERSONATION = f"users/{BEN}/keys/3", f"users/{BEN}/impersonation_tokens/10"
DEPLOY, KEY = f"groups/{ACME}/deploy_tokens/4", f"projects/{SHOP}/deploy_keys/5"
ROBOT = f"groups/{ACME}/service_accounts/30/personal_access_tokens/11"
OWN = "personal_access_tokens/self"


def token(number: int, user_id: int, **more: Any) -> dict[str, Any]:
    made = {"created_at": "2026-01-01T00:00:00Z", "expires_at": "2027-01-31", "revoked": False}
    return {"id": number, "name": f"t{number}", "user_id": user_id, **made, **more}


def hub_of(*, is_admin: bool = True) -> PlanHub:
    """A hub, by an administrator's token, in a company with one token or key of each kind."""
    hub = PlanHub()
    hub.gitlabs.set(is_admin=is_admin)
    robot = token(11, 30)
    hub.gitlab.credentials = {
        OWN: token(1, HUB), "personal_access_tokens/1": token(1, HUB), PERSONAL: token(7, BEN),
        "personal_access_tokens/11": robot, OF_GROUP: token(8, BOT), OF_PROJECT: token(9, BOT),
        ROBOT: robot, IMPERSONATION: token(10, BEN), DEPLOY: {"id": 4, "name": "ci", "revoked": False},
        KEY: {"id": 5, "title": "server"}, SSH: {"id": 3, "title": "laptop"},
    }  # fmt: skip
    return hub


def listed(hub: PlanHub, **fields: Any) -> Credential:
    """Have the inventory list a token or key."""
    credential = Credential(**fields)
    store = CredentialStore(hub.access, INTEGRATION)
    row = store.row(credential)
    store.rows.put("", [row], {row.key: content_hash(row.item)}, {})
    return credential


BOTS = "active → revoked, for good; its bot stays a member until GitLab deletes it"
KINDS: dict[str, tuple[dict[str, Any], str, str | None, str]] = {
    "personal": (revoke_credential("personal_token", 7, account_id=BEN), PERSONAL, "revoked",
                 "Ben Roth: personal token 7 (t7) active → revoked, for good"),
    "group": (revoke_credential("group_token", 8, resource=GROUP), OF_GROUP, "revoked",
              f"acme: group token 8 (t8) {BOTS}"),
    "project": (revoke_credential("project_token", 9, resource=PROJECT),
                OF_PROJECT, "revoked", f"acme/team/shop: project token 9 (t9) {BOTS}"),
    "service account": (revoke_credential("service_account_token", 11, resource=GROUP, account_id=30), ROBOT,
                        "revoked", "acme: service account token 11 (t11) active → revoked, for good"),
    "impersonation": (revoke_credential("impersonation_token", 10, account_id=BEN), IMPERSONATION, "revoked",
                      "Ben Roth: impersonation token 10 (t10) active → revoked, for good"),
    "deploy token": (revoke_credential("deploy_token", 4, resource=GROUP), DEPLOY, None,
                     "acme: deploy token 4 (ci) active → deleted, for good"),
    "deploy key": (revoke_credential("deploy_key", 5, resource=PROJECT), KEY, None,
                   "acme/team/shop: deploy key 5 (server) active → deleted, for good; other projects keep it"),
    "ssh key": (revoke_credential("ssh_key", 3, account_id=BEN), SSH, None,
                "Ben Roth: ssh key 3 (laptop) active → deleted, for good"),
}  # fmt: skip


@pytest.mark.parametrize("case", KINDS)
def test_each_kind_is_revoked_by_the_call_that_the_plan_shows(case: str) -> None:
    operation, path, after, sentence = KINDS[case]
    hub = hub_of()
    plan = hub.plan(operation)
    [one] = plan["operations"]
    assert (one["sentence"], one["credential"]) == (sentence, {"kind": operation["kind"], "id": operation["id"]})
    assert (one["before"], one["after"]) == ({"status": "active"}, after and {"status": after})
    assert one["calls"] == [{"method": "DELETE", "path": f"/{path}", "body": None}]
    assert hub.apply(plan)[0] == 202
    hub.work()
    assert [one["status"] for one in hub.read(plan["id"])["operations"]] == ["applied"]
    assert hub.gitlab.writes == [("DELETE", f"/{path}", None)]
    assert hub.gitlab.credentials.get(path, {}).get("revoked") is (True if after else None)
    # A second time there is nothing to do.
    done = hub.done(operation)
    assert (done["operations"][0]["status"], done["operations"][0]["error"], len(hub.gitlab.writes)) == (
        "skipped", None, 1,
    )  # fmt: skip


def own_key(hub: PlanHub) -> None:
    hub.gitlab.credentials[f"users/{HUB}/keys/3"] = {"id": 3, "title": "hub"}


def nothing(_hub: PlanHub) -> None:
    """Leave everything as it is."""


def own_unknown(hub: PlanHub) -> None:
    del hub.gitlab.credentials[OWN]


def others(hub: PlanHub) -> None:
    hub.other_users = frozenset({BEN})


def no_admin(hub: PlanHub) -> None:
    hub.gitlabs.set(is_admin=False)


def maintainer(hub: PlanHub) -> None:
    no_admin(hub)
    hub.gitlab.members["groups", ACME][HUB] = member(40)


def rotated(hub: PlanHub) -> None:
    hub.gitlab.credentials[PERSONAL]["revoked"] = True
    hub.gitlab.credentials["personal_access_tokens/70"] = token(70, BEN, name="t7", created_at="2026-06-01T00:00:00Z")


REFUSED: dict[str, tuple[Callable[[PlanHub], object], dict[str, Any], str]] = {
    "the hub's own token": (nothing, revoke_credential("personal_token", 1, account_id=HUB), "self_target"),
    "any of its user's where its own is not known": (
        own_unknown, revoke_credential("personal_token", 1, account_id=HUB), "self_target"),
    "a key of its user": (own_key, revoke_credential("ssh_key", 3, account_id=HUB), "self_target"),
    "one of another integration's user": (others, KINDS["personal"][0], "self_target"),
    "a key of another integration's user": (others, KINDS["ssh key"][0], "self_target"),
    "a personal token of somebody else": (no_admin, KINDS["personal"][0], "not_owner"),
    "a key of somebody else": (no_admin, KINDS["ssh key"][0], "not_owner"),
    "an impersonation token": (no_admin, KINDS["impersonation"][0], "not_owner"),
    "a token of a group whose Maintainer it is": (maintainer, KINDS["group"][0], "not_owner"),
    "a deploy token of a group whose Maintainer it is": (maintainer, KINDS["deploy token"][0], "not_owner"),
    "a service account of nobody knows what": (
        no_admin, revoke_credential("service_account_token", 11, account_id=30), "not_supported_here"),
    "a token that may not write": (
        lambda hub: hub.gitlabs.set(scopes=("read_api",)), KINDS["deploy key"][0], "token_scope"),
    "one that was rotated": (rotated, KINDS["personal"][0], "grant_changed"),
    "another account's": (nothing, revoke_credential("personal_token", 7, account_id=ANA), "grant_changed"),
    "a place that is not covered": (
        lambda hub: hub.access.delete("int_0a1b#projects", f"{SHOP:012d}"), KINDS["project"][0], "stale_data"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_not_be_revoked_blocks_the_plan_and_writes_nothing(case: str) -> None:
    change, operation, code = REFUSED[case]
    hub = hub_of()
    change(hub)
    plan = hub.plan(operation)
    [one] = plan["operations"]
    assert (plan["status"], one["refusals"], len(one["explanations"])) == ("blocked", [code], 1), one
    assert hub.apply(plan, "because")[1]["code"] == "plan_blocked"
    hub.later()
    assert hub.gitlab.writes == []


def test_a_maintainer_revokes_what_projects_have_and_an_owner_what_groups_have() -> None:
    for change, cases in ((maintainer, ("project", "deploy key")), (no_admin, ("group", "deploy token", "project"))):
        hub = hub_of()
        change(hub)
        assert hub.plan(*(KINDS[case][0] for case in cases))["status"] == "ready"
    hub = hub_of(is_admin=False)
    assert hub.plan(KINDS["service account"][0])["operations"][0]["calls"][0]["path"] == f"/{ROBOT}"


@pytest.mark.parametrize("row", [{"revoked": True}, {"expires_at": "2026-09-21"}, None])
def test_what_is_over_already_is_nothing_to_do(row: dict[str, Any] | None) -> None:
    hub = hub_of()
    if row is None:
        del hub.gitlab.credentials[PERSONAL]
    else:
        hub.gitlab.credentials[PERSONAL] |= row
    done = hub.done(KINDS["personal"][0])
    assert (done["status"], done["operations"][0]["status"], hub.gitlab.writes) == ("applied", "skipped", [])
    assert done["operations"][0]["sentence"].endswith("nothing to do")


def test_one_that_is_rotated_after_the_plan_was_applied_is_left_and_said_so() -> None:
    hub = hub_of()
    plan = hub.plan(KINDS["personal"][0])
    hub.apply(plan)
    rotated(hub)
    hub.work()
    [one] = hub.read(plan["id"])["operations"]
    assert (one["status"], one["error"], hub.gitlab.writes) == ("skipped", "grant_changed", [])


def test_rights_that_are_lost_after_the_plan_was_applied_are_no_success() -> None:
    hub = hub_of()
    plan = hub.plan(KINDS["ssh key"][0])
    hub.apply(plan)
    no_admin(hub)
    hub.work()
    [one] = hub.read(plan["id"])["operations"]
    assert (one["status"], one["error"], hub.gitlab.writes) == ("skipped", "not_owner", [])


def test_nothing_brings_it_back_and_undo_says_which_it_leaves_out() -> None:
    hub = hub_of()
    done = hub.done(KINDS["personal"][0], grant(20, 30), KINDS["ssh key"][0])
    back = hub("POST", f"/{done['id']}/undo")[1]["plan"]
    assert [one["op"] for one in back["operations"]] == ["revoke"]
    assert back["note"] == f"Takes back {done['id']} without what is for good (operations 0, 2)"
    alone = hub.done(KINDS["group"][0])
    status, body = hub("POST", f"/{alone['id']}/undo")
    assert (status, body["code"], body["details"]) == (409, "plan_not_applied", {"left_out": [0]})


def test_the_inventory_says_whose_it_is_and_no_longer_shows_it_as_good() -> None:
    hub = hub_of()
    personal = listed(hub, kind=CredentialKind.PERSONAL_TOKEN, id=7, account_id=BEN)
    ssh = listed(hub, kind=CredentialKind.SSH_KEY, id=3, account_id=BEN)
    place: dict[str, Any] = {"resource_type": ResourceType.PROJECT, "resource_id": SHOP}
    listed(hub, kind=CredentialKind.PROJECT_TOKEN, id=9, account_id=BOT, **place)
    done = hub.done(*(revoke_credential(kind, number) for kind, number in (
        ("personal_token", 7), ("ssh_key", 3), ("project_token", 9))))  # fmt: skip
    assert done["status"] == "applied"
    store = CredentialStore(hub.access, INTEGRATION)
    assert [(one.kind, one.status(hub.now)) for one in store.all()] == [
        ("personal_token", "revoked"), ("project_token", "revoked"),
    ]  # fmt: skip
    assert store.get(ssh.key) is None
    row = hub.access.get(f"{INTEGRATION}#credentials", personal.key)
    assert row is not None
    found = store.get(personal.key)
    assert found is not None
    assert row["hash"] == content_hash(store.row(found).item)


@pytest.mark.parametrize(
    "operation",
    [
        revoke_credential("deploy_key", 5),
        revoke_credential("group_token", 8, resource=PROJECT),
        revoke_credential("ssh_key", 3, resource=GROUP),
        revoke_credential("password", 3),
        revoke_credential("ssh_key", 0),
    ],
)
def test_what_cannot_be_meant_is_told_of(operation: dict[str, Any]) -> None:
    status, body = hub_of()("POST", "", {"operations": [operation]})
    assert (status, body["code"]) == (422, "invalid_input"), body


def test_what_the_inventory_does_not_know_has_to_be_named() -> None:
    status, body = hub_of()("POST", "", {"operations": [revoke_credential("ssh_key", 99)]})
    assert (status, body["code"], "account_id" in body["error"]) == (404, "not_found", True), body


def test_an_answer_is_no_proof() -> None:
    hub = hub_of()
    hub.gitlab.instead_of_write = lambda: httpx.Response(204)
    done = hub.done(KINDS["personal"][0])
    assert (done["operations"][0]["status"], done["operations"][0]["error"]) == ("failed", "not_done")
