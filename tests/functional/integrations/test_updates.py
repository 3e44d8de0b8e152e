"""Patching an integration, asking for syncs, and listing repositories."""

from typing import Any

import httpx
import pytest

from gitlab_hub.errors import Conflict
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.gitlab import HOST, answer, html, project
from tests.functional.integrations.integrations_hub import IntegrationsHub


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def one(hub: IntegrationsHub) -> str:
    return hub.start()


def test_a_patch_changes_what_it_names(hub: IntegrationsHub, one: str) -> None:
    hub.now += 5
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"display_name": "New", "paused": True})
    shown = body["integration"]
    assert (status, shown["display_name"], shown["status"]) == (200, "New", "paused")
    assert shown["updated_at"] == shown["created_at"] + 5
    assert hub.scheduled() == []
    assert hub.targets.target(one) is None
    hub("PATCH", f"/v1/integrations/{one}", {"paused": False})
    assert (hub.integration(one)["status"], hub.integration(one)["display_name"]) == ("active", "New")


def test_a_group_is_verified_before_it_is_kept(hub: IntegrationsHub, one: str) -> None:
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"group": "acme/none"})
    assert (status, body["code"]) == (409, "group_not_found")
    assert hub.integration(one)["group"] is None
    hub("PATCH", f"/v1/integrations/{one}", {"group": "acme"})
    target = hub.targets.target(one)
    assert (hub.integration(one)["group"], target and target.group) == ("Acme", "Acme")
    hub("PATCH", f"/v1/integrations/{one}", {"display_name": "Same group"})
    assert hub.integration(one)["group"] == "Acme"
    hub("PATCH", f"/v1/integrations/{one}", {"group": None})
    assert hub.integration(one)["group"] is None


def test_a_group_that_is_connected_already_is_refused(hub: IntegrationsHub, one: str) -> None:
    two = hub.start(group="acme")
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"group": "acme"})
    assert (status, body["code"], body["details"]) == (409, "duplicate_integration", {"integration_id": two})
    limited = Principal("t-limited", Role.ADMIN, frozenset({one}))
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"group": "acme"}, principal=limited)
    assert (status, body["code"], two in str(body)) == (409, "duplicate_integration", False)
    hub("DELETE", f"/v1/integrations/{two}")
    assert hub("PATCH", f"/v1/integrations/{one}", {"group": "acme"})[0] == 200
    hub.start()


def test_a_feature_that_writes_needs_the_scope(hub: IntegrationsHub, one: str) -> None:
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"features": {"manage_webhooks": True}})
    assert (status, body["code"], body["details"]["missing_scopes"]) == (403, "invalid_permissions", ["api"])
    assert "the scope api," in body["error"]
    hub.gitlab.token["scopes"] = ["api"]
    assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"manage_webhooks": True}})[0] == 200
    assert hub.integration(one)["features"] == {
        "manage_webhooks": True, "report_statuses": False, "provisioning": False,
    }  # fmt: skip


def test_provisioning_can_be_switched_on_with_the_scope_and_off(hub: IntegrationsHub, one: str) -> None:
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"features": {"provisioning": True}})
    assert (status, body["code"], body["details"]["missing_scopes"]) == (403, "invalid_permissions", ["api"])
    hub.gitlab.token["scopes"] = ["api"]
    for wanted in (True, False):
        assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"provisioning": wanted}})[0] == 200
        assert hub.integration(one)["features"]["provisioning"] is wanted


@pytest.mark.parametrize("field", ["status", "id", "secret_version", "version", "credential_status", "host_url"])
def test_nothing_else_can_be_patched(hub: IntegrationsHub, one: str, field: str) -> None:
    before = hub.rows()
    status, body = hub("PATCH", f"/v1/integrations/{one}", {field: "x"})
    assert (status, body["code"], hub.rows()) == (422, "invalid_input", before)


def test_a_sync_is_asked_for(hub: IntegrationsHub, one: str) -> None:
    assert hub("POST", f"/v1/integrations/{one}/sync") == (202, {"sync_id": "sync-1"})
    assert hub("POST", f"/v1/integrations/{one}/sync", {"kinds": ["access"], "full": True})[0] == 202
    assert hub("POST", f"/v1/integrations/{one}/sync/accept", {"kind": "pipelines"}) == (202, {"sync_id": "sync-2"})
    assert hub("POST", f"/v1/integrations/{one}/sync/reject", {"kind": "access"}) == (202, {"sync_id": "sync-1"})
    assert hub.syncs.asked == [
        (one, ("access", "pipelines"), False), (one, ("access",), True), (one, ("accept pipelines", "t-owner"), False),
        (one, ("reject access", "t-owner"), False),
    ]  # fmt: skip
    assert hub("GET", f"/v1/integrations/{one}/sync")[1]["kinds"]["access"] == {"sync_id": None, "status": "idle"}


@pytest.mark.parametrize("body", [{"kinds": []}, {"kinds": ["builds"]}, {"kinds": "access"}, {"sync_id": "x"}])
def test_other_syncs_are_refused(hub: IntegrationsHub, one: str, body: dict[str, Any]) -> None:
    assert hub("POST", f"/v1/integrations/{one}/sync", body)[0] == 422
    assert hub.syncs.asked == []


