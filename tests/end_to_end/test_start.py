"""Connecting a GitLab: what is answered, and that nothing is kept of what was refused."""

import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import first_group, newcomer, token
from tests.end_to_end.hub_client import Answer, Hub
from tests.end_to_end.stores import secrets

START = "/v1/integrations/gitlab/start"
FIELDS = {
    "id", "provider", "host_url", "auth_mode", "status", "credential_status", "display_name", "gitlab_version",
    "account", "scopes", "expires_at", "created_by", "created_at", "updated_at",
}  # fmt: skip

Try = Callable[[Hub, Running], Answer]


def kept(hub: Hub) -> tuple[set[str], set[str]]:
    """The integrations that are listed and the secrets that exist."""
    return {row["id"] for row in hub.rows("/v1/integrations")}, set(secrets(hub.stack))


def test_a_start_answers_with_the_integration(hub: Hub, lively: Running) -> None:
    user_id = newcomer(lively)
    answer = hub.start(lively.base, token(lively, user_id), display_name="Ours", features={"manage_webhooks": False})
    assert answer.status == 201
    assert answer.body.keys() >= {"integration", "verification", "webhook"}
    shown = answer.body["integration"]
    assert shown.keys() >= FIELDS
    assert {name: shown[name] for name in ("provider", "host_url", "auth_mode", "status", "display_name")} == {
        "provider": "gitlab", "host_url": lively.base, "auth_mode": "personal_token", "status": "active",
        "display_name": "Ours",
    }  # fmt: skip
    assert (shown["credential_status"], shown["scopes"]) == ("valid", ["read_api"])
    assert (shown["account"]["id"], shown["account"]["kind"]) == (user_id, "human")
    assert all(type(shown[name]) is int for name in ("created_at", "updated_at", "expires_at"))
    assert answer.body["webhook"]["url"].endswith("/v1/webhooks/gitlab")
    assert all(
        check.keys() >= {"step", "ok", "code", "http_status", "hint", "latency_ms"}
        for check in answer.body["verification"]["checks"]
    )


def test_a_fine_grained_token_connects_and_one_that_lacks_something_says_what(hub: Hub, lively: Running) -> None:
    user_id = newcomer(lively)
    lively.change("add_member", source="group", source_id=first_group(lively)["id"], user_id=user_id, level=40)
    permissions = ["User: Read", "Group: Read", "Project: Read", "Pipeline: Read"]

    def made(name: str, *held: str) -> str:
        grants = [{"access": access, "permissions": held} for access in ("user", "all_memberships")]
        return str(lively.change("add_token", name=name, user_id=user_id, scopes=["granular"], grants=grants)["value"])

    refused = hub.start(lively.base, made("fine-lacking", *permissions[:-1]))
    assert refused.refusal == (403, "invalid_permissions")
    assert refused.body["details"]["missing_permissions"] == ["Pipeline: Read"]
    answer = hub.start(lively.base, made("fine-enough", *permissions), features={"report_statuses": True})
    assert (answer.status, answer.body["integration"]["scopes"]) == (201, ["granular"])
    assert set(answer.body["verification"]["warnings"]) == {"missing_permissions", "unproven_permissions"}


def test_a_rehearsal_keeps_nothing(hub: Hub, lively: Running) -> None:
    before = kept(hub)
    answer = hub.start(lively.base, token(lively, newcomer(lively)), dry_run=True)
    assert (answer.status, answer.body["integration"], answer.body["verification"]["ok"]) == (201, None, True)
    assert kept(hub) == before


def test_the_same_user_of_the_same_gitlab_is_connected_once(hub: Hub, lively: Running) -> None:
    user_id = newcomer(lively)
    hub.connect(lively.base, token(lively, user_id))
    before = kept(hub)
    again = hub.start(f"{lively.base}/", token(lively, user_id))
    assert again.refusal == (409, "duplicate_integration")
    assert kept(hub) == before
    hub.connect(lively.base, token(lively, user_id), group=first_group(lively)["full_path"])


def nowhere(hub: Hub, gitlab: Running) -> Answer:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    return hub.start(f"http://127.0.0.1:{port}", "x")


def broken(kind: str, **rule: object) -> Try:
    def start(hub: Hub, gitlab: Running) -> Answer:
        gitlab.fault(kind, times=0, **rule)
        return hub.start(gitlab.base, token(gitlab))

    return start


def stranger(hub: Hub, gitlab: Running) -> Answer:
    user_id = gitlab.change("add_user", username="stranger")["id"]
    return hub.start(gitlab.base, token(gitlab, user_id))


