"""Verifying and replacing tokens: only definite answers change what is stored."""

from typing import Any

import httpx
import pytest

from gitlab_hub.integrations.model import IntegrationWithCredentials
from gitlab_hub.integrations.store import Change
from tests.fakes.gitlab import CANARY, OTHER_CANARY, answer, html, lacking, project, spilled
from tests.functional.integrations.integrations_hub import IntegrationsHub

SELF = "/personal_access_tokens/self"
EXPIRED = answer(401, {"error": "invalid_token", "error_description": "Token is expired."})
FAULTS = [
    (SELF, answer(500)),
    (SELF, answer(429, retry_after="9")),
    (SELF, html()),
    (SELF, answer(302, location="https://gitlab.example.com/users/sign_in")),
    (SELF, httpx.ConnectError("refused")),
    (SELF, answer(200, "no object")),
    ("/projects", answer(502)),
    ("/projects", httpx.ReadTimeout("slow")),
    ("/version", answer(200, {"version": "12.1"})),
    (SELF, answer(403, {"message": "Request blocked"})),
    ("/user", answer(403, {"message": "403 Forbidden"})),
]
DEFINITE = [
    (SELF, answer(401), "error", "rejected"),
    (SELF, EXPIRED, "error", "expired"),
    (SELF, answer(403, {"error": "insufficient_scope"}), "error", "rejected"),
    ("/user", answer(403, {"message": "403 Forbidden - Your account has been blocked."}), "error", "rejected"),
    ("/projects", answer(200, []), "error", "valid"),
]


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def one(hub: IntegrationsHub) -> str:
    return hub.start()


@pytest.mark.parametrize(("path", "script"), FAULTS)
def test_trouble_that_may_pass_changes_nothing(hub: IntegrationsHub, one: str, path: str, script: Any) -> None:
    hub.gitlab.script[path] = script
    before = hub.rows()
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (status, body["ok"], hub.rows()) == (200, False, before)


@pytest.mark.parametrize("script", [script for path, script in FAULTS if path == SELF])
def test_a_check_in_trouble_changes_nothing(hub: IntegrationsHub, one: str, script: Any) -> None:
    hub.gitlab.script[SELF] = script
    before = hub.rows()
    status, body = hub("POST", f"/v1/integrations/{one}/gitlab-token/check")
    assert (status, body["status"], hub.rows()) == (200, "unknown", before)


@pytest.mark.parametrize(("path", "script", "status", "credential_status"), DEFINITE)
def test_a_definite_answer_is_kept(
    hub: IntegrationsHub, one: str, path: str, script: Any, status: str, credential_status: str
) -> None:
    good = hub.gitlab.script[path]
    hub.gitlab.script[path] = script
    got, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (got, body["ok"]) == (200, False)
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"]) == (status, credential_status)
    assert hub.scheduled() == []
    hub.gitlab.script[path] = good
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["code"] is None
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"]) == ("active", "valid")
    assert hub.scheduled() == [one]


def test_verify_answers_with_every_step(hub: IntegrationsHub, one: str) -> None:
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (status, body["ok"], body["code"]) == (200, True, None)
    assert {"step", "ok", "code", "http_status", "hint", "latency_ms"} <= set(body["checks"][4])
    assert not spilled(body)


@pytest.mark.parametrize(("script", "expires_at", "status"), [
    (None, None, "valid"),
    (None, "2025-06-20", "expiring"),
    (EXPIRED, None, "expired"),
    (answer(401), None, "rejected"),
    (answer(500), None, "unknown"),
    (html(), None, "unknown"),
])  # fmt: skip
def test_a_check_says_how_the_token_is(
    hub: IntegrationsHub, one: str, script: Any, expires_at: str | None, status: str
) -> None:
    hub.gitlab.token["expires_at"] = expires_at
    if script:
        hub.gitlab.script[SELF] = script
    got, body = hub("POST", f"/v1/integrations/{one}/gitlab-token/check")
    assert (got, body["status"], body["checked_at"]) == (200, status, 1_750_000_000)


