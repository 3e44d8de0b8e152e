"""The table of verification steps, case by case: what GitLab answers, and the exact code that follows."""

import ssl
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import HostNotAllowed
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.model import Features, GitLabUser
from gitlab_hub.integrations.verification.checks import Step
from tests.fakes.gitlab import HOST, ScriptedGitLab, answer, html, project, spilled
from tests.unit.integrations.verifying import Run, at, run_over

SELF, USER, JOBS = "/personal_access_tokens/self", "/user", "/projects/3/pipelines/903/jobs"
UNAUTHORIZED = {"message": "401 Unauthorized"}
SCOPE = {"error": "insufficient_scope", "error_description": "…", "scope": "api read_api"}


def invalid(words: str) -> dict[str, str]:
    return {"error": "invalid_token", "error_description": words}


@pytest.fixture
def gitlab() -> ScriptedGitLab:
    return ScriptedGitLab()


@pytest.fixture
def run(gitlab: ScriptedGitLab) -> Run:
    return run_over(gitlab)


def test_a_good_token_passes_every_step_in_order(run: Run, gitlab: ScriptedGitLab) -> None:
    verification = run()
    assert [check.step for check in verification.checks] == list(Step)
    assert (verification.ok, verification.code, verification.warnings) == (True, None, ())
    assert verification.facts.account == GitLabUser(id=7, username="sync", kind="human")
    assert (verification.facts.version, verification.facts.base_url) == ("17.5.1-ee", HOST)
    assert gitlab.paths == [
        SELF, USER, "/version", "/groups", "/projects", "/projects/3/pipelines", "/projects/4/pipelines", JOBS,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "step", "code"),
    [
        ("ftp://gitlab.example.com", Step.URL, "invalid_url"),
        ("https://me@gitlab.example.com", Step.URL, "invalid_url"),
        ("https://gitlab.example.com/?a=b", Step.URL, "invalid_url"),
        ("https://gitlab.example.com/#x", Step.URL, "invalid_url"),
        ("https://0x7f.1", Step.URL, "invalid_url"),
        ("", Step.URL, "invalid_url"),
        ("https://169.254.169.254", Step.HOST, "host_not_allowed"),
        ("https://10.0.0.1", Step.HOST, "host_not_allowed"),
        ("https://localhost", Step.HOST, "host_not_allowed"),
    ],
)
def test_a_bad_address_is_never_asked(run: Run, gitlab: ScriptedGitLab, url: str, step: Step, code: str) -> None:
    verification = run(url)
    assert (at(verification, step).code, verification.code) == (code, code)
    assert gitlab.requests == []
    assert [check.step for check in verification.checks] == list(Step)


def refused_by_tls() -> httpx.ConnectError:
    error = httpx.ConnectError("handshake")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    return error


# What one path answers, the step that reports it, the code, and details that must be there.
CASES = [
    (SELF, refused_by_tls(), Step.TLS, "tls_error", {}),
    (SELF, HostNotAllowed("private"), Step.HOST, "host_not_allowed", {}),
    (SELF, httpx.ConnectError("refused"), Step.CONNECT, "host_unreachable", {}),
    (SELF, httpx.ConnectTimeout("slow"), Step.CONNECT, "host_unreachable", {}),
    (SELF, answer(401, UNAUTHORIZED), Step.TOKEN, "invalid_credentials", {}),
    (SELF, answer(401, invalid("Token is expired.")), Step.TOKEN, "invalid_credentials", {"reason": "token_expired"}),
    (SELF, answer(401, invalid("Token was revoked.")), Step.TOKEN, "invalid_credentials", {"reason": "token_revoked"}),
    (SELF, answer(403, SCOPE), Step.TOKEN, "invalid_permissions", {"missing_scopes": ["read_api"]}),
    (SELF, html(), Step.TOKEN, "not_gitlab", {}),
    (SELF, html(404), Step.TOKEN, "not_gitlab", {}),
    (SELF, answer(302, None, location="https://evil.example.com"), Step.TOKEN, "not_gitlab", {}),
    (SELF, answer(200, [1]), Step.TOKEN, "unexpected_response", {"gitlab_request_id": "req-gitlab"}),
    (SELF, answer(429, None, retry_after="7"), Step.TOKEN, "rate_limited", {}),
    (SELF, answer(500), Step.TOKEN, "gitlab_unavailable", {}),
    (SELF, answer(418), Step.TOKEN, "unexpected_response", {"gitlab_request_id": "req-gitlab"}),
    (
        USER,
        answer(403, {"message": "403 Forbidden - Your account has been blocked"}),
        Step.ACCOUNT,
        "account_blocked",
        {},
    ),
    (USER, answer(403, {"message": "You must accept the Terms of Service"}), Step.ACCOUNT, "terms_not_accepted", {}),
    (USER, answer(403, {"message": "403 Forbidden"}), Step.ACCOUNT, "invalid_permissions", {"reason": "unexplained"}),
    (USER, answer(403, {"message": "Request blocked"}), Step.ACCOUNT, "invalid_permissions", {"reason": "unexplained"}),
    (SELF, answer(403, {"message": "403 Forbidden"}), Step.TOKEN, "invalid_permissions", {"reason": "unexplained"}),
    (USER, answer(503), Step.ACCOUNT, "gitlab_unavailable", {}),
    (USER, answer(200, {"username": "no id"}), Step.ACCOUNT, "unexpected_response", {}),
    ("/version", answer(200, {"version": "13.8.8"}), Step.VERSION, "unsupported_version", {"version": "13.8.8"}),
    ("/version", answer(502), Step.VERSION, "gitlab_unavailable", {}),
    ("/groups", answer(500), Step.GROUPS, "gitlab_unavailable", {}),
    ("/projects", answer(200, []), Step.PROJECTS, "no_resources", {}),
    ("/projects", answer(200, [project(3, archived=True)]), Step.PROJECTS, "no_active_projects", {}),
    ("/projects", answer(403, SCOPE), Step.PROJECTS, "invalid_permissions", {}),
    ("/projects", answer(503), Step.PROJECTS, "gitlab_unavailable", {}),
    ("/projects", html(), Step.PROJECTS, "not_gitlab", {}),
    ("/projects", httpx.ReadTimeout("slow"), Step.PROJECTS, "host_unreachable", {}),
    ("/projects", answer(200, {"not": "a list"}), Step.PROJECTS, "unexpected_response", {}),
    (JOBS, answer(403, {"message": "403 Forbidden"}), Step.JOBS, "jobs_forbidden", {}),
    (JOBS, answer(500), Step.JOBS, "gitlab_unavailable", {}),
]


