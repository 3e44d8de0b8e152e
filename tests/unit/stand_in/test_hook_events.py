"""What a hook was told, once more: lists, resends and tests."""

from collections.abc import Callable
from typing import Any

import pytest

from stand_in_gitlab.app import StandIn
from tests.unit.stand_in.conftest import Receiver

URL = "https://hub.test/hook"
DAY = 86_400


@pytest.fixture
def pushed(control: Any, ask: Any, app: StandIn) -> Callable[..., str]:
    """Registers a hook of project 1, pushes so often and returns the hook's path."""
    app.company.hooks.clear()

    def call(times: int, **sent: Any) -> str:
        here = f"/projects/1/hooks/{ask('/projects/1/hooks', 'admin', 'POST', {'url': URL, **sent}).json['id']}"
        for _ in range(times):
            control("POST", "changes", {"do": "push", "project_id": 1, "files": ["a.py"]})
            control("POST", "wait_for_hooks")
        return here

    return call


def test_events_are_filtered_by_status(pushed: Any, ask: Any, receiver: Receiver) -> None:
    receiver.statuses = [200, 401, 503, None]
    here = pushed(4)

    def count(status: str) -> int:
        return len(ask(f"{here}/events?status={status}", "admin").json)

    assert [count(each) for each in ("successful", "client_failure", "server_failure", "401")] == [1, 1, 2, 1]
    assert count("client_failure,successful") == 2
    assert len(ask(f"{here}/events", "admin").json) == 4


def test_events_come_twenty_a_page_for_seven_days(pushed: Any, ask: Any, app: StandIn) -> None:
    here = pushed(21)
    assert len(ask(f"{here}/events", "admin").json) == 20
    assert len(ask(f"{here}/events?page=2", "admin").json) == 1
    assert ask(f"{here}/events?per_page=21", "admin").status == 400
    app.clock.advance(7 * DAY)
    assert len(ask(f"{here}/events?per_page=5", "admin").json) == 5
    app.clock.advance(1 * DAY)
    assert ask(f"{here}/events", "admin").json == []


def test_a_resend_repeats_the_key_and_waits_for_the_answer(
    pushed: Any, ask: Any, receiver: Receiver, app: StandIn
) -> None:
    receiver.statuses = [503, 202]
    here = pushed(1)
    event = ask(f"{here}/events", "admin").json[0]
    again = ask(f"{here}/events/{event['id']}/resend", "admin", "POST")
    assert (again.status, again.json) == (201, {"response_status": 202})
    first, second = receiver.got
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.headers["X-Gitlab-Webhook-UUID"] != second.headers["X-Gitlab-Webhook-UUID"]
    before, after = receiver.bodies
    # GitLab keeps no email addresses, so what it resends is not quite what it sent.
    assert before["commits"][0]["author"]["email"].endswith("@acme.example")
    assert after["commits"][0]["author"]["email"] == "[REDACTED]"
    assert {**after, "commits": []} == {**before, "commits": []}
    assert len(ask(f"{here}/events", "admin").json) == 2


def test_resends_that_cannot_be(pushed: Any, ask: Any, receiver: Receiver) -> None:
    receiver.statuses = [500] * 4
    here = pushed(4)
    event = ask(f"{here}/events", "admin").json[0]["id"]
    assert ask(f"{here}/events/{event}/resend", "admin", "POST").json == {"message": "Hook disabled"}
    assert ask(f"{here}/events/999999/resend", "admin", "POST").status == 404
    ask(here, "admin", "PUT", {"url": f"{URL}/new"})
    moved = ask(f"{here}/events/{event}/resend", "admin", "POST")
    assert (moved.status, moved.json["message"][:20]) == (422, "The hook URL has cha")
    assert len(receiver.got) == 4


@pytest.mark.parametrize("what", ["events/1/resend", "test/push_events"])
def test_five_a_minute(pushed: Any, ask: Any, what: str) -> None:
    here = pushed(1)
    codes = [ask(f"{here}/{what}", "admin", "POST").status for _ in range(6)]
    assert codes == [201] * 5 + [429]


def test_a_test_calls_the_hook_even_if_it_is_disabled(pushed: Any, ask: Any, receiver: Receiver) -> None:
    receiver.statuses = [500] * 4
    here = pushed(4)
    good = ask(f"{here}/test/push_events", "admin", "POST")
    assert (good.status, good.json) == (201, {"message": "201 Created"})
    assert receiver.bodies[-1]["object_kind"] == "push"
    assert ask(here, "admin").json["alert_status"] == "executable"
    receiver.statuses = [401]
    assert ask(f"{here}/test/tag_push_events", "admin", "POST").status == 422
    assert receiver.bodies[-1]["object_kind"] == "tag_push"
    assert ask(f"{here}/test/nonsense", "admin", "POST").status == 400


def test_a_group_s_hook_is_tested_with_a_project_of_it(ask: Any, receiver: Receiver, app: StandIn) -> None:
    group = next(each.group_id for each in app.company.projects.values() if each.group_id and each.default_branch)
    number = ask(f"/groups/{group}/hooks", "admin", "POST", {"url": URL}).json["id"]
    assert ask(f"/groups/{group}/hooks/{number}/test/push_events", "admin", "POST").status == 201
    assert receiver.kinds() == ["Push Hook"]


def test_system_hooks_are_tested_and_remember_nothing(ask: Any, receiver: Receiver) -> None:
    number = ask("/hooks", "admin", "POST", {"url": URL}).json["id"]
    receiver.statuses = [500]
    assert ask(f"/hooks/{number}", "admin", "POST").json["event_name"] == "project_create"
    assert receiver.kinds() == ["System Hook"]
    assert ask(f"/hooks/{number}/events", "admin").status == 404
