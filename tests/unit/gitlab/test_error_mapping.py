import json
from typing import Any

import pytest

from gitlab_hub.gitlab.error_mapping import raise_for
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    InsufficientScope,
    MissingPermissions,
    Moved,
    NotGitLab,
    RateLimited,
    ReadOnly,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.granular import is_fine_grained
from gitlab_hub.gitlab.messages import RawResponse

SECRET = "glpat-canary"  # pragma: allowlist secret


def error_of(answer: RawResponse) -> GitLabError | None:
    try:
        raise_for(answer)
    except GitLabError as error:
        return error
    return None


def refusal(status: int, body: Any = None, media_type: str = "application/json", **headers: str) -> GitLabError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {
        "content-type": media_type,
        "x-request-id": "01JREQ",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    error = error_of(RawResponse(status=status, headers=sent, body=raw))
    assert error is not None
    assert (error.http_status, error.request_id) == (status, "01JREQ")
    return error


@pytest.mark.parametrize("error", [["invalid_grant"], {"code": "invalid_grant"}, None, 7])
@pytest.mark.parametrize("status", [400, 401])
def test_an_error_that_is_no_word_is_a_refusal_like_others(status: int, error: Any) -> None:
    assert type(refusal(status, {"error": error})) is {400: UnexpectedResponse, 401: Unauthorized}[status]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_raises_nothing(status: int) -> None:
    assert error_of(RawResponse(status=status, headers={}, body=b"")) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"message": "401 Unauthorized"}, "unknown"),
        ({"error": "invalid_token", "error_description": "Token is expired. You can renew it."}, "token_expired"),
        (
            {"error": "invalid_token", "error_description": "Token was revoked. You have to re-authorize."},
            "token_revoked",
        ),
        (
            {
                "error": "invalid_token",
                "error_description": "Token is an impersonation token but impersonation was disabled.",
            },
            "impersonation_disabled",
        ),
        ({"error": "dpop_error", "error_description": "DPoP header is missing"}, "dpop_required"),
        ({"error": "invalid_token", "error_description": "Bad Access Token."}, "unknown"),
        ({"error": "invalid_token", "error_description": ["expired"]}, "unknown"),
        ({"error": "other", "error_description": "expired"}, "unknown"),
        ([], "unknown"),
        (b"not json", "unknown"),
        (b"[" * 1000, "unknown"),
    ],
)
def test_a_401_says_why(body: Any, reason: str) -> None:
    error = refusal(401, body)
    assert type(error) is Unauthorized
    assert error.details == {"reason": reason}


def test_a_403_for_want_of_scope_names_the_scopes() -> None:
    error = refusal(403, {"error": "insufficient_scope", "error_description": "…", "scope": "api read_api <b>"})
    assert type(error) is InsufficientScope
    assert error.details == {"missing_scopes": ["api", "read_api"]}
    assert refusal(403, {"error": "insufficient_scope"}).details == {"missing_scopes": []}


WANTS = "Access denied: This operation requires a fine-grained personal access token with the following"
"""As app/services/authz/tokens/authorize_granular_scopes_service.rb of GitLab words it."""


