"""`/v1/audit-log` over the whole hub: what is done is in it, and everybody sees no more than their own."""

from typing import Any

import pytest

from gitlab_hub.audit.model import AuditAction
from gitlab_hub.web.openapi import document
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub

PATH = "/v1/audit-log"


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def entries(hub: ApiHub, **how: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    query = dict(how.pop("query", {}))
    for _ in range(30):
        status, body = hub("GET", PATH, query=query, **how)
        assert status == 200, body
        found += body["entries"]
        if body["next_cursor"] is None:
            return found
        query["cursor"] = body["next_cursor"]
    raise AssertionError("the list has no end")


def last(hub: ApiHub, action: str) -> dict[str, Any]:
    return entries(hub, query={"action": action})[0]


def test_hub_tokens_are_in_it(hub: ApiHub) -> None:
    _, made = hub("POST", "/v1/tokens", {"role": "viewer", "label": "ci"})
    hub("DELETE", f"/v1/tokens/{made['id']}")
    hub("DELETE", f"/v1/tokens/{made['id']}")
    created, revoked = last(hub, "token.create"), last(hub, "token.revoke")
    assert (created["target"], created["actor"], created["integration_id"]) == (made["id"], "t-owner", None)
    assert created["after"] == {
            "role": "viewer", "integration_ids": None, "label": "ci", "expires_at": None, "gitlab_accounts": [],
        }  # fmt: skip
    assert (revoked["target"], revoked["before"]["role"], revoked["after"]) == (made["id"], "viewer", None)
    assert len(entries(hub, query={"action": "token.revoke"})) == 1
    assert created["request_id"] == "req-1"
    secret = made["token"].rpartition("_")[2]
    assert secret not in repr(entries(hub))


def test_a_token_made_by_a_repeated_request_is_in_it_once(hub: ApiHub) -> None:
    for _ in range(2):
        hub("POST", "/v1/tokens", {"role": "viewer"}, headers={"idempotency-key": "k"})
    assert len(entries(hub, query={"action": "token.create"})) == 1


def test_hooks_are_in_it(hub: ApiHub) -> None:
    hook = f"/v1/integrations/{hub.own}/webhooks/{hub.ids['hook_id']}"
    for method, path in (("POST", f"{hook}/rotate"), ("POST", f"{hook}/repair"), ("DELETE", hook)):
        hub(method, path)
    for action in ("hook.create", "hook.rotate", "hook.repair", "hook.delete"):
        entry = last(hub, action)
        assert (entry["target"], entry["integration_id"]) == (hub.ids["hook_id"], hub.own)
    assert last(hub, "hook.create")["after"]["events"] == ["push"]
    assert last(hub, "hook.delete")["before"]["events"] == ["push"]


def test_what_is_refused_before_anything_is_done_is_not_in_it(hub: ApiHub) -> None:
    before = len(entries(hub))
    path = f"/v1/integrations/{hub.own}/webhooks"
    request = {"scope": "project", "target": 4, "events": ["push"], "mode": "auto"}
    assert hub("POST", path, request)[0] == 409, "the feature is off"
    assert hub("DELETE", f"{path}/hook_x")[0] == 404
    assert hub("POST", "/v1/tokens", {"role": "viewer", "expires_at": 1})[0] == 422
    assert len(entries(hub)) == before


def test_what_changes_at_an_integration_or_a_trigger_is_told_with_the_values_before(hub: ApiHub) -> None:
    hub("PATCH", f"/v1/integrations/{hub.own}", {"paused": True, "display_name": "New"})
    changed = last(hub, "integration.change")
    assert changed["before"]["paused"] is False
    assert changed["after"] == {"paused": True, "display_name": "New"}
    hub("PATCH", f"/v1/triggers/{hub.ids['trigger_id']}", {"enabled": False})
    changed = last(hub, "trigger.change")
    assert changed["target"] == hub.ids["trigger_id"]
    assert (changed["before"], changed["after"]) == ({"enabled": True}, {"enabled": False})


def test_a_limited_token_sees_its_own_integrations_alone(hub: ApiHub) -> None:
    hub("POST", "/v1/tokens", {"role": "viewer"})
    limited = Principal("t-limited", Role.VIEWER, frozenset({hub.own}))
    seen = entries(hub, principal=limited)
    assert {entry["integration_id"] for entry in seen} == {hub.own}
    assert {entry["integration_id"] for entry in entries(hub)} == {hub.own, hub.other, None}
    for other in (hub.other, "int_unknown"):
        status, body = hub("GET", PATH, query={"integration_id": other}, principal=limited)
        assert (status, body["code"]) == (404, "not_found")


def test_what_was_done_to_an_integration_outlives_it(hub: ApiHub) -> None:
    hub("DELETE", f"/v1/integrations/{hub.other}", query={"force": "true"})
    found = entries(hub, query={"integration_id": hub.other})
    assert {entry["action"] for entry in found} >= {"integration.connect", "integration.remove"}


def test_a_misspelt_action_is_refused_with_those_there_are(hub: ApiHub) -> None:
    status, body = hub("GET", PATH, query={"action": "hook.created"})
    assert status == 422
    actions = {action.value for action in AuditAction}
    assert set(body["details"]["allowed"]) == actions
    assert set(document(hub.routes)["components"]["schemas"]["AuditAction"]["enum"]) == actions


def test_a_caller_learns_who_it_is(hub: ApiHub) -> None:
    ends = 1_800_000_000
    _, made = hub(
        "POST", "/v1/tokens", {"role": "admin", "label": "ci", "integration_ids": [hub.own], "expires_at": ends}
    )
    caller = Principal(made["id"], Role.ADMIN, frozenset({hub.own}))
    assert hub("GET", "/v1/whoami", principal=caller) == (
        200,
        {"token_id": made["id"], "name": "ci", "role": "admin", "integration_ids": [hub.own], "expires_at": ends},
    )
    owner = {"token_id": "t-owner", "name": None, "role": "owner", "integration_ids": None, "expires_at": None}
    assert hub("GET", "/v1/whoami") == (200, owner)
    assert hub("GET", "/v1/whoami", principal=None)[0] == 401
