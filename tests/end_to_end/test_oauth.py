"""OAuth: a person authorizes the hub in a browser, its tokens are renewed, and they end with the integration.

Authlib, which others wrote, plays the client that GitLab's side is proved with, and reads what the hub sends people to.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from stand_in_gitlab.process import Running, running
from tests.end_to_end.authorizing import AUTHORIZE, CALLBACK, Connecting, client_of, token_requests, whoami
from tests.end_to_end.browser import Browser, query
from tests.end_to_end.companies import COMPANY, newcomer
from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.stores import traces_of


@pytest.fixture(scope="module")
def _company(hub: Hub) -> Iterator[Running]:
    with running(*COMPANY, "--redirect-uri", hub.url + CALLBACK) as stand_in:
        yield stand_in


@pytest.fixture
def company(_company: Running) -> Iterator[Running]:
    """A company with an OAuth application for the hub."""
    yield _company
    _company.control("DELETE", "faults")


@pytest.fixture
def browser(hub: Hub, company: Running) -> Iterator[Browser]:
    with Browser(hub.url, company.base) as opened:
        yield opened
        ours = (page for page in opened.pages if str(page.url).startswith(hub.url))
        hub.shown.extend((page.url.path, f"{page.headers} {page.text}") for page in ours)


@pytest.fixture
def connecting(hub: Hub, company: Running) -> Connecting:
    return Connecting(hub, company)


@pytest.fixture
def connected(connecting: Connecting, browser: Browser) -> Connecting:
    connecting.authorize(browser)
    assert connecting.shown()["status"] == "active"
    return connecting


def test_a_browser_authorizes_an_application(hub: Hub, connecting: Connecting, browser: Browser) -> None:
    shown = connecting.started["integration"]
    assert (shown["auth_mode"], shown["status"]) == ("oauth_app", "inactive")
    assert connecting.started["redirect_uri"] == hub.url + CALLBACK
    assert connecting.authorize(browser) == ""
    status, text = browser.page
    assert (status, "GitLab is connected" in text) == (200, True)
    shown = connecting.shown()
    assert (shown["status"], shown["credential_status"]) == ("active", "valid")
    assert (shown["account"]["id"], shown["scopes"]) == (connecting.user_id, ["read_api"])
    assert hub.call("POST", f"{connecting.path}/verify").body["ok"] is True
    assert connecting.pair()


def test_every_page_on_the_way_is_private(connecting: Connecting, browser: Browser, hub: Hub) -> None:
    connecting.authorize(browser)
    ours = [page for page in browser.pages if str(page.url).startswith(hub.url)]
    assert [page.status_code for page in ours] == [302, 200]
    for page in ours:
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    cookies = ours[0].headers.get_list("set-cookie")
    assert any(each.startswith("__Host-") for each in cookies)
    assert all("HttpOnly" in each and "Path=/" in each for each in cookies)
    assert "state=" not in ours[-1].text


def test_the_browser_goes_back_to_where_it_came_from(hub: Hub, connecting: Connecting, browser: Browser) -> None:
    ended = connecting.authorize(browser, redirect_url="http://localhost/?tab=gitlab")
    assert browser.pages[-1].status_code == 303
    assert ended.startswith("http://localhost/?")
    assert query(ended) == {"tab": "gitlab", "gitlab": "success", "integration_id": connecting.id}
    for elsewhere in ("https://evil.example/", "http://localhost.evil.example/", "http://localhost:81/"):
        answer = hub.call("POST", AUTHORIZE, {"integration_id": connecting.id, "redirect_url": elsewhere})
        assert answer.refusal == (422, "invalid_input")


def test_somebody_who_says_no_is_told_so(company: Running, connecting: Connecting, browser: Browser) -> None:
    begun = connecting.begin(redirect_url="http://127.0.0.1/")
    there = browser.go(begun["connect_url"], until=company.base)
    ended = browser.go(f"{there}&standin_deny=1")
    assert query(ended)["gitlab"] == "error"
    assert query(ended)["code"] == "authorization_denied"
    assert connecting.shown()["status"] == "inactive"


def test_a_caller_without_a_browser_finishes_with_code_and_state(
    company: Running, connecting: Connecting, browser: Browser
) -> None:
    back = connecting.consented(browser, connecting.begin()["authorize_url"])
    company.control("DELETE", "stats")
    answer = connecting.finish(back)
    assert (answer.status, answer.body["integration"]["status"]) == (200, "active")
    assert token_requests(company) == 1
    assert connecting.finish(back).refusal == (400, "invalid_state")
    assert token_requests(company) == 1


def test_a_state_that_is_not_this_ones_to_finish_costs_gitlab_nothing(
    hub: Hub, company: Running, connecting: Connecting, browser: Browser
) -> None:
    other = Connecting(hub, company)
    overtaken = connecting.consented(browser, connecting.begin()["authorize_url"])
    back = connecting.consented(browser, connecting.begin()["connect_url"])
    forged = back.replace(query(back)["state"], "x" * 43)
    company.control("DELETE", "stats")
    for url in (forged, hub.url + CALLBACK, overtaken):
        with Browser(hub.url) as another:
            another.go(url)
            assert (another.page[0], "invalid_state" in another.page[1]) == (400, True)
    assert connecting.finish(overtaken).refusal == (400, "invalid_state")
    assert other.finish(back).refusal == (400, "invalid_state")
    assert connecting.finish(back, state="x" * 43).refusal == (400, "invalid_state")
    assert token_requests(company) == 0
    assert {each.shown()["status"] for each in (connecting, other)} == {"inactive"}


def test_another_browser_cannot_finish_what_this_one_began(
    hub: Hub, company: Running, connecting: Connecting, browser: Browser
) -> None:
    begun = connecting.begin()
    back = connecting.consented(browser, begun["connect_url"])
    company.control("DELETE", "stats")
    with Browser(hub.url) as another:
        another.go(back)
        assert (another.page[0], "invalid_state" in another.page[1]) == (400, True)
        another.go(begun["connect_url"])
        assert another.page[0] == 400
    assert token_requests(company) == 0
    assert connecting.shown()["status"] == "inactive"


def test_a_callback_that_is_opened_again_changes_nothing(
    company: Running, connecting: Connecting, browser: Browser
) -> None:
    back = connecting.consented(browser, connecting.begin()["connect_url"])
    company.control("DELETE", "stats")
    with ThreadPoolExecutor(4) as pool:  # An impatient person, and whoever has seen the address.
        list(pool.map(browser.get, [back] * 4))
    assert token_requests(company) == 1
    assert connecting.shown()["status"] == "active"
    browser.go(back)
    assert browser.page[0] == 400
    assert token_requests(company) == 1
    assert connecting.shown()["status"] == "active"


def test_another_user_cannot_take_an_integration_over(
    hub: Hub, company: Running, connected: Connecting, browser: Browser
) -> None:
    before = connected.shown(), connected.pair()
    somebody = newcomer(company)
    browser.go(connected.consented(browser, connected.begin()["connect_url"], user_id=somebody))
    assert (browser.page[0], "gitlab_account_mismatch" in browser.page[1]) == (409, True)
    back = connected.consented(browser, connected.begin()["authorize_url"], user_id=somebody)
    assert connected.finish(back).refusal == (409, "gitlab_account_mismatch")
    assert (connected.shown(), connected.pair()) == before
    assert hub.call("POST", f"{connected.path}/verify").body["ok"] is True
    connected.authorize(browser)  # The first user still may.
    assert browser.page[0] == 200
    assert connected.pair() != before[1]
    assert whoami(company, before[1][0]) == 401


def test_tokens_that_have_run_out_are_renewed_once(hub: Hub, company: Running, connected: Connecting) -> None:
    old = connected.pair()
    company.control("POST", "advance", {"seconds": 7300, "idle": True})
    assert whoami(company, old[0]) == 401
    company.control("DELETE", "stats")
    states = hub.sync(connected.path)  # Two workers find out at the same time.
    assert {state["status"] for state in states.values()} == {"idle"}
    assert token_requests(company) == 1
    new = connected.pair()
    assert new[0] != old[0]
    assert new[1] != old[1]
    assert (whoami(company, new[0]), whoami(company, old[0])) == (200, 401)
    assert (connected.shown()["status"], connected.shown()["credential_status"]) == ("active", "valid")


def test_a_refused_refresh_asks_for_a_person(
    hub: Hub, company: Running, connected: Connecting, browser: Browser
) -> None:
    revoked = connected.pair()
    with client_of(company, hub.url + CALLBACK) as client:
        client.revoke_token(f"{company.base}/oauth/revoke", token=revoked[1], token_type_hint="refresh_token")
    company.control("DELETE", "stats")
    assert hub.sync(connected.path, "access")["access"]["last_error"]["code"] == "invalid_credentials"
    assert hub.call("POST", f"{connected.path}/gitlab-token/check").body["status"] == "refresh_failed"
    assert token_requests(company) == 1
    assert connected.shown()["status"] == "error"
    connected.authorize(browser)
    assert connected.shown()["status"] == "active"
    assert hub.sync(connected.path, "access")["access"]["status"] == "idle"


def test_a_removed_integration_leaves_no_token_and_no_hook(hub: Hub, company: Running, browser: Browser) -> None:
    leaving = Connecting(hub, company, features={"manage_webhooks": True})
    admin = next(row["id"] for row in company.truth("users") if row["is_admin"])
    leaving.user_id = admin
    leaving.authorize(browser)
    project = next(row["id"] for row in company.truth("projects") if not row["archived"])
    wanted = {"scope": "project", "target": project, "events": ["push"]}
    made = hub.call("POST", f"{leaving.path}/webhooks", wanted)
    assert made.status == 201, made
    [there] = company.truth("hooks", project_id=project)
    hub.guard(there["token"], there["signing_token"])
    pair = leaving.pair()
    assert whoami(company, pair[0]) == 200

    removed = hub.call("DELETE", leaving.path)
    assert removed.body.items() >= {"ok": True, "revoked": True, "hooks_deleted": 1, "hooks_failed": []}.items()
    assert whoami(company, pair[0]) == 401
    with client_of(company, hub.url + CALLBACK) as client, pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh_token(refresh_token=pair[1])
    assert company.truth("hooks", project_id=project) == []
    receiver = f"/v1/webhooks/gitlab/{made.body['webhook']['id']}"
    late = hub.call("POST", receiver, {}, token=None, X_Gitlab_Token=there["token"], X_Gitlab_Event="Push Hook")
    assert late.refusal == (401, "invalid_token")
    until(lambda: not traces_of(hub.stack, leaving.id))


def test_the_stand_in_speaks_oauth_as_others_do(hub: Hub, company: Running) -> None:
    verifier = generate_token(48)
    with client_of(company, hub.url + CALLBACK) as client, Browser(company.base) as browser:
        url, state = client.create_authorization_url(
            f"{company.base}/oauth/authorize", code_verifier=verifier, scope="read_api"
        )
        back = browser.go(url)
        assert query(back)["state"] == state
        first = client.fetch_token(authorization_response=back, state=state, code_verifier=verifier)
        assert (first["token_type"], first["scope"], first["expires_in"]) == ("Bearer", "read_api", 7200)
        assert client.get(f"{company.base}/api/v4/user").status_code == 200
        second = client.refresh_token()
        assert {first["access_token"], first["refresh_token"]}.isdisjoint(second.values())
        assert (whoami(company, first["access_token"]), whoami(company, second["access_token"])) == (401, 200)
        client.revoke_token(f"{company.base}/oauth/revoke", token=second["access_token"])
        assert whoami(company, second["access_token"]) == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.fetch_token(authorization_response=back, state=state, code_verifier=verifier)


def test_a_code_is_worth_nothing_without_the_hubs_verifier(
    hub: Hub, company: Running, connecting: Connecting, browser: Browser
) -> None:
    """Whoever sees the redirection and even knows the client's secret lacks what never left the hub (RFC 7636)."""
    begun = connecting.begin()
    wanted = query(begun["authorize_url"])
    application = company.applications["hub"]
    assert wanted["response_type"] == "code"
    assert wanted["client_id"] == application.client_id
    assert wanted["redirect_uri"] == hub.url + CALLBACK
    assert wanted["code_challenge_method"] == "S256"
    assert len(wanted["code_challenge"]) == len(create_s256_code_challenge(generate_token(48)))
    assert len(wanted["state"]) >= 43
    back = connecting.consented(browser, begun["authorize_url"])
    with client_of(company, hub.url + CALLBACK) as thief:
        for stolen in ({}, {"code_verifier": generate_token(48)}, {"code_verifier": wanted["code_challenge"]}):
            with pytest.raises(OAuthError, match=r"invalid_grant|invalid_request"):
                thief.fetch_token(authorization_response=back, state=wanted["state"], **stolen)
    assert connecting.finish(back).status == 200