@pytest.mark.parametrize(
    ("sentence", "details"),
    [
        (
            f"{WANTS} project permissions: [Merge Request: Read, Pipeline: Read].",
            {"missing_permissions": ["Merge Request: Read", "Pipeline: Read"], "boundary": "project"},
        ),
        (f"{WANTS} instance permissions: [Metadata: Read].", {"missing_permissions": ["Metadata: Read"]}),
        (f"{WANTS} personal projects permissions: [CI Config: Read].", {"boundary": "personal projects"}),
        (f"{WANTS} permissions: [User: Read].", {"missing_permissions": ["User: Read"]}),
        ("The token lacks [read_pipeline, read_job].", {"missing_permissions": ["read_pipeline", "read_job"]}),
        (f"{WANTS} project permissions: [{SECRET}: Read, <b>: x, Job: Read].", {"missing_permissions": ["Job: Read"]}),
        (
            "Access denied: This operation doesn't support fine-grained personal access tokens.",
            {"reason": "not_supported", "missing_permissions": []},
        ),
        (
            "Access denied: Fine-grained personal access tokens are not yet supported.",
            {"reason": "not_enabled", "missing_permissions": []},
        ),
        ("Something else.", {"reason": "missing_permissions", "missing_permissions": []}),
        ([1], {"reason": "missing_permissions", "missing_permissions": []}),
        ("[" * 5000, {"reason": "missing_permissions", "missing_permissions": []}),
    ],
)
def test_a_403_for_want_of_permissions_names_them(sentence: Any, details: dict[str, Any]) -> None:
    error = refusal(403, {"error": "insufficient_granular_scope", "error_description": sentence})
    assert type(error) is MissingPermissions
    assert error.details.items() >= details.items()
    assert all(name in str(error) for name in details.get("missing_permissions", []))
    assert SECRET not in f"{error} {error.details}"


def test_fine_grained_is_the_only_scope_or_none() -> None:
    assert is_fine_grained(["granular"])
    assert not any(map(is_fine_grained, ([], ["granular", "read_api"], ["read_api"], None, "granular")))


@pytest.mark.parametrize(
    "message",
    [
        "You cannot perform write operations on a read-only instance",
        "You cannot perform write operations on a read-only secondary Geo node",
        "GitLab is undergoing maintenance: it is in maintenance mode",
        "GitLab is undergoing maintenance",
    ],
)
def test_a_gitlab_that_takes_no_writes_for_now_is_trouble_that_passes(message: str) -> None:
    error = refusal(403, {"message": message}, retry_after="120")
    assert (type(error), error.code, error.retryable, error.retry_after) == (ReadOnly, "gitlab_unavailable", True, 120)


@pytest.mark.parametrize(
    "message",
    ["403 Forbidden - The deploy key is read-only", "read-only", "403 Forbidden", None, {"read-only": "mode"}],
)
def test_another_403_that_speaks_of_reading_is_none(message: Any) -> None:
    assert type(refusal(403, {"message": message})) is Forbidden


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("403 Forbidden", "unknown"),
        ("403 Forbidden - Your account has been blocked.", "account_blocked"),
        ("403 Forbidden - Your account has been deactivated by your administrator.", "account_blocked"),
        ("403 Forbidden - You (@a) must accept the Terms of Service in order to perform this.", "terms_not_accepted"),
        (
            "403 Forbidden - Your account is pending approval from your administrator and hence blocked.",
            "account_blocked",
        ),
        ("403 Forbidden - Your primary email address is not confirmed.", "account_blocked"),
        ("403 Forbidden - Your password expired.", "account_blocked"),
        ("403 Forbidden - This action cannot be performed by internal users", "account_blocked"),
        ("Request blocked", "unknown"),
        ("Access denied: your IP address is not allowed", "unknown"),
        ({"a": 1}, "unknown"),
    ],
)
def test_other_403s_say_whether_the_account_is_the_trouble(message: Any, reason: str) -> None:
    error = refusal(403, {"message": message})
    assert type(error) is Forbidden
    assert error.details == {"reason": reason}


