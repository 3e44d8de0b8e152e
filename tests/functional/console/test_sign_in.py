"""Signing in and out: what begins a session, what ends it, and what never does."""

import pytest

from gitlab_hub.console.sessions import IDLE_SECONDS, LONGEST_SECONDS, PARTITION
from tests.functional.console.console_hub import OWNER_TOKEN, ConsoleHub
from tests.functional.console.visitor import Visitor

SESSION = "__Host-hub-session"


@pytest.fixture
def hub() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture
def visitor(hub: ConsoleHub) -> Visitor:
    return Visitor(hub.console)


def is_in(visitor: Visitor, path: str = "/console") -> bool:
    shown = visitor.get(path)
    assert shown.status in {200, 401}, shown.text
    return shown.status == 200


def test_whoever_pastes_a_token_is_in_and_lands_on_the_page_that_was_asked_for(
    hub: ConsoleHub, visitor: Visitor
) -> None:
    asked = visitor.get(f"{hub.base}/people?q=ana")
    assert asked.status == 401
    shown = visitor.submit(asked, "/console/sign-in", token=OWNER_TOKEN)
    assert (shown.status, shown.elements("title"), "People" in shown.text) == (200, [{}], True)
    assert asked.form("/console/sign-in")["to"] == f"{hub.base}/people?q=ana"


def test_the_cookie_is_the_hosts_own_and_no_script_or_other_site_has_it(visitor: Visitor) -> None:
    form = visitor.get("/console/sign-in")
    answer = visitor.post("/console/sign-in", {**form.form("/console/sign-in"), "token": OWNER_TOKEN})
    [cookie] = [line for line in answer.set_cookies if line.startswith(SESSION)]
    flags = {part.strip() for part in cookie.split(";")[1:]}
    assert flags == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict", f"Max-Age={LONGEST_SECONDS}"}
    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize("token", ["", "ghub_t-owner_wrong", "ghub_x_y", "é" * 50, "x" * 5_000, "\0"])
def test_what_is_no_token_opens_nothing(visitor: Visitor, token: str) -> None:
    shown = visitor.sign_in(token)
    assert (shown.status, SESSION in visitor.cookies) == (401, False)
    assert token not in shown.html or not token


def test_a_token_is_kept_nowhere(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.sign_in(OWNER_TOKEN)
    kept = repr(hub.tables["integrations"].dump())
    secrets = [OWNER_TOKEN, visitor.cookies[SESSION]]
    assert [one for one in secrets if one in kept or one in shown.html] == []


def test_a_session_that_a_browser_brings_is_never_taken_over(hub: ConsoleHub, visitor: Visitor) -> None:
    visitor.cookies[SESSION] = "chosen-by-somebody-else"
    visitor.sign_in(OWNER_TOKEN)
    mine = visitor.cookies[SESSION]
    other = Visitor(hub.console)
    other.cookies[SESSION] = "chosen-by-somebody-else"
    assert (mine != "chosen-by-somebody-else", is_in(visitor), is_in(other)) == (True, True, False)


def test_signing_in_again_ends_the_session_before(hub: ConsoleHub, visitor: Visitor) -> None:
    visitor.sign_in(OWNER_TOKEN)
    other = Visitor(hub.console)
    other.cookies.update(visitor.cookies)
    visitor.sign_in(OWNER_TOKEN)
    assert (is_in(visitor), is_in(other)) == (True, False)


def test_signing_out_ends_it_at_once_everywhere(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.sign_in(OWNER_TOKEN)
    other = Visitor(hub.console)
    other.cookies.update(visitor.cookies)
    out = visitor.submit(shown, "/console/sign-out")
    assert (out.status, SESSION in visitor.cookies, is_in(other)) == (200, False, False)
    assert [row for row in hub.tables["integrations"].dump() if row["pk"].startswith(PARTITION)] == []


def test_the_end_of_the_token_is_the_end_of_the_session(hub: ConsoleHub, visitor: Visitor) -> None:
    made = hub.token(role="viewer", label="auditor")
    visitor.sign_in(made["token"])
    assert is_in(visitor)
    hub("DELETE", f"/v1/tokens/{made['id']}")
    assert not is_in(visitor)


def test_an_owner_token_that_was_replaced_ends_its_sessions(hub: ConsoleHub, visitor: Visitor) -> None:
    visitor.sign_in(OWNER_TOKEN)
    hub.secrets.write("owner-token", {"id": "t-owner", "secret": "n" * 40}, version="w" * 32)
    assert not is_in(visitor)


def test_a_session_ends_after_an_hour_of_rest(hub: ConsoleHub, visitor: Visitor) -> None:
    visitor.sign_in(OWNER_TOKEN)
    for _ in range(3):
        hub.clock += IDLE_SECONDS - 1
        assert is_in(visitor)
    hub.clock += IDLE_SECONDS
    assert not is_in(visitor)


def test_a_session_ends_after_twelve_hours_of_work(hub: ConsoleHub, visitor: Visitor) -> None:
    visitor.sign_in(OWNER_TOKEN)
    seen = []
    for _ in range(LONGEST_SECONDS // 1_800):
        hub.clock += 1_800
        seen.append(is_in(visitor))
    assert (all(seen[:-1]), seen[-1]) == (True, False)


def test_a_page_that_asks_by_itself_keeps_nobody_in(hub: ConsoleHub, visitor: Visitor) -> None:
    visitor.sign_in(OWNER_TOKEN)
    for _ in range(3):
        hub.clock += IDLE_SECONDS // 3
        visitor.send("GET", f"{hub.base}/syncs", hx_request="true")
    answer = visitor.send("GET", f"{hub.base}/syncs", hx_request="true")
    assert (answer.status, answer.headers["hx-redirect"].startswith("/console/sign-in?to=")) == (401, True)


def test_a_strict_cookie_comes_along_on_the_second_look(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.send("GET", f"{hub.base}/people?q=a", sec_fetch_site="cross-site")
    assert shown.status == 200
    assert {"http-equiv": "refresh", "content": "0"} in shown.elements("meta")
    assert visitor.send("GET", f"{hub.base}/people?q=a", sec_fetch_site="same-origin").status == 401


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/v1/tokens", "/console/../v1", "/console\\@x", ""]
)
def test_nobody_is_sent_elsewhere_after_signing_in(visitor: Visitor, to: str) -> None:
    form = visitor.get("/console/sign-in").form("/console/sign-in")
    answer = visitor.post("/console/sign-in", {**form, "token": OWNER_TOKEN, "to": to})
    assert answer.headers["location"] == "/console"


def test_who_came_and_went_is_in_the_log(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.sign_in(OWNER_TOKEN)
    visitor.submit(shown, "/console/sign-out")
    _, log = hub("GET", "/v1/audit-log")
    lines = [(one["action"], one["actor"]) for one in log["entries"] if one["action"].startswith("console")]
    assert sorted(lines) == [("console.sign_in", "t-owner"), ("console.sign_out", "t-owner")]