def test_a_good_token_alone_does_not_end_an_error_about_projects(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.script["/projects"] = answer(200, [])
    hub("POST", f"/v1/integrations/{one}/verify")
    hub("POST", f"/v1/integrations/{one}/gitlab-token/check")
    assert hub.integration(one)["status"] == "error"


def test_a_replaced_token_is_used_from_then_on(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.token["expires_at"] = "2025-12-24"
    status, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body["status"], body["expires_at"]) == (200, "valid", 1_766_534_400)
    del hub.gitlab.users[CANARY]
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is True
    assert not spilled(hub.stored_rows.dump(), body)


def test_a_token_of_another_user_is_refused_and_named(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.users[OTHER_CANARY] = 8
    before = (hub.rows(), hub.stored_secrets.dump())
    status, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body["code"]) == (409, "gitlab_account_mismatch")
    assert body["details"] == {"expected_user_id": 7, "user_id": 8}
    assert (hub.rows(), hub.stored_secrets.dump()) == before


@pytest.mark.parametrize(("path", "script", "status"), [
    (SELF, answer(401), 400), (SELF, answer(503), 503), ("/projects", answer(200, []), 409),
])  # fmt: skip
def test_a_token_that_fails_leaves_the_old_one(
    hub: IntegrationsHub, one: str, path: str, script: Any, status: int
) -> None:
    before = (hub.rows(), hub.stored_secrets.dump())
    hub.gitlab.script[path] = script
    got, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
    assert got == status
    assert (hub.rows(), hub.stored_secrets.dump()) == before
    assert not spilled(body)


def test_a_verdict_about_a_replaced_token_is_not_kept(hub: IntegrationsHub, one: str) -> None:
    """The old token is refused while a new one is being stored."""

    def replace(before: IntegrationWithCredentials) -> Change:
        credential = before.credentials[0]
        tokens = {credential.id: OTHER_CANARY}
        return Change(integration=before.integration, credentials=(credential,), tokens=tokens)

    def replaced_meanwhile(_request: httpx.Request) -> httpx.Response:
        hub.feature.store.change(one, replace)
        return answer(401)

    hub.gitlab.script[SELF] = replaced_meanwhile
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (status, body["code"]) == (200, "invalid_credentials")
    assert hub.integration(one)["credential_status"] == "valid"


def test_a_token_that_expires_is_shown_as_such_without_a_write(hub: IntegrationsHub) -> None:
    hub.gitlab.token["expires_at"] = "2025-07-15"
    one = hub.start()
    assert hub.integration(one)["credential_status"] == "valid"
    hub.now += 20 * 86_400
    assert hub.integration(one)["credential_status"] == "expiring"
    hub.now += 20 * 86_400
    assert hub.integration(one)["credential_status"] == "expired"


@pytest.mark.parametrize(("path", "permission"), [("/user", "User: Read"), ("/projects", "Project: Read")])
@pytest.mark.parametrize("scopes", [["granular"], ["read_api"]])
def test_a_permission_that_is_missing_is_named_and_stops_nothing(
    hub: IntegrationsHub, one: str, path: str, permission: str, scopes: list[str]
) -> None:
    """GitLab takes the token: what it may do goes on. A classic one meets this where a group begins to refuse such."""
    hub.gitlab.token["scopes"] = scopes
    hub.gitlab.script[path] = lacking(permission, of="user")
    before = hub.rows()
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (status, body["ok"], body["code"]) == (200, False, "invalid_permissions")
    failed = next(check for check in body["checks"] if not check["ok"] and check["code"])
    assert failed["details"]["missing_permissions"] == [permission]
    assert (hub.rows(), hub.scheduled()) == (before, [one])
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "valid"


def test_a_gitlab_that_takes_no_fine_grained_tokens_any_more_is_definite(hub: IntegrationsHub, one: str) -> None:
    words = "Access denied: Fine-grained personal access tokens are not yet supported."
    hub.gitlab.script[SELF] = answer(403, {"error": "insufficient_granular_scope", "error_description": words})
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["code"] == "invalid_permissions"
    assert hub.integration(one)["credential_status"] == "rejected"


def test_ci_that_was_switched_off_everywhere_stops_nothing(hub: IntegrationsHub, one: str) -> None:
    off = {"builds_access_level": "disabled", "jobs_enabled": False}
    hub.gitlab.script["/projects"] = answer(200, [project(3, **off), project(4, **off)])
    hub.gitlab.script |= dict.fromkeys(("/projects/3/pipelines", "/projects/4/pipelines"), answer(403))
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (status, body["ok"], body["warnings"]) == (200, True, ["ci_disabled"])
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"], hub.scheduled()) == ("active", "valid", [one])
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["code"] is None


NO_PIPELINES = [
    ("/projects/3/pipelines", answer(403, {"message": "403 Forbidden"}), "invalid_permissions", {"role": "reporter"}),
    ("/projects/3/pipelines", answer(404), "no_resources", {}),
    ("/projects/3/pipelines/903/jobs", answer(403), "jobs_forbidden", {}),
]


@pytest.mark.parametrize(("path", "script", "code", "details"), NO_PIPELINES)
def test_pipelines_that_are_not_shown_are_named_and_stop_nothing_else(
    hub: IntegrationsHub, one: str, path: str, script: Any, code: str, details: dict[str, str]
) -> None:
    hub.gitlab.script |= {"/projects": answer(200, [project(3)]), path: script}
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    failed = [check for check in body["checks"] if not check["ok"] and check["code"]]
    assert (status, body["ok"], body["code"]) == (200, False, code)
    assert [(check["code"], check["details"]) for check in failed] == [(code, details)]
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"]) == ("active", "valid")
    assert hub.scheduled() == [one]


def test_a_credential_that_was_rejected_for_pipelines_alone_is_taken_again(hub: IntegrationsHub, one: str) -> None:
    good = hub.gitlab.script[SELF]
    hub.gitlab.script[SELF] = answer(401)
    hub("POST", f"/v1/integrations/{one}/verify")
    hub.gitlab.script |= {SELF: good, "/projects": answer(200, [project(3)]), "/projects/3/pipelines": answer(403)}
    hub("POST", f"/v1/integrations/{one}/verify")
    assert hub.integration(one)["credential_status"] == "valid"
    assert hub.scheduled() == [one]


@pytest.mark.parametrize("body", [{}, {"access_token": "x", "integration_id": "y"}, {"token": CANARY}])
def test_other_bodies_are_refused(hub: IntegrationsHub, one: str, body: dict[str, Any]) -> None:
    status, answered = hub("PUT", f"/v1/integrations/{one}/gitlab-token", body)
    assert (status, answered["code"]) == (422, "invalid_input")
    assert not spilled(answered)


@pytest.mark.parametrize(("path", "script"), [(path, script) for path, script, _, _ in NO_PIPELINES])
def test_a_token_takes_the_place_of_one_that_was_shown_no_pipelines_either(
    hub: IntegrationsHub, one: str, path: str, script: Any
) -> None:
    hub.gitlab.script |= {"/projects": answer(200, [project(3)]), path: script}
    status, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body.get("status")) == (200, "valid")
    del hub.gitlab.users[CANARY]
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "valid"
    hub.gitlab.token["scopes"] = ["api"]
    assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"manage_webhooks": True}})[0] == 200
    [credential] = hub("GET", f"/api/connections/{one}/credentials.list")[1]["credentials"]
    hub("POST", f"/api/connections/{one}/credentials.delete", {"id": credential["id"]})
    hub.gitlab.users[CANARY] = 7
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": CANARY})[0] == 200


def test_another_group_is_looked_at_as_strictly_as_at_the_start(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.script["/projects/3/pipelines"] = answer(403)
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"group": "acme"})
    assert (status, body["details"]["role"]) == (403, "reporter")


def test_a_token_that_was_granted_less_does_not_take_the_place_of_a_better_one(hub: IntegrationsHub, one: str) -> None:
    hub.gitlab.token["scopes"] = ["granular"]
    hub.gitlab.script |= {"/projects": answer(200, [project(3)]), "/projects/3/pipelines": lacking("Pipeline: Read")}
    before = hub.rows()
    status, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body["details"]["missing_permissions"], hub.rows()) == (403, ["Pipeline: Read"], before)
