import json
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.gitlab import errors as gitlab
from gitlab_hub.gitlab.webhooks.event_types import REGISTRABLE
from gitlab_hub.webhooks.hooks.errors import HookLimitReached, is_definite, limit_reached, refusal
from gitlab_hub.webhooks.hooks.mapping import (
    FLAGS,
    Taken,
    diff,
    hooks_path,
    status_of,
    target_path,
    to_gitlab,
    unsupported,
    with_created,
    with_observed,
)
from gitlab_hub.webhooks.hooks.missed_deliveries import key_of, next_page
from gitlab_hub.webhooks.hooks.registration import signs
from gitlab_hub.webhooks.hooks.rotation import version_made, with_attempt
from tests.fakes.hooks import hook, secrets

NOW = 1_750_000_100
DATA = Path(__file__).parents[3] / "data" / "gitlab"


def row(**more: Any) -> dict[str, Any]:
    """GitLab's row of a hook that is in order."""
    flags = {flag: event in hook().events for event, flag in FLAGS["project"].items()}
    plain = {"id": 77, "url": hook().url, "enable_ssl_verification": True, "alert_status": "executable"}
    return plain | {"token_present": True, "signing_token_present": True} | flags | more


def test_what_is_sent_names_every_switch_and_both_secrets() -> None:
    sent = to_gitlab(hook(), secrets())
    assert (sent["token"], sent["signing_token"]) == (
        secrets().token(hook().id, 1),
        secrets().signing_token(hook().id, 1),
    )
    assert (sent["push_events"], sent["merge_requests_events"], sent["pipeline_events"]) == (True, True, False)
    assert set(FLAGS["project"].values()) < set(sent)
    assert sent["enable_ssl_verification"] is True
    assert (sent["issues_events"], sent["repository_update_events"]) == (False, False)
    assert (sent["push_events_branch_filter"], sent["custom_webhook_template"]) == ("", "")


def test_every_switch_that_gitlabs_schema_names_is_set() -> None:
    schema = json.loads((DATA / "schemas" / "public_api" / "v4" / "project_hook.json").read_text())
    switches = {name for name in schema["properties"] if name.endswith("_events")}
    assert switches <= {name for name, value in to_gitlab(hook(), secrets()).items() if isinstance(value, bool)}


def test_what_gitlab_was_sent_is_not_drift() -> None:
    assert diff(hook(), row()) == ()


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        ({"url": "https://elsewhere.example.com"}, ("url",)),
        ({"push_events": False}, ("events",)),
        ({"job_events": True}, ("events",)),
        ({"enable_ssl_verification": False}, ("ssl",)),
        ({"token_present": False}, ("secret",)),
        ({"signing_token_present": False}, ("secret",)),
        ({"url": "x", "note_events": True, "enable_ssl_verification": False}, ("url", "events", "ssl")),
        ({"issues_events": True}, ("events",)),
        ({"confidential_note_events": None, "emoji_events": None}, ()),
        ({"push_events_branch_filter": "main", "branch_filter_strategy": "wildcard"}, ("branch_filter",)),
        ({"push_events_branch_filter": "^main$", "branch_filter_strategy": "regex"}, ("branch_filter",)),
        ({"push_events_branch_filter": "", "branch_filter_strategy": "regex"}, ()),
        ({"push_events_branch_filter": None, "branch_filter_strategy": "all_branches"}, ()),
        ({"custom_webhook_template": "{}"}, ("template",)),
        ({"custom_webhook_template": ""}, ()),
        ({"custom_headers": [{"key": "X-Route"}]}, ("headers",)),
        ({"url_variables": [{"key": "path"}]}, ("variables",)),
        ({"custom_headers": [], "url_variables": None}, ()),
        ({"name": "renamed", "description": "by somebody", "alert_status": "disabled"}, ()),
    ],
)
def test_each_kind_of_drift_is_named(more: dict[str, Any], differs: tuple[str, ...]) -> None:
    assert diff(hook(), row(**more)) == differs


def test_what_an_older_gitlab_does_not_say_is_right() -> None:
    assert diff(hook(verification="token"), {"id": 77, "url": hook().url}) == ()
    assert diff(hook(verification="token"), row(signing_token_present=False)) == ()


def test_plain_http_is_not_asked_for_a_certificate() -> None:
    plain = hook(url="http://127.0.0.1:8787/x")
    assert to_gitlab(plain, secrets())["enable_ssl_verification"] is False
    assert diff(plain, row(url=plain.url, enable_ssl_verification=False)) == ()


@pytest.mark.parametrize(
    ("alert", "drift", "status"),
    [
        ("executable", (), "active"),
        ("executable", ("url",), "drifted"),
        ("disabled", ("url",), "disabled"),
        ("temporarily_disabled", (), "temporarily_disabled"),
        (None, (), "active"),
        ("something_new", (), "active"),
    ],
)
def test_the_status_is_the_worst_of_what_is_seen(alert: str | None, drift: tuple[str, ...], status: str) -> None:
    assert status_of({"alert_status": alert}, drift) == status


def test_a_look_lowers_nothing_and_a_writing_believes_the_answer() -> None:
    unsigned = row(signing_token_present=False)
    assert with_observed(hook(), unsigned, now=NOW).verification == "signature"
    assert with_created(hook(), Taken(unsigned, None), now=NOW).verification == "token"
    assert with_created(hook(verification="token"), Taken(row(), None), now=NOW).verification == "signature"


