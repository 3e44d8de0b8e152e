"""Commands that do something: what they ask of the hub, what becomes of it, and that nobody is asked twice."""

import json

import httpx
import pytest

from tests.fakes.gitlab import CANARY, answer
from tests.functional.cli.command_line import CommandLine


def test_a_gitlab_is_connected_with_a_token_that_nobody_sees(hub: CommandLine) -> None:
    shown = hub("connect", "https://second.example.com", "--name", "Second", typed=f"{CANARY}\n")
    assert (shown.code, "Second" in shown.out, CANARY in shown.everything) == (0, True, False)
    assert "step" in shown.out
    made = next(one for one in json.loads(hub("integrations", "-o", "json").out) if one["display_name"] == "Second")
    assert f"hub sync --watch -i {made['id']}" in shown.out
    assert hub("summary", "-i", "Second", "-o", "json").code == 0


def test_a_feature_that_the_token_does_not_carry_is_refused(hub: CommandLine) -> None:
    refused = hub("connect", "https://fifth.example.com", "--provisioning", "--manage-webhooks", typed=CANARY)
    sent = json.loads(hub.network.requests[-1].content)
    assert sent["features"] == {"manage_webhooks": True, "provisioning": True}
    assert (refused.code, "invalid_permissions: " in refused.err) == (1, True)


def test_a_token_can_be_tried_and_nothing_is_kept(hub: CommandLine) -> None:
    before = hub("integrations", "-o", "json").out
    tried = hub("connect", "https://third.example.com", "--dry-run", "--token-stdin", typed=CANARY)
    assert (tried.code, "Nothing was kept" in tried.out) == (0, True)
    assert hub("integrations", "-o", "json").out == before


def test_a_token_that_does_not_suffice_is_refused_step_by_step(hub: CommandLine) -> None:
    before = hub.hub.gitlab.script["/user"]
    hub.hub.gitlab.script["/user"] = answer(401, {})
    refused = hub("connect", "https://fourth.example.com", typed=CANARY)
    hub.hub.gitlab.script["/user"] = before
    assert (refused.code, "invalid_credentials: " in refused.err, CANARY in refused.everything) == (1, True, False)
    assert "failed" in refused.out


def test_an_oauth_application_is_connected_by_a_link_for_a_browser(hub: CommandLine) -> None:
    _, shown = hub.hub("GET", f"/v1/integrations/{hub.hub.own}")
    started = {
        "integration": {**shown["integration"], "status": "inactive"},
        "verification": {"ok": True, "code": None, "warnings": [], "checks": []},
        "redirect_uri": "https://hub.example.com/callback",
    }
    begun = {"connect_url": "https://hub.example.com/connect/t-1", "state_expires_at": int(hub.clock) + 600}
    hub.network.faults = [httpx.Response(201, json=started), httpx.Response(200, json=begun)]
    told = hub("connect", "https://gitlab.example.com", "--oauth-app", "app-1", typed="gloas-1\n")
    assert [json.loads(request.content) for request in hub.network.requests] == [
        {
            "host_url": "https://gitlab.example.com",
            "auth_mode": "oauth_app",
            "client_id": "app-1",
            "client_secret": "gloas-1",
        },
        {"integration_id": hub.hub.own},
    ]
    assert (told.code, "inactive" in told.out, "gloas-1" in told.everything, "hub sync" in told.out) == (
        0,
        True,
        False,
        False,
    )
    assert told.err.splitlines() == [
        "The application needs the redirect URI https://hub.example.com/callback",
        "To agree, open this in a browser; it ends in 10 minutes:",
        "https://hub.example.com/connect/t-1",
    ]


def test_an_integration_is_changed_verified_given_another_token_and_removed(hub: CommandLine) -> None:
    made = hub("connect", "https://sixth.example.com", "--name", "Sixth", "-o", "json", typed=CANARY)
    here = ("-i", json.loads(made.out)["integration"]["id"])
    assert (hub("integrations", "change", *here).code, hub("integrations", "change", "--pause", *here).code) == (2, 0)
    renamed = json.loads(hub("integrations", "change", "--name", "6th", "--resume", *here, "-o", "json").out)
    assert (renamed["display_name"], json.loads(hub("integrations", "show", *here, "-o", "json").out)) == (
        "6th",
        renamed,
    )
    assert "ok" in hub("integrations", "verify", *here).out
    given = hub("integrations", "token", *here, typed=CANARY)
    assert (given.code, "valid" in given.out, CANARY in given.everything) == (0, True, False)
    before, hub.hub.gitlab.script["/user"] = hub.hub.gitlab.script["/user"], answer(401, {})
    refused, failed = hub("integrations", "token", *here, typed=CANARY), hub("integrations", "verify", *here)
    hub.hub.gitlab.script["/user"] = before
    assert (refused.code, "failed" in refused.out, failed.code, CANARY in refused.everything) == (1, True, 4, False)
    assert [hub("integrations", verb, *here).code for verb in ("rotate", "remove")] == [2, 2]
    assert hub("integrations", "remove", "--yes", *here).code == 0
    assert hub("integrations", "show", *here).code == 2


