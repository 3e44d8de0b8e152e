"""Answers that are no sign-in of this browser's, and a GitLab that fails or is another one: nobody is let in."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from gitlab_hub.console.gitlab_sign_in import BEGIN, COOKIE, FINISH, LIFE_SECONDS, Attempt
from tests.fakes.gitlab import HOST
from tests.functional.console.sign_in_flow import SESSION, SignInFlow, is_refused


def test_a_sign_in_that_another_browser_began_is_nobodys(flow: SignInFlow) -> None:
    """Whoever sends somebody their own answer of GitLab's would have them work in a session that is not theirs."""
    attacker, victim, user = flow.visitor(), flow.visitor(), flow.member(0)
    path = flow.agree(flow.begin(attacker), user)
    assert is_refused(flow, victim, flow.come_back(victim, path), "begun in another browser")
    flow.begin(victim)
    assert is_refused(flow, victim, flow.come_back(victim, path), "begun in another browser")


def test_a_code_that_was_made_for_another_sign_in_opens_nothing(flow: SignInFlow) -> None:
    attacker, victim, user = flow.visitor(), flow.visitor(), flow.member(0)
    code = dict(parse_qsl(urlsplit(flow.agree(flow.begin(attacker), user)).query))["code"]
    state = flow.begin(victim)["state"]
    shown = flow.come_back(victim, f"{FINISH}?{urlencode({'code': code, 'state': state})}")
    assert is_refused(flow, victim, shown, "invalid_credentials", status=400)


def test_an_answer_counts_once(flow: SignInFlow) -> None:
    visitor, user = flow.visitor(), flow.member(0)
    asked = flow.begin(visitor)
    kept = dict(visitor.cookies)
    path = flow.agree(asked, user)
    assert flow.come_back(visitor, path).status == 303
    again = flow.come_back(visitor, path)
    assert (again.status, "finished already" in again.text) == (403, True)
    other = flow.visitor()
    other.cookies.update(kept)
    replayed = flow.come_back(other, path)
    assert (replayed.status, "invalid_credentials" in replayed.text, SESSION in other.cookies) == (400, True, False)


def test_a_sign_in_is_over_after_ten_minutes(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.hub.clock += LIFE_SECONDS + 1
    assert is_refused(flow, visitor, flow.come_back(visitor, path), "longer than ten minutes")
    assert flow.way.requests == []


@pytest.mark.parametrize(
    "cookie", ["", "x", "a.b.c", "..", "secret.1790000000.%%%", "a.99999999999999999999.L2NvbnNvbGU"]
)
def test_a_cookie_that_the_hub_has_not_made_is_none(flow: SignInFlow, cookie: str) -> None:
    visitor = flow.visitor()
    visitor.cookies[COOKIE] = cookie
    assert is_refused(flow, visitor, flow.come_back(visitor, f"{FINISH}?code=c&state=s"), "begun in another browser")


def test_another_gitlab_that_answers_is_not_believed(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    shown = flow.come_back(visitor, f"{path}&iss=https%3A%2F%2Fevil.example.com")
    assert is_refused(flow, visitor, shown, "Another GitLab has answered")


def test_a_no_at_gitlab_is_one_here(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0), standin_deny="1")
    assert is_refused(flow, visitor, flow.come_back(visitor, path), "GitLab let nobody in")


def test_another_site_cannot_begin_a_sign_in(flow: SignInFlow) -> None:
    sent = flow.visitor().send("GET", BEGIN, sec_fetch_site="cross-site")
    assert (sent.status, "location" in sent.headers, COOKIE in str(sent.set_cookies)) == (200, False, False)


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/v1/tokens",
        "/console\\@x",
        "javascript:x",
        f"/console?q={'x' * 4000}",
    ],
)
def test_nobody_is_sent_elsewhere_afterwards(flow: SignInFlow, to: str) -> None:
    visitor = flow.visitor()
    assert flow.sign_in(visitor, flow.member(0), to).headers["location"] == "/console"


def test_a_cookie_leads_to_pages_of_the_console_and_not_elsewhere() -> None:
    for to in ("https://evil.example", "//evil.example", "/v1/tokens", ""):
        attempt = Attempt.from_cookie(Attempt(secret="s", began_at=1, to=to).to_cookie())
        assert attempt is not None
        assert (attempt.to, attempt.secret) == ("/console", "s")


