"""Calling hooks: headers, secrets, who hears what, what becomes of failures."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.hook_model import Hook
from stand_in_gitlab.webhooks.health import alert_status, failed, succeeded
from stand_in_gitlab.webhooks.request import Request
from stand_in_gitlab.webhooks.transport import Reply
from tests.unit.stand_in.conftest import EPOCH, Receiver

KEY = bytes(range(32))
URL = "https://hub.test/hook"
Push = Callable[..., dict[str, Any]]


@pytest.fixture
def push(control: Any) -> Push:
    def call(**what: Any) -> dict[str, Any]:
        done: dict[str, Any] = control("POST", "changes", {"do": "push", "project_id": 1, **what})
        assert control("POST", "wait_for_hooks", {"seconds": 5})["quiet"]
        return done

    return call


@pytest.fixture
def hook(ask: Any, app: StandIn) -> Callable[..., int]:
    """Registers a hook; those that the company already had are gone."""
    app.company.hooks.clear()

    def call(place: str = "/projects/1/hooks", **sent: Any) -> int:
        made = ask(place, "admin", "POST", {"url": URL, **sent})
        assert made.status == 201
        return int(made.json["id"])

    return call


def test_a_push_is_told_with_gitlab_s_headers(hook: Any, push: Push, receiver: Receiver) -> None:
    hook(token="s3cret")
    push(files=["a.py"])
    (call,) = receiver.got
    assert call.url == URL
    headers = dict(call.headers)
    assert headers["X-Gitlab-Event"] == "Push Hook"
    assert headers["X-Gitlab-Token"] == "s3cret"
    assert headers["X-Gitlab-Instance"] == "http://gitlab.test"
    assert headers["User-Agent"] == "GitLab/19.0.2-ee"
    assert headers["Content-Type"] == "application/json"
    ids = [headers["X-Gitlab-Event-UUID"], headers["X-Gitlab-Webhook-UUID"], headers["Idempotency-Key"]]
    assert len(set(ids)) == 3
    assert "webhook-signature" not in headers


def test_a_signing_token_signs_the_raw_body(hook: Any, push: Push, receiver: Receiver) -> None:
    hook(signing_token=f"whsec_{base64.b64encode(KEY).decode()}")
    push(files=["ä.py"])
    (call,) = receiver.got
    assert call.headers["webhook-id"] == call.headers["Idempotency-Key"]
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{expected}"
    assert "X-Gitlab-Token" not in call.headers


def test_the_time_of_a_signature_may_be_wrong_on_purpose(
    hook: Any, push: Push, receiver: Receiver, control: Any
) -> None:
    hook(signing_token=f"whsec_{base64.b64encode(KEY).decode()}")
    push(files=["a"])
    control("POST", "behaviour", {"webhook_clock_skew": -900.0})
    push(files=["b"])
    right, wrong = (int(each.headers["webhook-timestamp"]) for each in receiver.got)
    assert 895 <= right - wrong <= 901


def test_no_id_says_that_two_hooks_tell_of_one_push(hook: Any, push: Push, receiver: Receiver) -> None:
    hook()
    hook(url=f"{URL}/2")
    push(files=["a.py"])
    one, two = (dict(each.headers) for each in receiver.got)
    names = ("X-Gitlab-Event-UUID", "Idempotency-Key", "X-Gitlab-Webhook-UUID")
    assert not any(one[name] == two[name] for name in names)


def test_groups_above_and_the_instance_hear_it_too(hook: Any, push: Push, receiver: Receiver, app: StandIn) -> None:
    home = app.company.projects[1].group_id
    above = [group.id for group in app.company.ancestors(home)]
    aside = next(number for number in app.company.groups if number not in above)
    for number in [*above, aside]:
        hook(f"/groups/{number}/hooks", url=f"{URL}/group/{number}")
    hook("/hooks", url=f"{URL}/system", push_events=True)
    hook("/projects/2/hooks", url=f"{URL}/other")
    push(files=["a.py"])
    heard = sorted(each.url.removeprefix(URL) for each in receiver.got)
    assert heard == sorted([*(f"/group/{number}" for number in above), "/system", "/system"])
    system = [json.loads(each.body)["event_name"] for each in receiver.got if each.url.endswith("system")]
    assert sorted(system) == ["push", "repository_update"]
    assert {each.headers["X-Gitlab-Event"] for each in receiver.got} == {"Push Hook", "System Hook"}


@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ({"push_events": False}, []),
        ({"push_events_branch_filter": "release/*"}, ["refs/heads/release/1"]),
        (
            {"push_events_branch_filter": "^rel.*1$", "branch_filter_strategy": "regex"},
            ["refs/heads/release/1"],
        ),
        (
            {"push_events_branch_filter": "x", "branch_filter_strategy": "all_branches"},
            ["refs/heads/feature/1", "refs/heads/release/1"],
        ),
    ],
)
def test_a_hook_hears_what_it_asked_for(
    hook: Any, push: Push, receiver: Receiver, options: dict[str, Any], heard: list[str]
) -> None:
    hook(**options)
    for branch in ("release/1", "feature/1"):
        push(branch=branch, files=["a.py"])
    assert sorted(each["ref"] for each in receiver.bodies) == heard


@pytest.mark.parametrize("branch", ["release?1", "release/1"])
def test_only_the_star_of_a_filter_stands_for_others(hook: Any, push: Push, receiver: Receiver, branch: str) -> None:
    hook(push_events_branch_filter="release?*")
    push(branch=branch, files=["a.py"])
    assert bool(receiver.got) is (branch == "release?1")


def test_a_template_and_headers_change_what_arrives(hook: Any, push: Push, receiver: Receiver, ask: Any) -> None:
    template = '{"kind": "{{object_kind}}", "id": {{project.id}}, "none": {{no.such}}}'
    headers = [{"key": "X-Route", "value": "blue"}, {"key": "X-Gitlab-Event", "value": "Other Hook"}]
    number = hook(custom_webhook_template=template, custom_headers=headers, token="s3cret")
    shown = ask(f"/projects/1/hooks/{number}", "admin").json
    assert (shown["custom_webhook_template"], shown["custom_headers"]) == (
        template,
        [{"key": "X-Route"}, {"key": "X-Gitlab-Event"}],
    )
    push(files=["a.py"])
    [call] = receiver.got
    assert json.loads(call.body) == {"kind": "push", "id": 1, "none": None}
    assert (call.headers["X-Route"], call.headers["X-Gitlab-Event"]) == ("blue", "Push Hook")
    [event] = ask(f"/projects/1/hooks/{number}/events", "admin").json
    assert event["request_headers"]["X-Route"] == "[REDACTED]"


@pytest.mark.parametrize("template", ["{{commits.0}}", "no json", '{"a": {{commits.id}}}'])
def test_a_template_that_makes_no_json_sends_nothing_and_fails(
    hook: Any, push: Push, receiver: Receiver, ask: Any, template: str
) -> None:
    number = hook(custom_webhook_template=template)
    push(files=["a.py"])
    [event] = ask(f"/projects/1/hooks/{number}/events", "admin").json
    assert (receiver.got, event["response_status"]) == ([], "internal error")


def test_every_attempt_is_recorded_and_none_is_repeated(hook: Any, push: Push, receiver: Receiver, ask: Any) -> None:
    number = hook(token="s3cret")
    receiver.statuses = [200, 503, None, 302]
    for _ in range(4):
        push(files=["a.py"])
    events = ask(f"/projects/1/hooks/{number}/events", "admin").json
    assert [each["response_status"] for each in events] == ["302", "internal error", "503", "200"]
    assert len(receiver.got) == 4
    assert {each["trigger"] for each in events} == {"push_hooks"}
    assert events[-1]["request_headers"]["X-Gitlab-Token"] == "[REDACTED]"
    assert events[-1]["request_data"]["object_kind"] == "push"
    assert events[-1]["request_data"]["commits"][0]["author"]["email"] == "[REDACTED]"
    assert events[-1]["response_body"] == '{"ok":true}'


def test_four_failures_in_a_row_disable_a_hook_for_a_while(
    hook: Any, push: Push, receiver: Receiver, ask: Any, app: StandIn
) -> None:
    number = hook()
    receiver.statuses = [500] * 4
    for _ in range(6):
        push(files=["a.py"])
    assert len(receiver.got) == 4
    row = ask(f"/projects/1/hooks/{number}", "admin").json
    assert row["alert_status"] == "temporarily_disabled"
    assert row["disabled_until"] == "2026-09-21T14:14:20.000Z"
    app.clock.advance(61)
    push(files=["a.py"])
    assert len(receiver.got) == 5
    row = ask(f"/projects/1/hooks/{number}", "admin").json
    assert (row["alert_status"], row["disabled_until"]) == ("executable", None)


def test_failures_that_are_not_in_a_row_disable_nothing(hook: Any, push: Push, receiver: Receiver) -> None:
    hook()
    receiver.statuses = [500, 500, 500, 200, 500, 500, 500, 200]
    for _ in range(8):
        push(files=["a.py"])
    assert len(receiver.got) == 8


def a_hook(kind: Any = "project") -> Hook:
    return Hook(id=1, owner=(kind, 1), url=URL, created=0, flags={})


def test_pauses_double_up_to_a_day_and_the_fortieth_failure_is_the_last() -> None:
    hook, now, pauses = a_hook(), EPOCH, []
    for _ in range(39):
        failed(hook, now)
        pauses.append((hook.disabled_until or now) - now)
        assert alert_status(hook, now) == ("temporarily_disabled" if hook.failures > 3 else "executable")
        now = max(now, hook.disabled_until or 0) + 1
    assert pauses[:6] == [0, 0, 0, 60, 120, 240]
    assert pauses[-1] == 86_400
    failed(hook, now)
    assert alert_status(hook, now + 10**9) == "disabled"
    succeeded(hook)
    assert alert_status(hook, now) == "executable"


def test_a_disabled_hook_does_not_fail_any_further_and_system_hooks_never() -> None:
    hook, system = a_hook(), a_hook("system")
    for _ in range(50):
        failed(hook, EPOCH)
        failed(system, EPOCH)
    assert (hook.failures, system.failures) == (4, 0)


def test_the_api_does_not_wait_for_a_slow_receiver(hook: Any, ask: Any, control: Any, app: StandIn) -> None:
    gate = threading.Event()

    def slow(_request: Request) -> Reply:
        gate.wait(60)
        return Reply(status=200, headers={}, body="")

    app.sender._post = slow
    hook()
    done = control("POST", "changes", {"do": "push", "project_id": 1, "files": ["a.py"]})
    assert done["hooks"] == 1
    assert control("POST", "wait_for_hooks", {"seconds": 0.01}) == {"quiet": False, "sent": 0}
    assert ask("/projects/1", "admin").status == 200
    gate.set()
    assert control("POST", "wait_for_hooks", {"seconds": 60}) == {"quiet": True, "sent": 1}