def test_a_paused_integration_is_not_synced(hub: IntegrationsHub, one: str) -> None:
    hub("PATCH", f"/v1/integrations/{one}", {"paused": True})
    for path, body in (("sync", {}), ("sync/accept", {"kind": "access"}), ("sync/reject", {"kind": "access"})):
        status, refused = hub("POST", f"/v1/integrations/{one}/{path}", body)
        assert (status, refused["code"], hub.syncs.asked) == (409, "integration_paused", [])
    hub("PATCH", f"/v1/integrations/{one}", {"paused": False})
    assert hub("POST", f"/v1/integrations/{one}/sync")[0] == 202


def test_a_sync_in_progress_is_a_conflict(hub: IntegrationsHub, one: str) -> None:
    hub.syncs.error = Conflict("One is running.")
    assert hub("POST", f"/v1/integrations/{one}/sync")[0] == 409


def test_repositories_are_shown_as_gitlab_has_them(hub: IntegrationsHub, one: str) -> None:
    status, body = hub("GET", f"/v1/integrations/{one}/repositories")
    assert (status, body["next_cursor"]) == (200, None)
    assert body["repositories"][0] == {
        "id": 3,
        "external_id": "3",
        "full_name": "acme/p3",
        "default_branch": "main",
        "is_private": True,
        "visibility": "private",
        "archived": False,
        "web_url": f"{HOST}/acme/p3",
        "http_url_to_repo": f"{HOST}/acme/p3.git",
        "access_level": 40,
        "hook": None,
    }


@pytest.mark.parametrize(("permissions", "level"), [
    ({"project_access": None, "group_access": None}, None),
    ({"project_access": {"access_level": 50}, "group_access": None}, 50),
    (None, None),
])  # fmt: skip
def test_the_access_level_is_what_gitlab_grants(
    hub: IntegrationsHub, one: str, permissions: Any, level: int | None
) -> None:
    hub.gitlab.script["/projects"] = answer(200, [project(3, permissions=permissions)])
    _, body = hub("GET", f"/v1/integrations/{one}/repositories")
    assert body["repositories"][0]["access_level"] == level


def paged(request: httpx.Request) -> httpx.Response:
    """Ten projects, in pages."""
    page, size = int(request.url.params.get("page", "1")), int(request.url.params["per_page"])
    rows = [project(number) for number in range(1, 11)][(page - 1) * size : page * size]
    following = request.url.copy_set_param("page", page + 1)
    return answer(200, rows, **({"link": f'<{following}>; rel="next"'} if page * size < 10 else {}))


def test_repositories_come_in_pages_with_sealed_cursors(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.script["/projects"] = paged
    seen, cursor = list[int](), None
    while True:
        query = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        status, body = hub("GET", f"/v1/integrations/{one}/repositories", query=query)
        assert status == 200
        seen += [row["id"] for row in body["repositories"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == list(range(1, 11))


def test_a_cursor_belongs_to_its_list(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.script["/projects"] = paged
    _, body = hub("GET", f"/v1/integrations/{one}/repositories", query={"limit": 4})
    two = hub.start(group="acme")
    asked = len(hub.gitlab.requests)
    for path, more in ((one, {"q": "x"}), (two, {}), (one, {"archived": "true"})):
        query = {"limit": 4, "cursor": body["next_cursor"]} | more
        status, refused = hub("GET", f"/v1/integrations/{path}/repositories", query=query)
        assert (status, refused["code"]) == (400, "invalid_cursor")
    assert len(hub.gitlab.requests) == asked


def test_more_than_gitlabs_page_is_never_more_than_asked_for(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.script["/projects"] = paged
    hub("GET", f"/v1/integrations/{one}/repositories", query={"limit": 151})
    assert hub.gitlab.requests[-1].url.params["per_page"] == "75"


def test_filters_reach_gitlab_and_are_checked(hub: IntegrationsHub, one: str) -> None:
    """An old server ignores them."""
    hub.gitlab.script["/projects"] = answer(
        200, [project(3), project(4, visibility="public"), project(5, archived=True)]
    )
    query = {"q": "p", "visibility": "private", "archived": "false"}
    _, body = hub("GET", f"/v1/integrations/{one}/repositories", query=query)
    assert [row["id"] for row in body["repositories"]] == [3]
    sent = hub.gitlab.requests[-1].url.params
    assert (sent["search"], sent["visibility"], sent["archived"], sent["membership"]) == (
        "p",
        "private",
        "false",
        "true",
    )


def test_repositories_of_a_group(hub: IntegrationsHub) -> None:
    one = hub.start(group="acme")
    assert hub("GET", f"/v1/integrations/{one}/repositories")[0] == 200
    assert hub.gitlab.paths[-1] == "/groups/1/projects"


@pytest.mark.parametrize(("script", "status", "code"), [
    (answer(401), 400, "invalid_credentials"),
    (answer(403), 403, "invalid_permissions"),
    (answer(429, retry_after="60"), 503, "rate_limited"),
    (answer(500), 503, "gitlab_unavailable"),
    (html(), 502, "not_gitlab"),
    (answer(200, {"no": "list"}), 502, "unexpected_response"),
])  # fmt: skip
def test_trouble_with_gitlab_has_its_code(hub: IntegrationsHub, one: str, script: Any, status: int, code: str) -> None:
    before = hub.rows()
    hub.gitlab.script["/projects"] = script
    got, body = hub("GET", f"/v1/integrations/{one}/repositories")
    assert (got, body["code"], hub.rows()) == (status, code, before)