def test_a_session_that_a_browser_brings_is_never_taken_over(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    visitor.cookies[SESSION] = "chosen-by-somebody-else"
    flow.sign_in(visitor, flow.member(0))
    other = flow.visitor()
    other.cookies[SESSION] = "chosen-by-somebody-else"
    assert (visitor.get("/console").status, other.get("/console").status) == (200, 401)


# ---- A GitLab that fails, or is another one


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_gitlab_that_is_away_lets_nobody_in(flow: SignInFlow, number: int) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.way.failing = number
    shown = flow.come_back(visitor, path)
    # What only reads is tried again; what uses the code up is not.
    if number == 2:
        assert is_refused(flow, visitor, shown, "host_unreachable", status=502)
    else:
        assert (shown.status, len(flow.way.requests)) == (303, 5)


def test_a_gitlab_that_takes_its_time_lets_nobody_in(flow: SignInFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request may be in time, and all of them too late for the browser, which is told nothing then."""
    monkeypatch.setattr("gitlab_hub.console.gitlab_sign_in.PATIENCE_SECONDS", 0.1)
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.way.seconds = 0.06
    assert is_refused(flow, visitor, flow.come_back(visitor, path), "took too long", status=502)
    assert len(flow.way.requests) < 4


def test_a_hub_that_cannot_say_which_integrations_there_are_lets_nobody_in(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.hub.away = {"integrations"}
    try:
        shown = flow.come_back(visitor, path)
    finally:
        flow.hub.away = set()
    assert is_refused(flow, visitor, shown, "service_unavailable", status=503)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example.com", "jwks_uri": f"{HOST}/oauth/discovery/keys"},
        {"issuer": HOST, "jwks_uri": "https://evil.example.com/keys"},
        {"issuer": HOST, "jwks_uri": f"{HOST}.evil.example.com/keys"},
        {"issuer": HOST},
        [],
    ],
)
def test_keys_are_taken_from_the_gitlab_that_was_asked_and_nowhere_else(flow: SignInFlow, document: object) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.way.changed["/.well-known/openid-configuration"] = httpx.Response(200, json=document)
    shown = flow.come_back(visitor, path)
    assert is_refused(flow, visitor, shown, "ConsoleGitLabUrl")
    assert len(flow.way.requests) == 1


@pytest.mark.parametrize(
    "path", ["/a/../keys", "/a/%2e%2e/keys", "/a/%2E./keys", "/keys?x", "/keys#x", "/a\\keys", "/\u00e9"]
)
def test_an_address_of_keys_that_leads_astray_is_no_address(flow: SignInFlow, path: str) -> None:
    visitor = flow.visitor()
    answer = flow.agree(flow.begin(visitor), flow.member(0))
    document = {"issuer": HOST, "jwks_uri": f"{HOST}{path}"}
    flow.way.changed["/.well-known/openid-configuration"] = httpx.Response(200, json=document)
    assert is_refused(flow, visitor, flow.come_back(visitor, answer), "names no usable address of its keys")
    assert len(flow.way.requests) == 1


def test_a_token_that_others_have_signed_is_none(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    foreign = SignInFlow().app.openid.keys()
    flow.way.changed["/oauth/discovery/keys"] = httpx.Response(200, json=foreign)
    assert is_refused(flow, visitor, flow.come_back(visitor, path), "ID token does not hold")


def test_userinfo_about_somebody_else_is_not_taken(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.way.changed["/oauth/userinfo"] = httpx.Response(200, json={"sub": "1", "groups": flow.groups})
    assert is_refused(flow, visitor, flow.come_back(visitor, path), "about somebody else")


def test_a_wrong_client_secret_says_so_and_lets_nobody_in(flow: SignInFlow) -> None:
    visitor = flow.visitor()
    path = flow.agree(flow.begin(visitor), flow.member(0))
    flow.application.client_secret, kept = "another", flow.application.client_secret
    shown = flow.come_back(visitor, path)
    flow.application.client_secret = kept
    assert is_refused(flow, visitor, shown, "invalid_credentials", status=400)
    assert kept not in shown.html
