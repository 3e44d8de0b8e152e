"""Connecting: everything or nothing is kept, and callers see one answer per cause."""

from http import HTTPStatus
from typing import Any

import pytest

from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import Context, http_event
from tests.fakes.gitlab import CANARY, HOST, OTHER_CANARY, answer, html, lacking, spilled
from tests.functional.integrations.integrations_hub import START, IntegrationsHub, counting

PATH = "/v1/integrations/gitlab/start"
SELF = "/personal_access_tokens/self"


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


def test_a_good_token_connects(hub: IntegrationsHub) -> None:
    status, body = hub("POST", PATH, START | {"host_url": f"{HOST}/", "display_name": "Ours"})
    assert status == HTTPStatus.CREATED
    integration = body["integration"]
    assert integration | {"id": "…"} == {
        "id": "…",
        "provider": "gitlab",
        "host_url": HOST,
        "auth_mode": "personal_token",
        "status": "active",
        "credential_status": "valid",
        "display_name": "Ours",
        "gitlab_version": "17.5.1-ee",
        "account": {"id": 7, "username": "sync", "kind": "human"},
        "scopes": ["read_api"],
        "expires_at": None,
        "group": None,
        "features": {"manage_webhooks": False, "report_statuses": False, "provisioning": False},
        "created_by": "t-owner",
        "created_at": 1_750_000_000,
        "updated_at": 1_750_000_000,
    }
    assert body["verification"]["ok"] is True
    assert body["webhook"] == {"url": "https://hub.example.com/v1/webhooks/gitlab"}
    assert [list(secret["credentials"].values()) for secret in hub.stored_secrets.dump().values()] == [
        [{"access_token": CANARY}]
    ]


def test_the_new_one_is_shown_with_what_belongs_to_it(hub: IntegrationsHub) -> None:
    shown = hub.integration(hub.start())
    assert (shown["hooks"], shown["last_delivery_at"]) == ([], None)
    assert set(shown["sync"]) == {"access", "pipelines"}


FAILURES = [
    (SELF, answer(401), 400, "invalid_credentials"),
    (SELF, answer(403, {"error": "insufficient_scope"}), 403, "invalid_permissions"),
    (SELF, html(), 502, "not_gitlab"),
    (SELF, answer(500), 503, "gitlab_unavailable"),
    (SELF, answer(429, retry_after="9"), 503, "rate_limited"),
    ("/projects", answer(200, []), 409, "no_resources"),
    ("/user", answer(403), 403, "invalid_permissions"),
    ("/user", answer(403, {"message": "403 Forbidden - Your account has been blocked."}), 403, "account_blocked"),
    ("/version", answer(200, {"version": "12.0"}), 409, "unsupported_version"),
]


@pytest.mark.parametrize(("path", "script", "status", "code"), FAILURES)
def test_nothing_is_kept_of_a_failure(hub: IntegrationsHub, path: str, script: Any, status: int, code: str) -> None:
    hub.gitlab.script[path] = script
    got, body = hub("POST", PATH, START)
    assert (got, body["code"], body["retryable"]) == (status, code, status == 503)
    assert body["details"]["checks"][0]["step"] == "url"
    assert (hub.stored_rows.dump(), hub.stored_secrets.dump()) == ([], {})
    assert not spilled(body)


def test_a_retryable_failure_says_when_to_come_back(hub: IntegrationsHub) -> None:
    hub.gitlab.script[SELF] = answer(429, retry_after="77")
    response = hub.api.resolve(http_event("POST", PATH, START), Context())
    assert response["headers"]["retry-after"] == "77"


@pytest.mark.parametrize(("url", "code"), [
    ("", "invalid_url"),
    ("https://u@gitlab.example.com", "invalid_url"),
    ("https://10.1.2.3", "host_not_allowed"),
    ("http://gitlab.example.com", "invalid_url"),
])  # fmt: skip
def test_a_bad_address_is_refused_without_a_request(hub: IntegrationsHub, url: str, code: str) -> None:
    status, body = hub("POST", PATH, START | {"host_url": url})
    assert (status, body["code"], hub.gitlab.requests) == (400, code, [])


def test_a_rehearsal_keeps_nothing(hub: IntegrationsHub) -> None:
    status, body = hub("POST", PATH, START | {"dry_run": True})
    assert (status, body["integration"], body["verification"]["ok"]) == (201, None, True)
    assert (hub.stored_rows.dump(), hub.stored_secrets.dump()) == ([], {})


