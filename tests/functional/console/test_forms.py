"""Forms: only a page of the hub's own that was made for this very session has anything done."""

from typing import Any

import pytest

from tests.functional.console.console_hub import OWNER_TOKEN, ConsoleHub
from tests.functional.console.visitor import Visitor


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


def asked_for(hub: ConsoleHub) -> int:
    return sum(len(queue.sent) for queue in hub.container.queues.values())


ELSEWHERE: list[dict[str, Any]] = [
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
    {"sec_fetch_site": "", "origin": "https://evil.example"},
    {"sec_fetch_site": "", "origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_form_of_another_site_does_nothing(hub: ConsoleHub, visitor: Visitor, headers: dict[str, str]) -> None:
    form, before = visitor.get(hub.base).form(f"{hub.base}/syncs"), asked_for(hub)
    shown = visitor.post(f"{hub.base}/syncs", form, **headers)
    assert (shown.status, asked_for(hub)) == (403, before)


@pytest.mark.parametrize("key", [None, "", "wrong", "é"])
def test_a_form_without_the_key_of_the_session_does_nothing(hub: ConsoleHub, visitor: Visitor, key: str | None) -> None:
    form, before = visitor.get(hub.base).form(f"{hub.base}/syncs"), asked_for(hub)
    changed = {name: value for name, value in form.items() if name != "form_key"}
    shown = visitor.post(f"{hub.base}/syncs", changed | ({} if key is None else {"form_key": key}))
    assert (shown.status, asked_for(hub)) == (403, before)


def test_the_form_of_another_session_does_nothing(hub: ConsoleHub, visitor: Visitor) -> None:
    other = hub.signed_in()
    form, before = other.get(hub.base).form(f"{hub.base}/syncs"), asked_for(hub)
    assert (visitor.post(f"{hub.base}/syncs", form).status, asked_for(hub)) == (403, before)


def test_nobody_is_signed_in_by_another_site(hub: ConsoleHub) -> None:
    stranger = Visitor(hub.console)
    form = stranger.get("/console/sign-in").form("/console/sign-in")
    elsewhere = stranger.post("/console/sign-in", {**form, "token": OWNER_TOKEN}, sec_fetch_site="cross-site")
    stranger.cookies.clear()
    without_cookie = stranger.post("/console/sign-in", {**form, "token": OWNER_TOKEN})
    assert (elsewhere.status, without_cookie.status, stranger.cookies) == (403, 403, {})


def test_nobody_is_signed_out_by_another_site(hub: ConsoleHub, visitor: Visitor) -> None:
    assert visitor.post("/console/sign-out", {}, sec_fetch_site="cross-site").status == 403
    assert visitor.post("/console/sign-out", {"form_key": "wrong"}).status == 403
    assert visitor.get(hub.base).status == 200


def test_a_form_that_is_sent_twice_has_one_effect(hub: ConsoleHub, visitor: Visitor) -> None:
    form, before = visitor.get(hub.base).form(f"{hub.base}/syncs"), asked_for(hub)
    answers = [visitor.post(f"{hub.base}/syncs", {**form, "credentials": "on"}) for _ in range(2)]
    assert {(one.status, one.headers.get("location")) for one in answers} == {(303, f"{hub.base}?done=sync")}
    assert asked_for(hub) == before + 1


def test_a_form_of_nobody_leads_to_the_sign_in(hub: ConsoleHub) -> None:
    before = asked_for(hub)
    shown = Visitor(hub.console).post(f"{hub.base}/syncs", {})
    assert (shown.status, shown.form("/console/sign-in")["to"], asked_for(hub)) == (401, hub.base, before)


@pytest.mark.parametrize("body", ["a=%ff", "a=\0", "=&=&&", "a=" + "x" * 1_100_000, "%", "a=1&" * 600])
def test_a_form_that_is_none_is_refused_in_words(hub: ConsoleHub, visitor: Visitor, body: str) -> None:
    shown = visitor.send("POST", f"{hub.base}/syncs", body)
    assert shown.status in {400, 403, 413, 422}
    assert "request req-1" in shown.text