@pytest.mark.parametrize(("path", "script", "step", "code", "details"), CASES)
def test_each_answer_has_its_code(
    run: Run, gitlab: ScriptedGitLab, path: str, script: Any, step: Step, code: str, details: dict[str, Any]
) -> None:
    gitlab.script[path] = script
    verification = run()
    check = at(verification, step)
    assert (check.ok, check.code, verification.ok, verification.code) == (False, code, False, code)
    assert check.details.items() >= details.items()
    assert check.hint
    assert not spilled(verification.checks)


def test_a_rate_limit_says_how_long(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script[SELF] = answer(429, None, retry_after="77")
    verification = run()
    assert verification.worst is not None
    assert verification.worst.retry_after == 77
    assert len(gitlab.requests) == 1


@pytest.mark.parametrize(("body", "words"), [
    (UNAUTHORIZED, "does not know this token"),
    (invalid("Token is expired. You can either do re-authorization or token refresh."), "has expired"),
    (invalid("Token was revoked. You have to re-authorize from the user."), "was revoked"),
    (invalid("Token is an impersonation token but impersonation was disabled."), "impersonation"),
    ({"error": "dpop_error", "error_description": "DPoP header is missing"}, "DPoP"),
])  # fmt: skip
def test_a_refused_token_is_told_why(run: Run, gitlab: ScriptedGitLab, body: Any, words: str) -> None:
    gitlab.script[SELF] = answer(401, body)
    assert words in (at(run(), Step.TOKEN).hint or "")


@pytest.mark.parametrize("prefix", ["gldt-", "glrt-", "glcbt-", "glft-"])
def test_a_token_of_another_trade_is_named_as_such(run: Run, prefix: str) -> None:
    check = at(run(token=f"{prefix}unknown"), Step.TOKEN)
    assert (check.code, check.details) == ("invalid_credentials", {"reason": "wrong_token_type"})


def test_a_foreign_prefix_that_gitlab_takes_is_fine(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.users["glft-works"] = 7
    assert run(token="glft-works").ok


def test_after_a_refused_token_nothing_further_is_asked(run: Run, gitlab: ScriptedGitLab) -> None:
    verification = run(token="glpat-unknown")
    assert gitlab.paths == [SELF]
    later = [check for check in verification.checks if check.step not in (Step.URL, Step.HOST, Step.CONNECT, Step.TLS)]
    assert [check.code for check in later] == ["invalid_credentials"] + [None] * 7
    assert all(not check.ok and "Not tried because" in (check.hint or "") for check in later[1:])
    assert [check.step for check in verification.checks if not check.ok and not check.skipped] == [Step.TOKEN]


def test_plain_http_has_no_tls_to_try(gitlab: ScriptedGitLab) -> None:
    check = at(run_over(gitlab, NetworkPolicy(allow_http=True))(HOST.replace("https", "http")), Step.TLS)
    assert (check.ok, check.skipped, check.code) == (True, True, None)
    assert "http" in (check.hint or "")
    check = at(run_over(gitlab)(), Step.TLS)
    assert (check.ok, check.skipped, check.hint) == (True, False, None)


@pytest.mark.parametrize(("scopes", "features", "missing"), [
    (["read_user"], Features(), ["read_api"]),
    (["read_api"], Features(manage_webhooks=True), ["api"]),
    (["read_user", "read_repository"], Features(report_statuses=True), ["api"]),
])  # fmt: skip
def test_missing_scopes_are_named_and_the_rest_is_tried(
    run: Run, gitlab: ScriptedGitLab, scopes: list[str], features: Features, missing: list[str]
) -> None:
    gitlab.token["scopes"] = scopes
    verification = run(features=features)
    assert verification.code == "invalid_permissions"
    check = at(verification, Step.TOKEN)
    assert check.details == {"missing_scopes": missing}
    assert f"the scope {missing[0]}," in (check.hint or "")
    assert at(verification, Step.JOBS).ok


@pytest.mark.parametrize(("day", "code"), [
    ("2025-06-28", "expiring_soon"),
    ("2025-06-30", None),
    (None, None),
])  # fmt: skip
def test_an_expiry_within_two_weeks_is_a_warning(
    run: Run, gitlab: ScriptedGitLab, day: str | None, code: str | None
) -> None:
    gitlab.token["expires_at"] = day
    verification = run()
    assert (verification.ok, verification.code, at(verification, Step.TOKEN).code) == (True, None, code)


@pytest.mark.parametrize(("more", "reason"), [
    ({"revoked": True}, "token_revoked"),
    ({"expires_at": "2025-06-01"}, "token_expired"),
])  # fmt: skip
def test_a_description_may_say_that_the_token_is_dead(
    run: Run, gitlab: ScriptedGitLab, more: dict[str, Any], reason: str
) -> None:
    gitlab.token |= more
    assert at(run(), Step.TOKEN).details == {"reason": reason}


@pytest.mark.parametrize("status", [404, 400])
def test_an_oauth_token_is_described_outside_the_api(run: Run, gitlab: ScriptedGitLab, status: int) -> None:
    gitlab.script[SELF] = answer(status, {"message": "This endpoint requires another type of token"})
    gitlab.script["/oauth/token/info"] = answer(200, {"scope": ["read_api"], "expires_in": 7000})
    verification = run()
    assert verification.ok
    assert verification.facts.token.scopes == ("read_api",)
    assert gitlab.requests[1].url.path == "/oauth/token/info"


@pytest.mark.parametrize("info", [answer(404), answer(401, UNAUTHORIZED), html(404), answer(500)])
def test_an_old_gitlab_is_judged_by_its_user(run: Run, gitlab: ScriptedGitLab, info: httpx.Response) -> None:
    gitlab.script |= {SELF: answer(404), "/oauth/token/info": info}
    verification = run()
    assert verification.ok
    assert gitlab.paths.count(USER) == 1


@pytest.mark.parametrize(("user", "code"), [
    (answer(401, UNAUTHORIZED), "invalid_credentials"),
    (answer(404, {"error": "nothing"}), "not_gitlab"),
    (answer(403, {"message": "Your account has been blocked"}), "account_blocked"),
    (answer(503), "gitlab_unavailable"),
])  # fmt: skip
def test_the_user_of_an_old_gitlab_decides(run: Run, gitlab: ScriptedGitLab, user: httpx.Response, code: str) -> None:
    gitlab.script |= {SELF: answer(404), USER: user}
    assert run().code == code


def test_metadata_stands_in_for_version_and_neither_is_needed(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script |= {"/version": answer(404), "/metadata": answer(200, {"version": "18.1.0"})}
    assert run().facts.version == "18.1.0"
    gitlab.script["/metadata"] = answer(404)
    verification = run()
    assert (verification.ok, verification.facts.version) == (True, None)


def test_a_gitlab_without_a_list_of_groups_is_fine(run: Run, gitlab: ScriptedGitLab) -> None:
    gitlab.script["/groups"] = answer(404)
    assert run().ok
    gitlab.script["/groups"] = answer(200, [])
    assert run().ok


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"username": "service_account_cafe", "bot": False}, "human"),
        ({"username": "project_7_bot_ab12", "bot": False}, "human"),
        ({"username": "project_7_bot_ab12", "bot": True}, "project_bot"),
        ({"username": "deployer", "bot": True}, "service_account"),
        ({"username": "service_account_cafe"}, "service_account"),
        ({"username": "jane"}, "human"),
    ],
)
def test_the_account_is_what_gitlab_says_it_is(
    run: Run, gitlab: ScriptedGitLab, user: dict[str, Any], kind: str
) -> None:
    gitlab.script[USER] = answer(200, {"id": 7, **user})
    account = run().facts.account
    assert account is not None
    assert account.kind == kind