def test_the_same_user_and_group_connect_once(hub: IntegrationsHub) -> None:
    first = hub.start()
    status, body = hub("POST", PATH, START | {"host_url": f"{HOST}/api/v4"})
    assert (status, body["code"], body["details"]) == (409, "duplicate_integration", {"integration_id": first})
    assert first in body["error"]
    assert len(hub.stored_secrets.dump()) == 1
    hub.start(group="acme")
    assert hub("POST", PATH, START | {"group": "Acme"})[1]["code"] == "duplicate_integration"
    hub.gitlab.users["glpat-of-another"] = 8
    hub.start(access_token="glpat-of-another")
    assert hub("DELETE", f"/v1/integrations/{first}")[0] == 200
    hub.start()


@pytest.mark.parametrize("field", ["integration_id", "role", "status", "secret_arn", "fence", "id", "version"])
def test_unknown_fields_are_refused(hub: IntegrationsHub, field: str) -> None:
    status, body = hub("POST", PATH, START | {field: "x"})
    assert (status, body["code"]) == (422, "invalid_input")
    assert hub.stored_rows.dump() == []
    assert not spilled(body)


@pytest.mark.parametrize("more", [
    {"access_token": None},
    {"access_token": ""},
    {"access_token": f"{CANARY} {CANARY}"},
    {"access_token": f"{CANARY}\r\nX-Evil: 1"},
    {"access_token": f"{CANARY}é"},
    {"access_token": [CANARY]},
    {"auth_mode": "oauth_app"},
    {"auth_mode": CANARY},
    {"dry_run": CANARY},
    {"features": {"manage_webhooks": True, "everything": True}},
    {"display_name": ""},
])  # fmt: skip
def test_what_makes_no_sense_is_refused_without_repeating_it(hub: IntegrationsHub, more: dict[str, Any]) -> None:
    status, body = hub("POST", PATH, START | more)
    assert (status, body["code"]) == (422, "invalid_input")
    assert not spilled(body)
    assert hub.gitlab.requests == []


@pytest.mark.parametrize(("more", "words"), [
    ({"access_token": None}, "a personal, group, project or service-account token"),
    ({"access_token": "glpat-…"}, "body.access_token must be the token itself"),
    ({"auth_mode": "oauth_app", "access_token": None}, "in GitLab it is the Application ID"),
])  # fmt: skip
def test_a_refusal_says_what_to_give(hub: IntegrationsHub, more: dict[str, Any], words: str) -> None:
    status, body = hub("POST", PATH, {name: value for name, value in (START | more).items() if value is not None})
    assert (status, words in body["error"]) == (422, True), body


def test_a_feature_that_writes_needs_a_token_that_may(hub: IntegrationsHub) -> None:
    status, body = hub("POST", PATH, START | {"features": {"manage_webhooks": True}})
    assert (status, body["details"]["missing_scopes"]) == (403, ["api"])
    assert "the scope api," in body["error"]
    hub.gitlab.token["scopes"] = ["api"]
    integration_id = hub.start(features={"manage_webhooks": True})
    assert hub.integration(integration_id)["features"]["manage_webhooks"] is True


def test_provisioning_is_off_unless_asked_for_and_needs_a_token_that_may(hub: IntegrationsHub) -> None:
    status, body = hub("POST", PATH, START | {"features": {"provisioning": True}})
    assert (status, body["details"]["missing_scopes"]) == (403, ["api"])
    hub.gitlab.token["scopes"] = ["api"]
    integration_id = hub.start(features={"provisioning": True})
    assert hub.integration(integration_id)["features"]["provisioning"] is True


def test_a_fine_grained_token_connects_and_what_it_lacks_is_named(hub: IntegrationsHub) -> None:
    hub.gitlab.token |= {"scopes": ["granular"], "granular": True}
    hub.gitlab.script["/projects/3/pipelines"] = hub.gitlab.script["/projects/4/pipelines"] = lacking("Pipeline: Read")
    status, body = hub("POST", PATH, START)
    assert (status, body["code"]) == (403, "invalid_permissions")
    assert body["details"]["missing_permissions"] == ["Pipeline: Read"]
    assert "Pipeline: Read" in body["error"]
    hub.gitlab.script["/projects/3/pipelines"] = answer(200, [])
    one = hub.start(features={"report_statuses": True})
    assert hub.integration(one)["scopes"] == ["granular"]


