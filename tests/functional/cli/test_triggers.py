"""`hub triggers` and `hub webhooks`: what GitLab tells, and what is built of it."""

import json
from pathlib import Path

import httpx
import pytest

from tests.functional.cli.command_line import CommandLine

TRIGGER = {"project_id": 3, "events": ["push"], "target": {"type": "eventbridge"}}


def test_a_trigger_is_made_changed_tried_and_removed(hub: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "trigger.json"
    file.write_text(json.dumps({**TRIGGER, "branches": {"include": ["main"], "exclude": ["x/*"]}}))
    trigger = json.loads(hub("triggers", "create", str(file), "-o", "json").out)
    assert trigger["integration_id"] == hub.hub.own
    assert "main, not x/*" in hub("triggers", "show", trigger["id"]).out
    changed = json.loads(hub("triggers", "change", trigger["id"], "--disable", "-o", "json").out)
    assert (changed["enabled"], changed["branches"]) == (False, trigger["branches"])
    tried = hub("triggers", "try", trigger["id"], "--delivery", hub.hub.ids["delivery_id"])
    assert (tried.code, "switched off" in tried.out, "It builds nothing." in tried.out) == (0, True, True)
    assert hub("triggers", "change", trigger["id"], "-", typed='{"enabled": true}').code == 0
    tried = hub("triggers", "try", trigger["id"], "--delivery", hub.hub.ids["delivery_id"], "-o", "json")
    assert {one["code"]: one["ok"] for one in json.loads(tried.out)["reasons"]}["trigger_enabled"] is True
    assert (hub("triggers", "delete", trigger["id"]).code, hub("triggers", "show", trigger["id"]).code) == (2, 0)
    assert hub("triggers", "delete", trigger["id"], "--yes").out == "Removed.\n"
    assert hub("triggers", "show", trigger["id"]).code == 1


def test_what_cannot_work_is_not_sent(hub: CommandLine) -> None:
    words = (["change", "t"], ["try", "t"], ["try", "t", "--delivery", "d", "--payload", "-"], ["create", "/nowhere"])
    ended = [hub("triggers", *one, typed="{}") for one in words] + [hub("triggers", "create", "-", typed="[]")]
    assert ([one.code for one in ended], hub.network.requests) == ([2] * 5, [])


def test_an_event_can_be_tried_before_it_comes(hub: CommandLine) -> None:
    push = {
        "object_kind": "push",
        "project_id": 3,
        "ref": "refs/heads/main",
        "after": "b" * 40,
        "checkout_sha": "b" * 40,
    }
    tried = hub(
        "triggers", "try", hub.hub.ids["trigger_id"], "--event", "push", "--payload", "-", typed=json.dumps(push)
    )
    assert (tried.code, "It would build main at bbbbbbbb." in tried.out) == (0, True)


def test_a_webhook_that_a_person_enters_shows_its_secrets_once(hub: CommandLine) -> None:
    made = hub("webhooks", "create", "project", "3", "--event", "push", "--event", "job", "--manual", "-o", "json")
    webhook = json.loads(made.out)
    secret = webhook["manual"]["secret_token"]
    assert (webhook["events"], secret in hub("webhooks", "show", webhook["id"]).everything) == (["push", "job"], False)
    rotated = hub("webhooks", "rotate", webhook["id"], "--grace", "2h")
    assert ("secret token" in rotated.out, secret in rotated.out) == (True, False)
    assert json.loads(hub.network.requests[-1].content) == {"grace_seconds": 7200}
    assert (hub("webhooks", "delete", webhook["id"]).code, hub("webhooks", "delete", webhook["id"], "-y").code) == (
        2,
        0,
    )


@pytest.mark.parametrize(
    ("verb", "answer", "code", "words"),
    [
        ("test", {"ok": True, "hint": None}, 0, "ok  yes"),
        ("test", {"ok": False, "hint": "Repair it."}, 4, "Repair it."),
        ("resend", {"resent": 2, "failed": 0, "known": 1, "complete": True}, 0, "resent  2"),
        ("resend", {"resent": 2, "failed": 0, "known": 1, "complete": False}, 0, "call it again"),
    ],
)
def test_gitlab_is_asked_to_send(hub: CommandLine, verb: str, answer: object, code: int, words: str) -> None:
    hub.network.faults = [hub.network.answer, httpx.Response(200, json=answer)]
    told = hub("webhooks", verb, hub.hub.ids["hook_id"])
    assert (told.code, words in told.everything) == (code, True)


def test_a_webhook_that_a_person_enters_has_nothing_to_repair(hub: CommandLine) -> None:
    refused = hub("webhooks", "repair", hub.hub.ids["hook_id"])
    assert (refused.code, hub.network.requests[-1].url.path.rpartition("/")[2]) == (1, "repair")
