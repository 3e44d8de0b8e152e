"""The `credentials.*` convention: its statuses, its codes, its times, and never a secret."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gitlab_hub.integrations.model import IntegrationWithCredentials
from gitlab_hub.integrations.store import Change
from gitlab_hub.storage.ports import Check, ConditionFailed, Delete, Put
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.gitlab import CANARY, HOST, OTHER_CANARY, answer, html, spilled
from tests.fakes.table import MemoryTable
from tests.functional.integrations.integrations_hub import IntegrationsHub

SELF = "/personal_access_tokens/self"
CREATE = {"secrets": {"api_token": OTHER_CANARY}}


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def base(hub: IntegrationsHub) -> str:
    return f"/api/connections/{hub.start()}/credentials"


def made(hub: IntegrationsHub, base: str, **more: Any) -> str:
    status, body = hub("POST", f"{base}.create", CREATE | more)
    assert status == 201, body
    return str(body["credential"]["id"])


def kept(hub: IntegrationsHub) -> Any:
    return hub.rows(), hub.stored_secrets.dump()


def test_create_answers_without_the_secret(hub: IntegrationsHub, base: str) -> None:
    status, body = hub("POST", f"{base}.create", CREATE | {"label": "second", "expiration_date": "2026-01-02"})
    assert status == 201
    credential = body["credential"]
    assert body == {
        "ok": True,
        "credential": {
            "id": credential["id"], "type": "gitlab", "label": "second", "created_at": "2025-06-15T15:06:40Z",
        },
    }  # fmt: skip
    assert not spilled(body, hub.stored_rows.dump())
    secret = next(iter(hub.stored_secrets.dump().values()))["credentials"]
    assert secret[credential["id"]] == {"access_token": OTHER_CANARY}
    assert {"access_token": CANARY} in secret.values()


def test_info_has_the_rest(hub: IntegrationsHub, base: str) -> None:
    settings = {"api_base_url": f"{HOST}/api/v4"}
    one = made(hub, base, label="second", settings=settings, expiration_date="2026-01-02T03:04:05+01:00")
    status, body = hub("GET", f"{base}.info/{one}")
    assert (status, body["credential"]) == (
        200,
        {
            "id": one,
            "type": "gitlab",
            "label": "second",
            "created_at": "2025-06-15T15:06:40Z",
            "settings": settings,
            "disabled_at": None,
            "deleted_at": None,
            "expiration_date": "2026-01-02T02:04:05Z",
            "status": "valid",
        },
    )


def test_the_list_has_what_was_not_deleted(hub: IntegrationsHub, base: str) -> None:
    hub.now += 1
    one = made(hub, base, label="second")
    assert [entry["label"] for entry in hub("GET", f"{base}.list")[1]["credentials"]] == ["first", "second"]
    assert hub("POST", f"{base}.delete", {"id": one}) == (200, {"ok": True})
    assert [entry["label"] for entry in hub("GET", f"{base}.list")[1]["credentials"]] == ["first"]


def test_a_deleted_one_is_remembered_without_its_token(hub: IntegrationsHub, base: str) -> None:
    one = made(hub, base)
    hub("POST", f"{base}.delete", {"id": one})
    assert hub("GET", f"{base}.info/{one}")[1]["credential"]["deleted_at"] == "2025-06-15T15:06:40Z"
    assert OTHER_CANARY not in str(hub.stored_secrets.dump())
    for path, body in (("delete", {"id": one}), ("update", {"id": one, "label": "x"})):
        status, answered = hub("POST", f"{base}.{path}", body)
        assert (status, answered["error"]) == (422, "credential_not_found")


def test_without_its_last_credential_an_integration_does_not_work(hub: IntegrationsHub, base: str) -> None:
    integration_id = base.split("/")[3]
    first = hub("GET", f"{base}.list")[1]["credentials"][0]["id"]
    hub("POST", f"{base}.delete", {"id": first})
    assert hub.integration(integration_id)["status"] == "error"
    assert hub.targets.target(integration_id) is None
    status, body = hub("POST", f"/v1/integrations/{integration_id}/verify")
    assert (status, body["code"]) == (200, "invalid_credentials")
    made(hub, base)
    assert hub.integration(integration_id)["status"] == "active"
    assert hub.scheduled() == [integration_id]


def test_update_keeps_what_is_left_out(hub: IntegrationsHub, base: str) -> None:
    one = made(hub, base, label="second", expiration_date="2026-01-02")
    hub.now += 10
    status, body = hub("POST", f"{base}.update", {"id": one, "label": "renamed"})
    assert (status, body["credential"]["label"]) == (200, "renamed")
    shown = hub("GET", f"{base}.info/{one}")[1]["credential"]
    assert (shown["label"], shown["expiration_date"]) == ("renamed", "2026-01-02T00:00:00Z")
    assert OTHER_CANARY in str(hub.stored_secrets.dump())


def test_update_verifies_the_stored_token_where_none_is_given(hub: IntegrationsHub, base: str) -> None:
    one = made(hub, base)
    hub.gitlab.script[SELF] = answer(401)
    before = kept(hub)
    status, body = hub("POST", f"{base}.update", {"id": one, "label": "renamed"})
    assert (status, body["error"], kept(hub)) == (422, "invalid_credentials", before)


def test_update_replaces_the_token(hub: IntegrationsHub, base: str) -> None:
    one = made(hub, base)
    hub.gitlab.users["glpat-newer"] = 7
    assert hub("POST", f"{base}.update", {"id": one, "secrets": {"api_token": "glpat-newer"}})[0] == 200
    assert OTHER_CANARY not in str(hub.stored_secrets.dump())


def test_a_token_of_another_user_is_not_taken_for_an_update(hub: IntegrationsHub, base: str) -> None:
    one = made(hub, base)
    hub.gitlab.users["glpat-of-another"] = 8
    before = kept(hub)
    status, body = hub("POST", f"{base}.update", {"id": one, "secrets": {"api_token": "glpat-of-another"}})
    assert (status, body) == (
        422, {"ok": False, "error": "invalid_credentials", "error_detail": "gitlab_account_mismatch"},
    )  # fmt: skip
    assert kept(hub) == before


FAILURES = [
    (SELF, answer(401), "invalid_credentials", "invalid_credentials"),
    (SELF, answer(401, {"error": "invalid_token", "error_description": "Token was revoked."}),
     "invalid_credentials", "token_revoked"),
    (SELF, answer(403, {"error": "insufficient_scope"}), "invalid_permissions", "invalid_permissions"),
    ("/user", answer(403, {"message": "Your account has been blocked"}), "invalid_permissions", "account_blocked"),
    ("/projects/3/pipelines/903/jobs", answer(403), "invalid_permissions", "jobs_forbidden"),
    ("/projects", answer(200, []), "no_resources", "no_resources"),
    (SELF, answer(429, retry_after="9"), "rate_limited", "rate_limited"),
    (SELF, answer(500), "gitlab_unavailable", "gitlab_unavailable"),
    (SELF, html(), "gitlab_unavailable", "not_gitlab"),
    (SELF, httpx.ConnectTimeout("slow"), "gitlab_unavailable", "host_unreachable"),
]  # fmt: skip


@pytest.mark.parametrize("call", ["create", "update"])
@pytest.mark.parametrize(("path", "script", "error", "detail"), FAILURES)
def test_failures_collapse_into_few_codes_and_keep_nothing(
    hub: IntegrationsHub, base: str, path: str, script: Any, error: str, detail: str, call: str
) -> None:
    body = CREATE if call == "create" else CREATE | {"id": made(hub, base)}
    hub.gitlab.script[path] = script
    before = kept(hub)
    status, answered = hub("POST", f"{base}.{call}", body)
    assert (status, answered) == (422, {"ok": False, "error": error, "error_detail": detail})
    assert kept(hub) == before


@pytest.mark.parametrize(("url", "detail"), [
    ("https://evil.example.com", "host_not_allowed"),
    (f"{HOST}:8443", "host_not_allowed"),
    (f"{HOST}/other", "host_not_allowed"),
    ("http://gitlab.example.com", "invalid_url"),
    ("https://10.0.0.1", "host_not_allowed"),
    ("https://gitlab.example.com@evil.example.com", "invalid_url"),
])  # fmt: skip
def test_a_token_never_goes_to_another_address(hub: IntegrationsHub, base: str, url: str, detail: str) -> None:
    asked, before = len(hub.gitlab.requests), kept(hub)
    status, body = hub("POST", f"{base}.create", CREATE | {"settings": {"api_base_url": url}})
    assert (status, body["error"], body["error_detail"]) == (422, "invalid_json", detail)
    assert (len(hub.gitlab.requests), kept(hub)) == (asked, before)


@pytest.mark.parametrize(("more", "detail"), [
    ({"raw": "{"}, "invalid_json"),
    ({"raw": b"\xff\xfe"}, "invalid_json"),
    ({"body": []}, "invalid_json"),
    ({"body": {}}, "invalid_input"),
    ({"body": CREATE | {"status": "valid"}}, "invalid_input"),
    ({"body": {"secrets": {"api_token": OTHER_CANARY, "more": 1}}}, "invalid_input"),
    ({"body": {"secrets": {"api_token": f"{OTHER_CANARY} "}}}, "invalid_input"),
    ({"body": CREATE | {"expiration_date": "tomorrow"}}, "invalid_input"),
    ({"body": CREATE | {"expiration_date": 1790000000}}, "invalid_input"),
    ({"body": CREATE | {"expiration_date": "1790000000"}}, "invalid_input"),
])  # fmt: skip
def test_bodies_that_make_no_sense(hub: IntegrationsHub, base: str, more: dict[str, Any], detail: str) -> None:
    before = kept(hub)
    status, body = hub("POST", f"{base}.create", **more)
    assert (status, body["error"]) == (422, "invalid_json")
    assert body["error_detail"] in (detail, "invalid_input")
    assert kept(hub) == before
    assert not spilled(body)


CALLS = [
    ("POST", ".create", CREATE),
    ("POST", ".update", {"id": "cred_1"}),
    ("POST", ".delete", {"id": "cred_1"}),
    ("GET", ".list", None),
    ("GET", ".info/cred_1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_callers_without_a_good_token(hub: IntegrationsHub, base: str, method: str, path: str, body: Any) -> None:
    status, answered = hub(method, base + path, body, principal=None)
    assert (status, answered) == (401, {"ok": False, "error": "not_authed", "error_detail": "unauthorized"})


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_connections_one_may_not_see_are_as_unknown_ones(
    hub: IntegrationsHub, base: str, method: str, path: str, body: Any
) -> None:
    limited = Principal("t", Role.OWNER, frozenset({"int_other"}))
    foreign = hub(method, base + path, body, principal=limited)
    unknown = hub(method, f"/api/connections/int_unknown/credentials{path}", body)
    assert foreign == unknown == (422, {"ok": False, "error": "connection_not_found", "error_detail": "not_found"})


@pytest.mark.parametrize(("method", "path", "body"), CALLS[1:])
def test_unknown_credentials(hub: IntegrationsHub, base: str, method: str, path: str, body: Any) -> None:
    if path == ".list":
        return
    status, answered = hub(method, base + path, body)
    assert (status, answered["error"]) == (422, "credential_not_found")


def test_only_administrators_change_credentials(hub: IntegrationsHub, base: str) -> None:
    developer = Principal("t", Role.DEVELOPER)
    status, body = hub("POST", f"{base}.create", CREATE, principal=developer)
    assert (status, body["error"], body["error_detail"]) == (403, "not_authed", "permission_denied")
    assert hub("GET", f"{base}.list", principal=developer)[0] == 200


def test_there_is_an_upper_bound(hub: IntegrationsHub, base: str) -> None:
    for _ in range(19):
        made(hub, base)
    status, body = hub("POST", f"{base}.create", CREATE)
    assert (status, body["error"], body["error_detail"]) == (422, "invalid_json", "invalid_input")


def test_a_removal_whose_answer_was_lost_is_done(hub: IntegrationsHub, base: str) -> None:
    """A repeated transaction fails on its own first effect."""
    one = made(hub, base)

    class Forgetful(MemoryTable):
        lost = 1

        def transact(self, actions: Sequence[Put | Delete | Check]) -> None:
            super().transact(actions)
            if self.lost:
                self.lost -= 1
                raise ConditionFailed("repeated")

    table = Forgetful()
    table.write(hub.stored_rows.dump())
    hub.use(table, hub.stored_secrets)
    assert hub("POST", f"{base}.delete", {"id": one}) == (200, {"ok": True})
    assert table.lost == 0


def test_what_was_found_about_a_replaced_token_is_not_kept(hub: IntegrationsHub, base: str) -> None:
    one = made(hub, base)
    integration_id = base.split("/")[3]

    def replace_token(before: IntegrationWithCredentials) -> Change:
        credential = before.credential(one)
        assert credential is not None
        newer = replace(credential, token_expires_at=1_800_000_000)
        return Change(integration=before.integration, credentials=(newer,), tokens={one: CANARY})

    def replaced_meanwhile(_request: httpx.Request) -> httpx.Response:
        hub.feature.store.change(integration_id, replace_token)
        return answer(200, {"version": "17.0"})

    hub.gitlab.script["/version"] = replaced_meanwhile
    assert hub("POST", f"{base}.update", {"id": one, "label": "renamed"})[0] == 200
    credential = hub.feature.store.holding(integration_id).credential(one)
    assert credential is not None
    assert (credential.label, credential.token_expires_at) == ("renamed", 1_800_000_000)