@pytest.mark.parametrize(("url", "words"), [
    ("http://gitlab.example.com", ("AllowInsecureHttp", "--allow-http")),
    ("https://10.1.2.3", ("AllowedPrivateCidrs", "--allow-private")),
    ("https://gitlab.example.com:8443", ("AllowedPorts", "--allow-port")),
    ("https://127.0.0.1", ("--allow-loopback",)),
    ("https://localhost", ("--allow-loopback",)),
])  # fmt: skip
def test_an_address_that_is_not_allowed_names_what_would_allow_it(
    hub: IntegrationsHub, url: str, words: tuple[str, ...]
) -> None:
    status, body = hub("POST", PATH, START | {"host_url": url})
    hint = next(check["hint"] for check in body["details"]["checks"] if not check["ok"])
    assert status == 400
    assert all(word in body["error"] and word in hint for word in words)


def test_a_second_credential_of_the_same_user_is_warned_of(hub: IntegrationsHub) -> None:
    hub.start()
    _, body = hub("POST", PATH, START | {"group": "acme"})
    assert body["verification"]["warnings"] == ["shared_rate_limit"]


def test_connecting_and_verifying_read_no_other_integration(hub: IntegrationsHub) -> None:
    hub.gitlab.users |= {f"glpat-{number}": number for number in range(20, 60)}
    for number in range(20, 60):
        hub.start(access_token=f"glpat-{number}")
    counted = counting(hub)
    one = hub.start()
    assert counted.items == 0
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["warnings"] == []
    assert (counted.gets + counted.items) < 30


def test_whose_credential_is_shared_is_known_until_it_is_gone(hub: IntegrationsHub) -> None:
    one = hub.start()
    two = hub.start(group="acme")

    def warned(integration_id: str) -> bool:
        return "shared_rate_limit" in hub("POST", f"/v1/integrations/{integration_id}/verify")[1]["warnings"]

    assert (warned(one), warned(two)) == (True, True)
    assert hub("DELETE", f"/v1/integrations/{two}")[0] == 200
    assert not warned(one)
    token = {"secrets": {"api_token": OTHER_CANARY}}
    status, body = hub("POST", f"/api/connections/{one}/credentials.create", token)
    assert (status, warned(one)) == (201, True)
    hub("POST", f"/api/connections/{one}/credentials.delete", {"id": body["credential"]["id"]})
    assert not warned(one)
    assert hub("DELETE", f"/v1/integrations/{one}")[0] == 200
    assert [row["pk"] for row in hub.rows() if row["pk"].startswith("IDENTITY#")] == []


def test_a_limited_token_cannot_add_an_integration(hub: IntegrationsHub) -> None:
    limited = Principal("t-limited", Role.OWNER, frozenset({"int_1"}))
    assert hub("POST", PATH, START, principal=limited)[0] == 403
    assert hub.stored_rows.dump() == []


def test_the_list_has_pages_and_only_what_the_caller_may_see(hub: IntegrationsHub) -> None:
    hub.gitlab.users |= {f"glpat-{number}": number for number in range(20, 25)}
    ids = sorted(hub.start(access_token=f"glpat-{number}") for number in range(20, 25))
    seen, cursor = list[str](), None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        _, body = hub("GET", "/v1/integrations", query=query)
        seen += [one["id"] for one in body["integrations"]]
        cursor = body["next_cursor"]
    assert (seen, cursor) == (ids, None)
    limited = Principal("t-limited", Role.VIEWER, frozenset(ids[3:4]))
    _, body = hub("GET", "/v1/integrations", principal=limited, query={"limit": 1})
    assert ([one["id"] for one in body["integrations"]], body["next_cursor"]) == (ids[3:4], None)


def test_a_caller_who_may_see_few_costs_a_read_for_each(hub: IntegrationsHub) -> None:
    hub.gitlab.users |= {f"glpat-{number}": number for number in range(20, 25)}
    ids = sorted(hub.start(access_token=f"glpat-{number}") for number in range(20, 25))
    limited = Principal("t-limited", Role.VIEWER, frozenset({ids[1], ids[3], "int_gone"}))
    counted = counting(hub)
    _, first = hub("GET", "/v1/integrations", principal=limited, query={"limit": 1})
    _, second = hub("GET", "/v1/integrations", principal=limited, query={"limit": 1, "cursor": first["next_cursor"]})
    shown = [one["id"] for body in (first, second) for one in body["integrations"]]
    assert (shown, second["next_cursor"], counted.queries) == ([ids[1], ids[3]], None, 0)


def test_no_token_is_in_a_row_an_answer_or_the_log(hub: IntegrationsHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    integration_id = hub.start()
    answers = [hub("GET", "/v1/integrations"), hub.integration(integration_id)]
    assert not spilled(hub.stored_rows.dump(), answers, caplog.text)