@pytest.mark.parametrize(
    ("status", "media_type", "kind"),
    [
        (404, "application/json", ResourceNotFound),
        (404, "text/html; charset=utf-8", NotGitLab),
        (401, "text/html", NotGitLab),
        (403, "text/html", NotGitLab),
        (301, "application/json", NotGitLab),
        (302, "text/html", NotGitLab),
        (304, "", NotGitLab),
        (400, "application/json", UnexpectedResponse),
        (405, "application/json", UnexpectedResponse),
        (409, "application/json", UnexpectedResponse),
        (422, "application/json", UnexpectedResponse),
        (500, "application/json", Unavailable),
        (502, "text/html", Unavailable),
        (504, "text/plain", Unavailable),
        (520, "text/html", Unavailable),
        (429, "text/html", RateLimited),
    ],
)
def test_the_status_decides(status: int, media_type: str, kind: type[GitLabError]) -> None:
    assert type(refusal(status, {}, media_type)) is kind


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"default backend - 404", "text/plain; charset=utf-8"),
        (b"404 page not found\n", "text/plain"),
        (b"RBAC: access denied", "text/plain"),
        (b"<Error><Code>AccessDenied</Code></Error>", "application/xml"),
        (b"no healthy upstream", ""),
        (b"", "text/plain"),
        ([], "text/plain"),
    ],
)
def test_what_something_in_between_refuses_is_no_word_of_gitlab_s(status: int, body: Any, media_type: str) -> None:
    assert type(refusal(status, body, media_type)) is NotGitLab


@pytest.mark.parametrize("media_type", ["text/plain", "", "application/octet-stream", "application/problem+json"])
def test_gitlab_is_known_by_its_json_whatever_a_proxy_calls_it(media_type: str) -> None:
    assert type(refusal(404, {"message": "404 Project Not Found"}, media_type)) is ResourceNotFound


def test_a_status_without_any_word_stands() -> None:
    assert type(refusal(404, b"", "")) is ResourceNotFound


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("https://gitlab.example.com/gitlab/api/v4/projects/12", 12),
        ("https://evil.example/api/v4/projects/12?statistics=true", 12),
        ("/api/v4/projects/12/hooks", 12),
        ("https://gitlab.example.com/api/v4/projects/acme%2Fp", None),
        ("https://gitlab.example.com/api/v4/projects/12x", None),
        ("https://gitlab.example.com/users/sign_in", None),
        ("", None),
    ],
)
def test_a_project_that_has_moved_is_known_by_its_id(location: str, found: int | None) -> None:
    error = refusal(301, {}, location=location)
    assert (type(error), error.details) == ((NotGitLab, {}) if found is None else (Moved, {"project_id": found}))
    assert "evil" not in f"{error} {error.details}"


def test_both_kinds_of_429_say_when_to_come_back() -> None:
    plain = refusal(429, b"Retry later\n", "text/plain", retry_after="1200")
    application = refusal(429, {"message": {"error": "This endpoint has been requested too many times."}})
    assert (plain.retry_after, application.retry_after) == (1200, 60)


WRITES = "You cannot perform write operations on a read-only instance"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ({"message": WRITES}, "application/json"),
        ({"error": WRITES}, "application/json"),
        ({"message": [WRITES]}, "application/json"),
        ({"message": {"base": ["no", WRITES]}}, "application/json"),
        ([WRITES], "application/json"),
        (WRITES, "application/json"),
        ({"message": WRITES}, "text/plain"),
        (WRITES.encode(), "text/plain; charset=utf-8"),
        (WRITES.encode(), "application/json"),
        (WRITES.encode(), ""),
        (b"[" * 20 + WRITES.encode(), "application/json"),
        (f"<html><body><h1>{WRITES.upper()}</h1></body></html>".encode(), "text/html; charset=utf-8"),
        (b"<p>GitLab is undergoing maintenance</p>", "text/html"),
    ],
    ids=str,
)
def test_a_read_only_gitlab_is_known_by_its_words_wherever_they_stand(body: Any, media_type: str) -> None:
    assert type(refusal(403, body, media_type)) is ReadOnly


def test_a_maintenance_may_say_when_it_ends() -> None:
    assert refusal(503, {}, retry_after="30").retry_after == 30
    assert refusal(503, {}).retry_after is None


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 418, 429, 500])
def test_no_word_of_the_answer_gets_through(status: int) -> None:
    body = {"error": "insufficient_scope", "message": SECRET, "scope": SECRET, "error_description": SECRET}
    error = refusal(status, body, location=f"https://evil.example/{SECRET}")
    assert SECRET not in f"{error} {error!r} {error.details} {error.__cause__!r}"
