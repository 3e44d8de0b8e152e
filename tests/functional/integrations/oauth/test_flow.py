"""From an application to a working integration, by hand and by browser, and everything that must not pass."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gitlab_hub.web.openapi import document
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER, Context, http_event
from tests.fakes.gitlab import HOST, answer, html
from tests.fakes.oauth import CLIENT_SECRET, REDIRECT
from tests.fakes.threads import together
from tests.functional.integrations.oauth_hub import BACK, BASE, PATH, START, OAuthHub

AUTHORIZE, CALLBACK = f"{PATH}/authorize", f"{PATH}/callback"
FORGED = "A" * 43


@pytest.fixture
def hub() -> OAuthHub:
    return OAuthHub()


@pytest.fixture
def one(hub: OAuthHub) -> str:
    return hub.start()


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def opened(hub: OAuthHub, one: str, **more: Any) -> tuple[str, str, str]:
    """Open the connect link and say yes in GitLab: (cookie, code, state)."""
    gone = hub.browse(hub.begin(one, **more)["connect_url"])
    assert gone["statusCode"] == 302, gone
    [(name, morsel)] = SimpleCookie(gone["cookies"][0]).items()
    return f"{name}={morsel.value}", *hub.gitlab.approve(gone["headers"]["location"])


def is_unchanged(hub: OAuthHub, one: str) -> None:
    shown = hub.integration(one)
    assert (shown["status"], shown["credential_status"], hub.gitlab.living) == ("inactive", "unknown", [])


# ---- start


def test_start_keeps_an_inactive_integration_and_says_the_redirect_uri(hub: OAuthHub) -> None:
    status, body = hub("POST", f"{PATH}/start", START)
    assert (status, body["redirect_uri"], body["verification"]["ok"]) == (201, REDIRECT, True)
    shown = body["integration"]
    assert (shown["status"], shown["credential_status"], shown["auth_mode"]) == ("inactive", "unknown", "oauth_app")
    assert (shown["account"], shown["scopes"]) == (None, [])
    assert CLIENT_SECRET not in repr((hub.stored_rows.dump(), body))
    [secret] = hub.stored_secrets.dump().values()
    assert secret["application"] == {"client_id": "app-1", "client_secret": CLIENT_SECRET}
    assert hub.scheduled() == []


def test_start_asks_without_a_token_whether_a_gitlab_is_there(hub: OAuthHub) -> None:
    hub.start()
    assert ["authorization" in request.headers for request in hub.gitlab.requests] == [False]


@pytest.mark.parametrize(("more", "status", "code"), [
    ({"host_url": "https://127.0.0.1"}, 400, "host_not_allowed"),
    ({"host_url": "ftp://gitlab.example.com"}, 400, "invalid_url"),
    ({"client_id": None}, 422, "invalid_input"),
    ({"access_token": "glpat-x"}, 422, "invalid_input"),
    ({"scopes": ["read_user"]}, 403, "invalid_permissions"),
    ({"scopes": ["read_api"], "features": {"manage_webhooks": True}}, 403, "invalid_permissions"),
    ({"scopes": ["read_api", "x y"]}, 422, "invalid_input"),
])  # fmt: skip
def test_start_refuses_and_stores_nothing(hub: OAuthHub, more: dict[str, Any], status: int, code: str) -> None:
    answered, body = hub("POST", f"{PATH}/start", START | more)
    assert (answered, body["code"]) == (status, code)
    assert (hub.stored_rows.dump(), hub.stored_secrets.dump()) == ([], {})


@pytest.mark.parametrize(("there", "code"), [
    (html(), "not_gitlab"),
    (httpx.Response(302, headers={"location": "https://sso.example.com"}), "not_gitlab"),
    (answer(404, {"message": "nothing"}), "not_gitlab"),
    (answer(503, {}), "gitlab_unavailable"),
    (httpx.ConnectError("no"), "host_unreachable"),
])  # fmt: skip
def test_start_refuses_where_no_gitlab_answers(hub: OAuthHub, there: Any, code: str) -> None:
    class Elsewhere(type(hub.gitlab)):  # type: ignore[misc]
        async def _answer(self, request: httpx.Request) -> httpx.Response:
            if isinstance(there, Exception):
                raise there
            return httpx.Response(there.status_code, headers=there.headers, content=there.content)

    hub.gitlab = Elsewhere()
    hub.use(hub.stored_rows, hub.stored_secrets)
    assert hub("POST", f"{PATH}/start", START)[1]["code"] == code
    assert hub.stored_secrets.dump() == {}


def test_a_rehearsal_keeps_nothing(hub: OAuthHub) -> None:
    status, body = hub("POST", f"{PATH}/start", START | {"dry_run": True})
    assert (status, body["integration"], hub.stored_secrets.dump()) == (201, None, {})


def test_an_unauthorized_integration_can_be_renamed_regrouped_and_removed(hub: OAuthHub, one: str) -> None:
    assert hub("PATCH", f"/v1/integrations/{one}", {"display_name": "x", "group": "acme"})[0] == 200
    assert hub.integration(one)["status"] == "inactive"
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["code"] == "invalid_credentials"
    body = {"secrets": {"api_token": "glpat-x"}}
    assert hub("POST", f"/api/connections/{one}/credentials.create", body)[0] == 422
    assert hub("DELETE", f"/v1/integrations/{one}")[1]["revoked"] is False


# ---- authorize, by hand


def test_the_authorize_url_asks_for_a_code_with_pkce(hub: OAuthHub, one: str) -> None:
    started = hub.begin(one)
    asked = query(started["authorize_url"])
    assert started["authorize_url"].startswith(f"{HOST}/oauth/authorize?")
    assert (asked["redirect_uri"], asked["scope"], asked["code_challenge_method"]) == (REDIRECT, "read_api", "S256")
    assert (len(asked["state"]), len(asked["code_challenge"])) == (43, 43)
    assert started["state_expires_at"] == hub.now + 600
    assert started["connect_url"].startswith(f"{BASE}{PATH}/connect/")


def test_code_and_state_make_it_work(hub: OAuthHub, one: str) -> None:
    status, body = hub.finish(one)
    assert status == 200
    shown = body["integration"]
    assert (shown["status"], shown["credential_status"], shown["scopes"]) == ("active", "valid", ["read_api"])
    assert (shown["account"]["id"], shown["expires_at"]) == (7, None)
    assert hub.scheduled() == [one]
    assert hub("POST", f"/v1/integrations/{one}/verify")[1]["ok"] is True
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "valid"


def test_host_headers_do_not_move_the_redirect_uri(hub: OAuthHub, one: str) -> None:
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    _, started = hub("POST", f"{PATH}/start", START, headers=headers)
    _, authorization = hub("POST", AUTHORIZE, {"integration_id": one}, headers=headers)
    assert started["redirect_uri"] == query(authorization["authorize_url"])["redirect_uri"] == REDIRECT
    assert "evil" not in repr((started, authorization))


@pytest.mark.parametrize("body", [
    {"code": "c"}, {"state": "s"}, {"code": "c", "state": "s", "redirect_url": BACK}, {"redirect_url": "https://evil.example/"},
    {"redirect_url": f"{BACK}/deeper"}, {"redirect_url": ""}, {"scopes": []},
])  # fmt: skip
def test_what_makes_no_sense_is_refused(hub: OAuthHub, one: str, body: dict[str, Any]) -> None:
    status, answered = hub("POST", AUTHORIZE, {"integration_id": one, **body})
    assert (status, answered["code"], hub.gitlab.spent) == (422, "invalid_input", [])


def test_unknown_and_foreign_integrations_are_the_same_404(hub: OAuthHub, one: str) -> None:
    limited = Principal("t-limited", Role.OWNER, frozenset({"int_other"}))
    foreign = hub("POST", AUTHORIZE, {"integration_id": one}, principal=limited)
    unknown = hub("POST", AUTHORIZE, {"integration_id": "int_unknown"})
    assert foreign == unknown
    assert foreign[0] == 404


def test_an_integration_by_token_has_nothing_to_authorize(hub: OAuthHub) -> None:
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": next(iter(hub.gitlab.pats))}
    by_token = hub("POST", f"{PATH}/start", body)[1]["integration"]["id"]
    assert hub("POST", AUTHORIZE, {"integration_id": by_token})[0] == 400


@pytest.mark.parametrize("state", [FORGED, "", "é", "a,b", "x" * 2000])
def test_a_forged_state_asks_gitlab_nothing(hub: OAuthHub, one: str, state: str) -> None:
    hub.gitlab.approve(hub.begin(one)["authorize_url"])
    status, body = hub("POST", AUTHORIZE, {"integration_id": one, "code": "c", "state": state})
    assert (status, body["code"]) in {(400, "invalid_state"), (422, "invalid_input")}
    assert hub.gitlab.trades == 0
    is_unchanged(hub, one)


def test_a_state_works_once(hub: OAuthHub, one: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    body = {"integration_id": one, "code": code, "state": state}
    assert [hub("POST", AUTHORIZE, body)[0] for _ in range(2)] == [200, 400]
    assert hub.gitlab.trades == 1


def test_a_repeated_request_is_answered_as_the_first_and_asks_gitlab_nothing(hub: OAuthHub, one: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    hub.api._new_seed = lambda: "seed of one key"
    body = {"integration_id": one, "code": code, "state": state}
    first, second = (hub("POST", AUTHORIZE, body) for _ in range(2))
    assert (first[0], second) == (200, first)
    hub.api._new_seed = lambda: "seed of another"
    assert hub("POST", AUTHORIZE, body)[1]["code"] == "invalid_state"
    assert hub.gitlab.trades == 1


@pytest.mark.parametrize(("seconds", "status"), [(600, 200), (601, 400), (-59, 200), (-61, 400)])
def test_a_state_lives_ten_minutes_whatever_the_ttl_has_left(
    hub: OAuthHub, one: str, seconds: int, status: int
) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    hub.now += seconds
    assert hub("POST", AUTHORIZE, {"integration_id": one, "code": code, "state": state})[0] == status
    assert hub.gitlab.trades == (status == 200)


def test_the_newest_authorization_wins(hub: OAuthHub, one: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    newer = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    assert hub("POST", AUTHORIZE, {"integration_id": one, "code": code, "state": state})[1]["code"] == "invalid_state"
    assert hub("POST", AUTHORIZE, {"integration_id": one, "code": newer[0], "state": newer[1]})[0] == 200


def test_a_state_of_another_integration_is_refused(hub: OAuthHub, one: str) -> None:
    """The mix-up: the state decides which GitLab gets the code, and the call must agree."""
    other = hub.start(host_url="https://other.example.com")
    code, state = hub.gitlab.approve(hub.begin(other)["authorize_url"])
    status, body = hub("POST", AUTHORIZE, {"integration_id": one, "code": code, "state": state})
    assert (status, body["code"], hub.gitlab.trades) == (400, "invalid_state", 0)


def test_a_code_goes_only_to_the_gitlab_of_its_state(hub: OAuthHub, one: str) -> None:
    hub.start(host_url="https://other.example.com")
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    hub.browse(CALLBACK, code=code, state=state)
    hosts = {request.url.host for request in hub.gitlab.requests if request.url.path == "/oauth/token"}
    assert hosts == {"gitlab.example.com"}


def test_an_answer_that_names_another_issuer_is_refused(hub: OAuthHub, one: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    assert hub.browse(CALLBACK, code=code, state=state, iss="https://other.example.com")["statusCode"] == 400
    assert hub.gitlab.trades == 0


def test_only_the_hub_token_that_began_it_may_hand_the_code_in(hub: OAuthHub, one: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    another = Principal("t-another", Role.OWNER)
    body = {"integration_id": one, "code": code, "state": state}
    assert hub("POST", AUTHORIZE, body, principal=another)[1]["code"] == "invalid_state"
    assert hub.gitlab.trades == 0


def test_a_repeated_request_gets_the_same_addresses(hub: OAuthHub, one: str) -> None:
    hub.api._new_seed = lambda: "seed of one key"
    first = hub.begin(one)
    hub.now += 5
    assert hub.begin(one) == first
    assert query(first["authorize_url"])["state"] not in repr(hub.stored_rows.dump())
    [route] = [route for route in hub.api.routes if route.path == AUTHORIZE]
    assert route.secret_answer


@pytest.mark.parametrize("path", ["api", "browser"])
def test_two_at_once_exchange_once(path: str) -> None:
    for _ in range(10):
        hub = OAuthHub()
        one = hub.start()
        rival = OAuthHub(hub.gitlab)
        rival.stored_rows, rival.stored_secrets = hub.stored_rows, hub.stored_secrets
        rival.use(hub.stored_rows, hub.stored_secrets)
        code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
        body = {"integration_id": one, "code": code, "state": state}

        def hand_in(number: int, hubs: Any = (hub, rival), body: Any = body) -> int:
            if path == "api":
                return int(hubs[number]("POST", AUTHORIZE, body)[0])
            return int(hubs[number].browse(CALLBACK, code=body["code"], state=body["state"])["statusCode"])

        assert sorted(map(int, map(str, together(2, hand_in)))) == [200, 400]
        assert (hub.gitlab.trades, len(hub.gitlab.living)) == (1, 1)


# ---- connect and callback, by browser


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
