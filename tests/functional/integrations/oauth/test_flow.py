"""From an application to a working integration, by hand, and everything that must not pass."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from gitlab_hub.web.principal import Principal, Role
from tests.fakes.gitlab import HOST, answer, html
from tests.fakes.oauth import CLIENT_SECRET, REDIRECT
from tests.fakes.threads import together
from tests.functional.integrations.oauth.flow import AUTHORIZE, CALLBACK, FORGED, is_unchanged, query
from tests.functional.integrations.oauth_hub import BACK, BASE, PATH, START, OAuthHub


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


@pytest.mark.parametrize("after", [5, 700, 80_000])
def test_an_older_request_that_is_repeated_says_so_and_does_not_take_the_place_of_a_newer_one(
    hub: OAuthHub, one: str, after: float
) -> None:
    hub.api._new_seed = lambda: "seed of the older key"
    hub.begin(one)
    hub.api._new_seed = lambda: "seed of the newer key"
    hub.now += after - 5
    newer = hub.begin(one)
    hub.api._new_seed = lambda: "seed of the older key"
    hub.now += 5
    status, said = hub("POST", AUTHORIZE, {"integration_id": one})
    assert (status, said["code"], "newer" in said["error"]) == (400, "invalid_state", True)
    code, state = hub.gitlab.approve(newer["authorize_url"])
    assert hub("POST", AUTHORIZE, {"integration_id": one, "code": code, "state": state})[0] == 200


def test_a_request_that_is_repeated_after_its_authorization_has_expired_says_so(hub: OAuthHub, one: str) -> None:
    hub.api._new_seed = lambda: "seed of one key"
    hub.begin(one)
    hub.now += 2 * 3_600
    # The table's time to live has removed what has expired.
    for row in hub.stored_rows.dump():
        if row.get("expires_at", hub.now) < hub.now:
            hub.stored_rows.delete(row["pk"], row["sk"])
    status, said = hub("POST", AUTHORIZE, {"integration_id": one})
    assert (status, said["code"], "ten minutes" in said["error"]) == (400, "invalid_state", True)


def test_what_was_begun_goes_with_its_integration(hub: OAuthHub, one: str) -> None:
    hub.begin(one)
    assert hub("DELETE", f"/v1/integrations/{one}")[0] == 200
    assert [row["sk"] for row in hub.stored_rows.dump() if row["pk"] == f"INTEGRATION#{one}"] == []


@pytest.mark.parametrize("issuer", [HOST, f"{HOST}/", f"{HOST}:443", HOST.replace("gitlab", "GitLab")])
def test_an_answer_that_names_the_integrations_gitlab_is_taken(hub: OAuthHub, one: str, issuer: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    assert hub.browse(CALLBACK, code=code, state=state, iss=issuer)["statusCode"] == 200


@pytest.mark.parametrize(
    "issuer", [f"{HOST}:8443", f"{HOST}/other", HOST.replace("https", "http"), "https://gitlab.internal", "", "odd"]
)
def test_an_answer_that_names_another_address_says_which_one_to_connect(hub: OAuthHub, one: str, issuer: str) -> None:
    code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
    answer = hub.browse(CALLBACK, code=code, state=state, iss=issuer)
    assert (answer["statusCode"], hub.gitlab.trades) == (400, 0)
    assert "external URL" in answer["body"]


@pytest.mark.parametrize("path", ["api", "browser"])
def test_two_at_once_exchange_once(path: str) -> None:
    for _ in range(10):
        hub = OAuthHub()
        one = hub.start()
        rival = hub.beside()
        code, state = hub.gitlab.approve(hub.begin(one)["authorize_url"])
        body = {"integration_id": one, "code": code, "state": state}

        def hand_in(number: int, hubs: Any = (hub, rival), body: Any = body) -> int:
            if path == "api":
                return int(hubs[number]("POST", AUTHORIZE, body)[0])
            return int(hubs[number].browse(CALLBACK, code=body["code"], state=body["state"])["statusCode"])

        assert sorted(map(int, map(str, together(2, hand_in)))) == [200, 400]
        assert (hub.gitlab.trades, len(hub.gitlab.living)) == (1, 1)


def test_somebody_who_has_signed_in_with_gitlab_authorizes_as_what_they_were_then(hub: OAuthHub, one: str) -> None:
    """Nobody can look up later what they may do: it counts for the ten minutes that it takes."""
    person = Principal("gitlab:7@gitlab.example.com", Role.ADMIN, frozenset({one}))
    for principal, status in ((person, 200), (replace(person, token_id="t-unknown"), 403)):
        begun = hub("POST", AUTHORIZE, {"integration_id": one}, principal=principal)[1]
        code, state = hub.gitlab.approve(begun["authorize_url"])
        body = {"integration_id": one, "code": code, "state": state}
        assert hub("POST", AUTHORIZE, body, principal=principal)[0] == status
    assert hub.integration(one)["status"] == "active"
