"""What people do on the pages is done by the API, as them; what it refuses is said where it was asked for."""

import pytest

from tests.fakes.gitlab import CANARY, HOST, answer
from tests.functional.console.console_hub import ConsoleHub
from tests.functional.console.visitor import Visitor


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


def test_a_delivery_is_replayed(hub: ConsoleHub, visitor: Visitor) -> None:
    page, waiting = f"{hub.base}/deliveries/{hub.ids['delivery_id']}", hub.container.ordered_queues["deliveries"]
    before = len(waiting.sent)
    shown = visitor.submit(visitor.get(page), f"{page}/replay")
    assert (shown.status, "being worked on again" in shown.text, len(waiting.sent)) == (200, True, before + 1)
    assert f'curl -H "$AUTH" -X POST "$HUB/v1/deliveries/{hub.ids["delivery_id"]}/replay"' in shown.text


def test_a_build_is_cancelled_and_built_again(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/builds/{hub.ids['build_id']}"
    cancelled = visitor.submit(visitor.get(page), page, verb="cancel")
    assert (cancelled.status, "Build again" in cancelled.text) == (200, True)
    assert "Set off as another go" in visitor.submit(cancelled, page, verb="rerun").text


def test_what_the_api_refuses_is_said_beside_the_form_with_what_was_given(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/requests"
    given = {
        "username": "nobody",
        "type": "project",
        "path": "acme/x",
        "access_level": "40",
        "minutes": "5",
        "reason": "R",
    }
    shown = visitor.submit(visitor.get(page), page, **given)
    values = {str(one.get("name")): one.get("value") for one in shown.elements("input")}
    assert (shown.status >= 400, values["path"], values["minutes"]) == (True, "acme/x", "5")
    assert "request req-1" in shown.text


def test_a_request_that_is_decided_is_decided(hub: ConsoleHub, visitor: Visitor) -> None:
    path = f"{hub.base}/requests/{hub.ids['request_id']}"
    key = visitor.get(hub.base).form("/console/sign-out")["form_key"]
    shown = visitor.post(path, {"form_key": key, "repeat_key": "r" * 16, "verb": "approve"})
    assert (shown.status, "request_decided" in shown.text) == (409, True)


def test_a_blocked_plan_has_no_button_and_cannot_be_applied(hub: ConsoleHub, visitor: Visitor) -> None:
    page = f"{hub.base}/plans/{hub.ids['plan_id']}"
    shown = visitor.get(page)
    assert "last_owner" in shown.text
    assert f"{page}/apply" not in {one.get("action") for one in shown.elements("form")}
    key = shown.form("/console/sign-out")["form_key"]
    answer = visitor.post(f"{page}/apply", {"form_key": key, "repeat_key": "r" * 16, "hash": "h" * 64})
    assert (answer.status, "feature_disabled" in answer.text) == (409, True)
    assert "blocked" in visitor.get(page).text


def test_a_verdict_without_anything_suspect_is_refused_in_words(hub: ConsoleHub, visitor: Visitor) -> None:
    key = visitor.get(hub.base).form("/console/sign-out")["form_key"]
    fields = {"form_key": key, "repeat_key": "v" * 16, "kind": "access", "verdict": "accept"}
    shown = visitor.post(f"{hub.base}/syncs/verdict", fields)
    assert (shown.status, "nothing_suspect" in shown.text) == (409, True)


def test_a_gitlab_is_connected_and_its_token_is_never_shown(hub: ConsoleHub, visitor: Visitor) -> None:
    fields = {"host_url": HOST, "access_token": CANARY, "display_name": "Second"}
    before = hub.gitlab.script["/user"]
    hub.gitlab.script["/user"] = answer(401, {})
    shown = visitor.submit(visitor.get("/console/connect"), "/console/connect", **fields)
    assert (shown.status >= 400, "step by step" in shown.text, CANARY in shown.html) == (True, True, False)
    values = {str(one.get("name")): one.get("value") for one in shown.elements("input")}
    assert (values["host_url"], values["display_name"], values["access_token"]) == (HOST, "Second", None)
    hub.gitlab.script["/user"] = before
    # It is connected already: what the API says of that is said here.
    again = visitor.submit(shown, "/console/connect", **fields)
    assert (again.status, "duplicate_integration" in again.text, CANARY in again.html) == (409, True, False)
    home = visitor.submit(again, "/console/connect", **{**fields, "host_url": "https://second.example.com"})
    assert (home.status, "Second" in home.text, CANARY in home.html) == (200, True, False)
