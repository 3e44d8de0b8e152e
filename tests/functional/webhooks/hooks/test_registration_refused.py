"""What stands in the way of a registration is named, and nothing of it stays."""

from typing import Any

import pytest

from tests.fakes.gitlab import answer, lacking
from tests.fakes.hooks import INTEGRATION
from tests.functional.webhooks.hooks_hub import GROUP, OTHER, PATH, PROJECT, SYSTEM, HooksHub


@pytest.mark.parametrize(
    ("body", "level", "code"),
    [(PROJECT, 30, "maintainer_required"), (GROUP, 40, "owner_required"), (SYSTEM, 50, "admin_required")],
)
def test_a_role_too_low_is_named_and_nothing_stays(body: Any, level: int, code: str) -> None:
    hub = HooksHub()
    hub.gitlab.level = level
    status, refused = hub("POST", PATH, body)
    assert (status, refused["code"]) == (403, code)
    assert hub.rows.dump() == []


def test_a_token_that_may_not_write_is_named() -> None:
    hub = HooksHub()
    hub.gitlab.can_write = False
    status, body = hub("POST", PATH, PROJECT)
    assert (status, body["code"], body["details"]) == (409, "scope_insufficient", {"missing_scopes": ["api"]})
    assert hub.rows.dump() == []


@pytest.mark.parametrize("body", [PROJECT, GROUP])
def test_a_permission_that_a_fine_grained_token_lacks_is_named(body: Any) -> None:
    hub = HooksHub()
    hub.gitlab.lacks = ("Webhook: Create",)
    status, refused = hub("POST", PATH, body)
    assert (status, refused["code"]) == (409, "scope_insufficient")
    assert refused["details"]["missing_permissions"] == ["Webhook: Create"]
    assert "Webhook: Create" in refused["error"]
    assert hub.rows.dump() == []


def test_a_group_whose_hooks_a_token_may_not_read_is_not_taken_for_one_without_hooks() -> None:
    hub = HooksHub()
    hub.gitlab.script["/groups/1/hooks"] = lacking("Webhook: Read", of="group")
    status, refused = hub("POST", PATH, GROUP)
    assert (status, refused["code"], refused["details"]["missing_permissions"]) == (
        409, "scope_insufficient", ["Webhook: Read"],
    )  # fmt: skip


@pytest.mark.parametrize("limit_status", [404, 422])
def test_a_full_project_is_named(limit_status: int) -> None:
    hub = HooksHub()
    hub.gitlab.limit_status = limit_status
    for _ in range(100):
        hub.gitlab.hang(3)
    status, body = hub("POST", PATH, PROJECT)
    assert (status, body["code"]) == (422, "hook_limit_reached")
    assert hub.rows.dump() == []


@pytest.mark.parametrize("body", [PROJECT, GROUP, SYSTEM])
def test_a_blocked_address_is_named(body: Any) -> None:
    hub = HooksHub()
    hub.gitlab.blocks_urls = True
    status, refused = hub("POST", PATH, body)
    assert (status, refused["code"]) == (422, "url_blocked_by_gitlab")
    assert hub.rows.dump() == []


def test_groups_without_hooks_are_told_from_users_without_the_role() -> None:
    hub = HooksHub()
    hub.gitlab.has_group_hooks = False
    status, body = hub("POST", PATH, GROUP)
    assert (status, body["code"], body["details"]) == (409, "group_hooks_unavailable", {"fallback": "project"})
    assert hub.rows.dump() == []


@pytest.mark.parametrize(("level", "code"), [(50, "group_hooks_unavailable"), (40, "owner_required")])
def test_a_403_of_a_group_depends_on_who_asks(level: int, code: str) -> None:
    hub = HooksHub()
    hub.gitlab.has_group_hooks, hub.gitlab.level = False, 40
    hub.gitlab.script["/groups/1/members/all/7"] = answer(body={"id": 7, "access_level": level})
    assert hub("POST", PATH, GROUP)[1]["code"] == code


@pytest.mark.parametrize(
    "target", [99, "acme/secret", "../users", "acme/p3/../p4", ".", "/", "a\\b", "ü/ß", "%2e%2e", "a?b#c", "x" * 1024]
)
def test_an_unknown_target_is_not_found(target: Any) -> None:
    hub = HooksHub()
    status, body = hub("POST", PATH, PROJECT | {"target": target})
    assert (status, body["code"]) == (404, "not_found")
    assert f"the project {target}"[:200] in body["error"]
    assert body["details"] == {"field": "body.target", "scope": "project", "target": str(target)[:200]}
    assert hub.rows.dump() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": []},
        {"events": ["issues"]},
        {"events": ["member"]},
        {"target": None},
        {"target": 0},
        {"target": ""},
        {"scope": "user"},
        {"mode": "other"},
        {"fallback": "project"},
        {"status": "active"},
        {"integration_id": OTHER},
        {"url": "https://evil.example.com"},
        {"secret_version": 2},
    ],
)
def test_what_no_hook_can_be_is_refused(wrong: dict[str, Any]) -> None:
    hub = HooksHub()
    status, body = hub("POST", PATH, PROJECT | wrong)
    assert (status, body["code"]) == (422, "invalid_input")
    assert (hub.gitlab.hooks, hub.rows.dump()) == ({}, [])


def test_an_integration_without_a_credential_is_told_so() -> None:
    hub = HooksHub()
    hub.without_credential.add(INTEGRATION)
    hub.gitlabs.connections.clear()
    assert hub("POST", PATH, PROJECT)[1]["code"] == "invalid_credentials"