@pytest.mark.parametrize("present", [None, "true", 1])
def test_only_a_plain_true_is_a_signature(present: Any) -> None:
    assert with_created(hook(), Taken(row(signing_token_present=present), None), now=NOW).verification == "token"


def test_events_by_scope() -> None:
    assert unsupported("project", REGISTRABLE) == ["member", "project", "subgroup"]
    assert unsupported("group", REGISTRABLE) == []
    assert unsupported("system", ("push", "tag_push", "merge_request", "member", "project", "subgroup")) == []
    assert unsupported("system", ("job",)) == ["job"]


def test_paths() -> None:
    assert [hooks_path("project", 3), hooks_path("group", 1), hooks_path("system", None)] == [
        "/projects/3/hooks",
        "/groups/1/hooks",
        "/hooks",
    ]
    assert target_path("project", "acme/p 3?x#y") == "/projects/acme%2Fp%203%3Fx%23y"


@pytest.mark.parametrize(
    ("version", "expected"),
    [("19.0.0", True), ("20.1-ee", True), ("18.11.3", False), ("", False), (None, False), ("x.1", False)],
)
def test_gitlab_signs_since_19(version: str | None, expected: bool) -> None:
    assert signs(version) is expected


DEFINITE = [
    gitlab.Forbidden("", http_status=403),
    gitlab.ResourceNotFound("", http_status=404),
    gitlab.RateLimited("", http_status=429),
    gitlab.UnexpectedResponse("", http_status=422),
    gitlab.Unauthorized("", http_status=401),
    gitlab.HostNotAllowed(""),
    gitlab.TlsError(""),
    limit_reached("project", "acme/p3"),
]
OPEN = [
    gitlab.HostUnreachable(""),
    gitlab.Unavailable("", http_status=500),
    gitlab.NotGitLab("", http_status=403),
    gitlab.Interrupted("", http_status=201),
    gitlab.UnexpectedResponse("", http_status=201),
    gitlab.UnexpectedResponse(""),
]


@pytest.mark.parametrize(
    ("error", "expected"), [*((one, True) for one in DEFINITE), *((one, False) for one in OPEN)], ids=repr
)
def test_only_a_refusal_had_certainly_no_effect(error: gitlab.GitLabError, expected: bool) -> None:
    assert is_definite(error) is expected


@pytest.mark.parametrize(
    ("scope", "code"), [("project", "maintainer_required"), ("group", "owner_required"), ("system", "admin_required")]
)
def test_a_403_names_the_role_by_scope(scope: str, code: str) -> None:
    error = refusal(gitlab.Forbidden("", details={"reason": "unknown"}), scope, "acme/p3")
    assert error.code == code
    assert ("the whole GitLab" if scope == "system" else f"the {scope} acme/p3") in str(error)


def test_a_403_about_the_account_itself_stays_what_it_is() -> None:
    blocked = gitlab.Forbidden("", details={"reason": "account_blocked"})
    assert refusal(blocked, "project", "acme/p3") is blocked


def test_what_is_no_refusal_of_gitlabs_stays_what_it_is() -> None:
    full = limit_reached("project", "acme/p3")
    assert isinstance(refusal(full, "project", "acme/p3"), HookLimitReached)
    assert refusal(gitlab.UnexpectedResponse("", http_status=409), "project", "acme/p3").code == "unexpected_response"


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"Idempotency-Key": "k"}, "k"),
        ({"idempotency-key": "k", "webhook-id": "w"}, "k"),
        ({"Webhook-Id": "w"}, "w"),
        ({"X-Gitlab-Webhook-UUID": "u", "X-Gitlab-Event-UUID": "e"}, None),
        ({"Idempotency-Key": ""}, None),
        ({"Idempotency-Key": 5}, None),
        (None, None),
        ([], None),
    ],
)
def test_the_dedupe_key_of_a_record(headers: Any, key: str | None) -> None:
    assert key_of({"request_headers": headers}) == key


def test_a_pass_goes_through_both_kinds_and_ends() -> None:
    one = hook(resend_target=90, resend_cursor=10)
    pages = [next_page(one, is_last=False)]
    pages.append(next_page(pages[-1], is_last=True))
    pages.append(next_page(pages[-1], is_last=False))
    pages.append(next_page(pages[-1], is_last=True))
    assert [(page.resend_status, page.resend_page, page.resend_target, page.resend_cursor) for page in pages] == [
        ("server_failure", 2, 90, 10),
        ("client_failure", 1, 90, 10),
        ("client_failure", 2, 90, 10),
        ("server_failure", 1, None, 90),
    ]


def test_what_a_later_release_calls_a_failure_ends_the_pass() -> None:
    assert next_page(hook(resend_target=90, resend_status="odd"), is_last=True).resend_target is None


def test_a_request_is_remembered_by_the_version_it_made() -> None:
    rotated = with_attempt(hook(secret_version=4), "digest")
    assert version_made(rotated, "digest") == 5
    assert version_made(rotated, "other") is None


def test_only_the_latest_requests_are_remembered() -> None:
    one = hook()
    for number in range(20):
        one = with_attempt(one, f"digest-{number}")
    assert len(one.attempts) == 8
    assert version_made(one, "digest-19") == 2
    assert version_made(one, "digest-1") is None
