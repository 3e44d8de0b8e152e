"""The same by browser: the link, the cookie that binds it, the way back, and everything that must not pass."""

import pytest

from gitlab_hub.integrations.oauth.cookies import MOST_AT_ONCE
from gitlab_hub.web.openapi import document
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER, Context, http_event
from tests.functional.integrations.oauth.flow import AUTHORIZE, CALLBACK, FORGED, is_unchanged, opened, query
from tests.functional.integrations.oauth_hub import BACK, PATH, OAuthHub


def test_the_link_binds_the_browser_and_brings_it_back(hub: OAuthHub, one: str) -> None:
    cookie, code, state = opened(hub, one, redirect_url=f"{BACK}?tab=2&code=x")
    back = hub.browse(CALLBACK, cookies=[cookie], code=code, state=state)
    assert back["statusCode"] == 303
    assert query(back["headers"]["location"]) == {"tab": "2", "gitlab": "success", "integration_id": one}
    assert (back["headers"]["cache-control"], back["headers"]["referrer-policy"]) == ("no-store", "no-referrer")
    assert "Max-Age=0" in back["cookies"][0]
    assert hub.integration(one)["status"] == "active"


def test_the_cookie_is_as_strict_as_it_can_be(hub: OAuthHub, one: str) -> None:
    gone = hub.browse(hub.begin(one)["connect_url"])
    [cookie] = gone["cookies"]
    assert cookie.startswith("__Host-ghub-oauth=")
    assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert (gone["headers"]["cache-control"], gone["headers"]["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize(
    "cookies", [[], ["__Host-ghub-oauth=other"], ["ghub-oauth={value}"], ["__Host-ghub-oauth="], ["="]]
)
def test_another_browser_gets_an_error_page(hub: OAuthHub, one: str, cookies: list[str]) -> None:
    cookie, code, state = opened(hub, one, redirect_url=BACK)
    sent = [text.format(value=cookie.partition("=")[2]) for text in cookies]
    back = hub.browse(CALLBACK, cookies=sent, code=code, state=state)
    assert (back["statusCode"], back["headers"]["content-type"]) == (400, "text/html; charset=utf-8")
    assert hub.gitlab.trades == 0
    # And the state is used up: the right cookie comes too late.
    assert hub.browse(CALLBACK, cookies=[cookie], code=code, state=state)["statusCode"] == 400
    is_unchanged(hub, one)


@pytest.mark.parametrize("first", [0, 1])
def test_one_browser_may_authorize_several_integrations_side_by_side(hub: OAuthHub, first: int) -> None:
    """Whoever connects two GitLabs opens both links, and then goes through the tabs."""
    jar: list[str] = []
    answers, sent = [], []
    for user in (7, 8):
        one = hub.start()
        gone = hub.browse(hub.begin(one)["connect_url"], cookies=jar)
        jar = [gone["cookies"][0].partition(";")[0]]
        answers.append((one, *hub.gitlab.approve(gone["headers"]["location"], user=user)))
    for one, code, state in (answers[first], answers[1 - first]):
        back = hub.browse(CALLBACK, cookies=jar, code=code, state=state)
        assert back["statusCode"] == 200
        sent.append(back["cookies"][0])
        jar = [sent[-1].partition(";")[0]]
        assert hub.integration(one)["status"] == "active"
    assert ["Max-Age=0" in cookie for cookie in sent] == [False, True]


def test_a_browser_remembers_a_bounded_number_of_authorizations(hub: OAuthHub) -> None:
    jar: list[str] = []
    for _ in range(2 * MOST_AT_ONCE):
        gone = hub.browse(hub.begin(hub.start())["connect_url"], cookies=jar)
        jar = [gone["cookies"][0].partition(";")[0]]
    assert len(jar[0].partition("=")[2].split(".")) == MOST_AT_ONCE


def test_a_link_opens_once_and_makes_the_unbound_state_void(hub: OAuthHub, one: str) -> None:
    started = hub.begin(one)
    code, state = hub.gitlab.approve(started["authorize_url"])
    assert [hub.browse(started["connect_url"])["statusCode"] for _ in range(2)] == [302, 400]
    assert hub.browse(CALLBACK, code=code, state=state)["statusCode"] == 400
    assert hub.gitlab.trades == 0


def test_an_old_or_overtaken_link_does_not_open(hub: OAuthHub, one: str) -> None:
    old = hub.begin(one)["connect_url"]
    hub.now += 601
    assert hub.browse(old)["statusCode"] == 400
    overtaken = hub.begin(one)["connect_url"]
    hub.begin(one)
    assert hub.browse(overtaken)["statusCode"] == 400
    assert hub.browse(f"{PATH}/connect/{FORGED}")["statusCode"] == 400


def test_on_plain_http_a_second_cookie_comes_back(hub: OAuthHub, one: str) -> None:
    hub.base = "http://127.0.0.1:8787"
    gone = hub.browse(hub.begin(one)["connect_url"])
    strict, plain = gone["cookies"]
    assert strict.startswith("__Host-ghub-oauth=")
    assert plain.startswith("ghub-oauth=")
    assert "Secure" not in plain
    state = query(gone["headers"]["location"])["state"]
    back = hub.browse(CALLBACK, cookies=[plain.partition(";")[0]], error="access_denied", state=state)
    assert "authorization_denied" in back["body"]


@pytest.mark.parametrize(
    "sent", [{}, {"state": ""}, {"state": FORGED, "code": "c"}, {"code": "c"}, {"state": 'é"<script>'}]
)
def test_a_callback_without_a_known_state_is_an_error_page(hub: OAuthHub, one: str, sent: dict[str, str]) -> None:
    hub.begin(one, redirect_url=BACK)
    back = hub.browse(CALLBACK, **sent)
    assert (back["statusCode"], back["headers"].get("location"), hub.gitlab.trades) == (400, None, 0)
    assert "script" not in back["body"]


def test_a_no_in_gitlab_goes_back_with_its_code(hub: OAuthHub, one: str) -> None:
    _, state = hub.gitlab.approve(hub.begin(one, redirect_url=BACK)["authorize_url"])
    back = hub.browse(CALLBACK, state=state, error="access_denied", error_description="<b>no</b>")
    assert query(back["headers"]["location"]) == {
        "gitlab": "error", "integration_id": one, "code": "authorization_denied",
    }  # fmt: skip
    assert hub.gitlab.trades == 0
    is_unchanged(hub, one)


def test_without_a_return_url_there_is_a_small_page_with_a_real_status(hub: OAuthHub, one: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    done = hub.browse(CALLBACK, code=code, state=state)
    assert (done["statusCode"], done["headers"]["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in done["headers"]["content-security-policy"]


@pytest.mark.parametrize("now", [
    None,
    Principal(OWNER.token_id, Role.DEVELOPER),
    Principal(OWNER.token_id, Role.OWNER, frozenset({"int_other"})),
])  # fmt: skip
def test_whoever_lost_the_right_meanwhile_does_not_connect(hub: OAuthHub, one: str, now: Principal | None) -> None:
    cookie, code, state = opened(hub, one, redirect_url=BACK)
    hub.principals.good = {} if now is None else {OWNER.token_id: now}
    back = hub.browse(CALLBACK, cookies=[cookie], code=code, state=state)
    assert query(back["headers"]["location"])["code"] == "permission_denied"
    assert hub.gitlab.trades == 0
    is_unchanged(hub, one)


def test_an_integration_that_was_removed_meanwhile_stays_away(hub: OAuthHub, one: str) -> None:
    cookie, code, state = opened(hub, one, redirect_url=BACK)
    assert hub("DELETE", f"/v1/integrations/{one}")[0] == 200
    back = hub.browse(CALLBACK, cookies=[cookie], code=code, state=state)
    assert back["statusCode"] in (303, 400)
    assert (hub.gitlab.trades, hub.stored_secrets.dump()) == (0, {})


def test_the_gateways_other_way_to_give_cookies_is_read_too(hub: OAuthHub, one: str) -> None:
    cookie, code, state = opened(hub, one)
    event = http_event(
        "GET", CALLBACK, principal=None, query={"code": code, "state": state}, headers={"Cookie": f"a=b; {cookie}"}
    )
    assert hub.api.resolve(event, Context())["statusCode"] == 200


def test_the_description_says_what_browsers_get(hub: OAuthHub) -> None:
    made = document(hub.api.routes)["paths"]
    for path, status in ((f"{PATH}/connect/{{ticket}}", "302"), (CALLBACK, "303")):
        responses = made[path]["get"]["responses"]
        assert set(responses) == {status, "default"}
        assert set(responses["default"]["content"]) == {"application/json", "text/html"}
        assert "security" not in made[path]["get"]
    assert "anyOf" in made[AUTHORIZE]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