def known(name: str, **more: Any) -> Try:
    return lambda hub, gitlab: hub.start(gitlab.base, gitlab.tokens[name], **more)


def given(value: str, host: str = "") -> Try:
    return lambda hub, gitlab: hub.start(host or gitlab.base, value)


@pytest.mark.parametrize(
    ("attempt", "refusal", "details"),
    [
        pytest.param(given("glpat-standin-nobody-knows"), (400, "invalid_credentials"), {}, id="wrong"),
        pytest.param(known("expired"), (400, "invalid_credentials"), {"reason": "token_expired"}, id="expired"),
        pytest.param(known("revoked"), (400, "invalid_credentials"), {"reason": "token_revoked"}, id="revoked"),
        pytest.param(given("gldt-standin"), (400, "invalid_credentials"), {"reason": "wrong_token_type"}, id="foreign"),
        pytest.param(known("narrow"), (403, "invalid_permissions"), {"missing_scopes": ["read_api"]}, id="narrow"),
        pytest.param(
            known("admin-read", features={"report_statuses": True}),
            (403, "invalid_permissions"), {"missing_scopes": ["api"]}, id="read-only",
        ),
        pytest.param(stranger, (409, "no_resources"), {}, id="sees nothing"),
        pytest.param(known("admin-read", group="no/such/group"), (409, "group_not_found"), {}, id="no group"),
        pytest.param(nowhere, (502, "host_unreachable"), {}, id="unreachable"),
        pytest.param(given("x", "http://no-such-host.invalid"), (502, "host_unreachable"), {}, id="no name"),
        pytest.param(broken("html_200"), (502, "not_gitlab"), {}, id="html"),
        pytest.param(broken("redirect"), (502, "not_gitlab"), {}, id="redirect"),
        pytest.param(broken("status", status=503), (503, "gitlab_unavailable"), {}, id="down"),
        pytest.param(broken("rate_limited", retry_after=60), (503, "rate_limited"), {}, id="throttled"),
        pytest.param(broken("deep_json"), (502, "unexpected_response"), {}, id="deep"),
        pytest.param(given("x", "http://169.254.169.254"), (400, "host_not_allowed"), {}, id="metadata"),
        pytest.param(given("x", "https://10.1.2.3"), (400, "host_not_allowed"), {}, id="private"),
        pytest.param(given("x", "ftp://gitlab.example.com"), (400, "invalid_url"), {}, id="scheme"),
        pytest.param(given("x", "https://me:word@gitlab.example.com"), (400, "invalid_url"), {}, id="userinfo"),
    ],
)  # fmt: skip
def test_what_cannot_be_connected_is_refused_and_not_kept(
    hub: Hub, lively: Running, attempt: Try, refusal: tuple[int, str], details: dict[str, Any]
) -> None:
    before = set(secrets(hub.stack))
    answer = attempt(hub, lively)
    assert answer.refusal == refusal, answer.body
    assert answer.body["details"].items() >= details.items()
    assert all(answer.body[name] for name in ("error", "request_id"))
    assert answer.body["retryable"] == ("retry-after" in answer.headers)
    assert set(secrets(hub.stack)) == before


def test_refused_attempts_left_no_integration(hub: Hub, lively: Running) -> None:
    users = {row["account"]["id"] for row in hub.rows("/v1/integrations") if row["host_url"] == lively.base}
    assert 1 not in users


@pytest.mark.parametrize(
    "more",
    [
        {"colour": "red"}, {"integration_id": "int_1"}, {"role": "owner"}, {"status": "active"}, {"secret_arn": "x"},
        {"fence": 1}, {"features": {"everything": True}}, {"access_token": None}, {"access_token": 5},
        {"access_token": "two words"}, {"auth_mode": "password"}, {"dry_run": "yes"}, {"host_url": None},
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused(hub: Hub, more: dict[str, Any]) -> None:
    answer = hub.start("https://gitlab.example.com", "x", **more)
    assert answer.refusal == (422, "invalid_input")
    [field] = {row["field"].split(".")[1] for row in answer.body["details"]["fields"]}
    assert field == next(iter(more))


@pytest.mark.parametrize(
    ("raw", "status"),
    [("{", 400), ("nul", 400), ("[" * 5000, 400), ('{"a": NaN}', 400), ("", 422), ("[]", 422), ("null", 422)],
)
def test_what_is_no_json_object_is_refused(hub: Hub, raw: str, status: int) -> None:
    assert hub.call("POST", START, raw=raw).refusal == (status, "invalid_input")
