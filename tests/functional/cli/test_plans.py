"""Changing access from a terminal: shown first, applied after a yes, followed to its end, taken back."""

import json
from pathlib import Path

import httpx
import pytest

from tests.functional.api.api_hub import ApiHub
from tests.functional.cli.plan_line import NEW, PlanLine, with_company
from tests.functional.provisioning.plan_hub import BEN, SHOP

MEMBERS = ("projects", SHOP)


@pytest.fixture(scope="module")
def known() -> ApiHub:
    return with_company(ApiHub())


@pytest.fixture
def hub(known: ApiHub, tmp_path: Path) -> PlanLine:
    return PlanLine(known, tmp_path)


def test_a_plan_is_shown_with_before_and_after_and_its_calls_and_does_nothing(hub: PlanLine) -> None:
    shown = hub("plan", "grant", "ben", "acme/team/shop", "maintainer", "--expires", "2027-01-31", "--note", "OPS-1")
    plan = json.loads(hub("plan", "-o", "json").out)[0]
    assert (shown.code, shown.out.splitlines()) == (0, [
        f"Plan {plan['id']}: ready",
        "└── Ben Roth: Developer → Maintainer on acme/team/shop until 2027-01-31 [pending]",
        "    ├── before: Developer; after: Maintainer, expires 2027-01-31T00:00:00Z",
        f'    └── PUT /projects/{SHOP}/members/{BEN} {{"access_level": 40, "expires_at": "2027-01-31"}}',
        "1 operation: 1 to apply",
        f"hash {plan['hash']}",
    ])  # fmt: skip
    assert (f"hub apply {plan['id']}" in shown.err, plan["note"], hub.plans.gitlab.writes) == (True, "OPS-1", [])


def test_a_plan_is_applied_as_it_was_shown_and_taken_back(hub: PlanLine) -> None:
    before = hub.plans.gitlab.state()
    assert hub("plan", "grant", "dev20", "acme/team/shop", "developer").code == 0
    plan = json.loads(hub("plan", "-o", "json").out)[0]
    done = hub("apply", plan["id"], "--hash", plan["hash"], "--yes")
    assert (done.code, f"Plan {plan['id']}: applied" in done.out, "plan: applying" in done.err) == (0, True, True)
    assert hub.plans.gitlab.members[MEMBERS][NEW]["access_level"] == 30
    undone = hub("undo", plan["id"], "--apply", "--yes", "-o", "json")
    assert (undone.code, json.loads(undone.out)["status"], hub.plans.gitlab.state()) == (0, "applied", before)


def test_plan_and_apply_are_one_command_where_that_is_wanted(hub: PlanLine) -> None:
    done = hub("plan", "revoke", "ben", "acme/team/shop", "--apply", "--yes", "-o", "csv")
    assert (done.code, "Ben Roth: Developer → " in done.out) == (0, True)
    assert BEN not in hub.plans.gitlab.members[MEMBERS]


def test_nothing_is_applied_without_a_yes(hub: PlanLine) -> None:
    refused = hub("plan", "revoke", "ben", "acme/team/shop", "--apply", typed="y\n")
    assert (refused.code, "Add --yes" in refused.err, hub.plans.gitlab.writes) == (2, True, [])


def test_another_hash_than_the_plan_has_is_refused_before_anything_is_sent(hub: PlanLine) -> None:
    hub("plan", "revoke", "ben", "acme/team/shop")
    plan = json.loads(hub("plan", "-o", "json").out)[0]
    refused = hub("apply", plan["id"], "--hash", "0" * 64, "--yes")
    assert (refused.code, "another hash" in refused.err) == (2, True)
    assert [one.method for one in hub.network.requests if one.url.path.endswith("/apply")] == []


def test_a_plan_that_is_refused_wants_attention_and_says_why(hub: PlanLine) -> None:
    refused = hub("plan", "revoke", "ana", "acme", "--apply", "--yes")
    assert (refused.code, "refused, last_owner: " in refused.out, hub.plans.gitlab.writes) == (4, True, [])
    assert "hub apply" not in refused.err


def test_a_plan_that_gitlab_refuses_wants_attention(hub: PlanLine) -> None:
    hub("plan", "grant", "dev20", "acme/team/shop", "developer")
    plan = json.loads(hub("plan", "-o", "json").out)[0]
    hub.plans.gitlab.instead_of_write = lambda: httpx.Response(403, json={"message": "403 Forbidden"})
    failed = hub("apply", plan["id"], "--yes")
    assert (failed.code, "[failed]" in failed.out, "hub undo" in failed.err) == (4, True, False)


def test_what_changed_since_is_not_applied(hub: PlanLine) -> None:
    hub("plan", "revoke", "ben", "acme/team/shop")
    plan = json.loads(hub("plan", "-o", "json").out)[0]
    hub.plans.gitlab.members[MEMBERS][BEN]["access_level"] = 40
    refused = hub("apply", plan["id"], "--yes")
    assert (refused.code, "plan_drifted: " in refused.err, "make it anew" in refused.err) == (1, True, True)
    assert hub.plans.gitlab.writes == []


def test_offboarding_is_several_operations(hub: PlanLine) -> None:
    for one in hub.plans.gitlabs.known:
        hub.plans.gitlabs.set(one, is_admin=True)
    shown = hub("plan", "offboard", "@ben")
    assert shown.out.count("[pending]") >= 2
    assert "block" in shown.out


def test_access_for_an_hour_is_asked_for_approved_and_listed(hub: PlanLine) -> None:
    hub.limited(role="developer")
    asked = hub("requests", "ask", "dev20", "acme/team/shop", "maintainer", "--for", "1h", typed="OPS-7\n")
    assert (asked.code, "pending" in asked.out, "OPS-7" in asked.out) == (0, True, True)
    [request] = json.loads(hub("requests", "--status", "pending", "-o", "json").out)
    assert (request["minutes"], request["resource"]["full_path"], request["access_level"]) == (60, "acme/team/shop", 40)
    own = hub("requests", "approve", request["id"])
    assert (own.code, "self_approval: " in own.err or "permission_denied: " in own.err) == (1, True)
    hub.as_owner()
    assert "approved" in hub("requests", "approve", request["id"], "--comment", "fine").out
    hub.plans.work()
    assert hub.plans.gitlab.members[MEMBERS][NEW]["access_level"] == 40
    assert hub("requests", "end", request["id"]).code == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("plan grant ben acme/team/shop king", "There is no role “king”"),
        ("plan grant ben acme/team/shop owner --until soon", "“soon” is no time"),
        ("requests ask ben acme/team/shop owner --for 3x --reason x", "“3x” is no duration"),
        ("plan offboard nobody", "There is no account “nobody”"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(hub: PlanLine, command: str, words: str) -> None:
    refused = hub(*command.split())
    assert (refused.code, words in refused.err) == (2, True)
    assert [one.method for one in hub.network.requests if one.method != "GET"] == []