def test_a_delivery_is_replayed(hub: CommandLine) -> None:
    waiting = hub.hub.container.ordered_queues["deliveries"]
    before = len(waiting.sent)
    assert hub("deliveries", "replay", hub.hub.ids["delivery_id"]).code == 0
    assert len(waiting.sent) == before + 1


def test_a_build_is_cancelled_and_run_again(hub: CommandLine) -> None:
    build = hub.hub.ids["build_id"]
    again = json.loads(hub("builds", "rerun", _cancelled(hub, build), "-o", "json").out)
    assert (again["rerun_of"], again["status"]) == (build, "pending")
    refused = hub("builds", "approve", build)
    assert (refused.code, refused.out) == (1, "")


def _cancelled(hub: CommandLine, build: str) -> str:
    assert json.loads(hub("builds", "cancel", build, "-o", "json").out)["status"] == "canceled"
    return build


def test_what_is_decided_already_stays_decided(hub: CommandLine) -> None:
    for verb in ("approve", "deny"):
        refused = hub("requests", verb, "req_00000000", "--comment", "no")
        assert (refused.code, "request id: req-1" in refused.err) == (1, True), verb


def test_a_hub_token_is_made_shown_once_used_and_revoked(hub: CommandLine) -> None:
    made = json.loads(
        hub("tokens", "create", "viewer", "--label", "CI", "--only", "Acme", "--expires", "30d", "-o", "json").out
    )
    assert (made["role"], made["label"], len(made["integration_ids"])) == ("viewer", "CI", 1)
    listed = hub("tokens")
    assert (made["id"] in listed.out, made["token"] in listed.everything) == (True, False)
    assert hub("tokens", "revoke", made["id"], "--yes").out == "Revoked.\n"
    hub.environ["HUB_TOKEN"] = made["token"]
    assert (hub("whoami").code, "unauthorized: " in hub("whoami").err) == (1, True)


def test_what_has_to_be_confirmed_is_not_done_where_nobody_can_be_asked(hub: CommandLine) -> None:
    refused = hub("tokens", "revoke", "t-1", typed="y\n")
    assert (refused.code, "Add --yes" in refused.err, hub.network.requests) == (2, True, [])


def test_a_sync_is_asked_for(hub: CommandLine) -> None:
    asked = hub("sync", "--kind", "access", "--kind", "credentials", "--full")
    assert (asked.code, "is queued" in asked.err, "queued" in asked.out) == (0, True, True)
    assert {"kinds": ["access", "credentials"], "full": True} in [
        json.loads(request.content or "null") for request in hub.network.requests
    ]
    again = hub("sync", "--kind", "access")
    assert (again.code, "sync_in_progress: " in again.err, "--watch" in again.err) == (1, True, True)


@pytest.mark.parametrize(
    "command",
    ["connect https://gitlab.example.com --dry-run", "sync", "builds cancel {build_id}",
     "deliveries replay {delivery_id}", "plan grant ana acme owner", "apply plan_00000000 --yes", "undo plan_00000000",
     "reviews create Everything", "reviews close {review_id} --yes", "sync accept access", "policies",
     "webhooks repair {hook_id}", "triggers delete {trigger_id} --yes", "api /v1/tokens",
     "tokens create owner", "tokens", "requests ask ana acme owner --reason x", "requests approve req_00000000"],
)  # fmt: skip
def test_a_viewer_is_told_that_the_role_is_too_low(hub: CommandLine, command: str) -> None:
    hub.limited(role="viewer")
    refused = hub(*command.format(**hub.hub.ids).split(), typed=CANARY)
    assert (refused.code, "permission_denied: " in refused.err) == (1, True)
    assert ("`hub whoami` shows the role" in refused.err, "request id: req-1" in refused.err) == (True, True)
