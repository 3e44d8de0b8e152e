"""What an authorization brought is judged before it counts: scopes, user, reach; every end leaves all or nothing."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from gitlab_hub.integrations.store import Change
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.gitlab import HOST, answer, html
from tests.fakes.oauth import CLIENT_SECRET
from tests.functional.integrations.oauth.flow import AUTHORIZE, CALLBACK
from tests.functional.integrations.oauth_hub import BACK, OAuthHub, aside

TOKEN = "/oauth/token"


def is_as_before(hub: OAuthHub, one: str) -> None:
    """Nothing is connected, and no token lives that nobody knows of."""
    assert (hub.integration(one)["status"], hub.gitlab.living) == ("inactive", [])
    assert hub.feature.store.holding(one).credentials == ()


def test_a_feature_that_was_switched_on_before_the_authorization_is_asked_for(hub: OAuthHub) -> None:
    one = hub.start()
    assert hub("PATCH", f"/v1/integrations/{one}", {"features": {"manage_webhooks": True}})[0] == 200
    hub.gitlab.registered = {"api"}
    assert hub.finish(one)[0] == 200
    assert hub.integration(one)["scopes"] == ["api"]


def test_less_than_was_asked_for_is_refused(hub: OAuthHub) -> None:
    one = hub.start()
    hub.gitlab.grants = ["read_user"]
    status, body = hub.finish(one)
    assert (status, body["code"], body["details"]["missing_scopes"]) == (403, "invalid_permissions", ["read_api"])
    is_as_before(hub, one)


@pytest.mark.parametrize(("more", "asked", "granted", "status"), [
    ({}, "read_api", ["read_api"], 200),
    ({"features": {"manage_webhooks": True}}, "api", ["api"], 200),
    ({"features": {"manage_webhooks": True}}, "api", ["read_api"], 403),
    ({"scopes": ["read_api", "read_user"]}, "read_api read_user", ["api"], 200),
    ({"scopes": ["read_api", "read_user"]}, "read_api read_user", ["read_api"], 403),
])  # fmt: skip
def test_scopes_asked_for_and_granted(
    hub: OAuthHub, more: dict[str, Any], asked: str, granted: list[str], status: int
) -> None:
    one = hub.start(**more)
    assert parse_qs(urlsplit(hub.begin(one)["authorize_url"]).query)["scope"] == [asked]
    hub.gitlab.grants = granted
    assert hub.finish(one)[0] == status


@pytest.mark.parametrize(("path", "fault", "status", "code"), [
    ("/projects", answer(body=[]), 409, "no_resources"),
    ("/user", answer(403, {"message": "blocked"}), 403, "invalid_permissions"),
    ("/user", answer(403, {"message": "403 Forbidden - Your account has been blocked."}), 403, "account_blocked"),
    ("/user", html(), 502, "not_gitlab"),
    ("/version", answer(503), 503, "gitlab_unavailable"),
])  # fmt: skip
def test_what_fails_to_verify_is_not_kept_and_ends(
    hub: OAuthHub, path: str, fault: httpx.Response, status: int, code: str
) -> None:
    one = hub.start()
    hub.gitlab.script[path] = fault
    answered, body = hub.finish(one)
    assert (answered, body["code"]) == (status, code)
    is_as_before(hub, one)


def test_another_user_changes_nothing(hub: OAuthHub) -> None:
    one = hub.connected()
    before, rows = hub.loaded(one), len(hub.stored_rows.dump())
    status, body = hub.finish(one, user=8)
    assert (status, body["code"]) == (409, "gitlab_account_mismatch")
    assert body["details"] == {"expected_user_id": 7, "user_id": 8}
    assert hub.loaded(one) == before
    assert [token_pair.user for token_pair in hub.gitlab.living] == [7]
    assert hub.integration(one)["status"] == "active"
    assert rows <= len(hub.stored_rows.dump())


def test_another_user_is_told_apart_even_where_it_reaches_nothing(hub: OAuthHub) -> None:
    one = hub.connected()
    hub.gitlab.script["/projects"] = answer(body=[])
    assert hub.finish(one, user=8)[1]["code"] == "gitlab_account_mismatch"


def test_another_user_who_is_slower_changes_nothing_either(hub: OAuthHub) -> None:
    """While the second one's token is being verified, the first one connects."""
    one = hub.start()

    def first(path: str) -> None:
        if path == "/version" and hub.gitlab.trades:
            hub.gitlab.on_call = lambda _path: None
            assert aside(lambda: hub.finish(one))[0] == 200

    hub.gitlab.on_call = first
    status, body = hub.finish(one, user=8)
    assert (status, body["code"]) == (409, "gitlab_account_mismatch")
    assert (hub.integration(one)["account"]["id"], [token_pair.user for token_pair in hub.gitlab.living]) == (7, [7])


def test_the_same_user_again_replaces_the_pair_and_ends_the_old_one(hub: OAuthHub) -> None:
    one = hub.connected()
    before = hub.loaded(one)
    assert hub.finish(one)[0] == 200
    after = hub.loaded(one)
    assert (after.credential.id, after.credential.generation) == (
        before.credential.id,
        1 + before.credential.generation,
    )
    assert [token_pair.access for token_pair in hub.gitlab.living] == [after.tokens.access_token]


def test_what_nobody_has_authorized_yet_says_so(hub: OAuthHub) -> None:
    one = hub.start()
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    token = next(check for check in body["checks"] if check["step"] == "token")
    assert (status, body["ok"], "authorize" in token["hint"]) == (200, False, True)
    status, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": "glpat-x"})
    assert (status, body["code"], "authorize" in body["error"]) == (400, "invalid_input", True)
    assert hub.integration(one)["status"] == "inactive"


def test_what_is_connected_already_is_not_connected_twice(hub: OAuthHub) -> None:
    one, two = hub.connected(), hub.start()
    status, body = hub.finish(two)
    assert (status, body["code"]) == (409, "duplicate_integration")
    assert body["details"] == {"integration_id": one, "removed_integration_id": two}
    assert one in body["error"]
    assert f"The unfinished integration {two} was removed." in body["error"]
    assert len(hub.gitlab.living) == 1
    assert hub("GET", f"/v1/integrations/{two}")[0] == 404
    hub.now += 3600
    assert hub.feature.lifecycle.cleanup_orphans() == 1
    assert [name for name in hub.stored_secrets.dump() if two in str(name)] == []
    assert hub.finish(one)[0] == 200


def test_an_integration_that_worked_stays_where_its_new_user_and_group_are_connected_elsewhere(hub: OAuthHub) -> None:
    """Its group was given after somebody else had connected that one."""
    one = hub.connected()
    hub.connected(group="acme")
    hub.feature.store.change(one, lambda found: Change(integration=replace(found.integration, group="acme")))
    status, body = hub.finish(one)
    assert (status, body["code"]) == (409, "duplicate_integration")
    assert "removed" not in repr(body)
    assert hub.integration(one)["status"] == "active"


def test_a_named_group_is_verified_and_spelled_as_gitlab_does(hub: OAuthHub) -> None:
    one = hub.connected(group="acme")
    assert hub.integration(one)["group"] == "Acme"


def test_a_wrong_application_secret_says_so(hub: OAuthHub) -> None:
    one = hub.start(client_secret="gloas-wrong")
    status, body = hub.finish(one)
    assert (status, body["code"], body["details"]["reason"]) == (400, "invalid_credentials", "invalid_client")


@pytest.mark.parametrize(
    "fault", [answer(503), httpx.ReadTimeout("?"), httpx.ConnectError("no"), html(200), answer(200, {})]
)
def test_a_code_is_offered_once_whatever_comes_of_it(hub: OAuthHub, fault: Any) -> None:
    one = hub.start()
    hub.gitlab.fail(TOKEN, fault)
    status, body = hub.finish(one)
    assert (status >= 500, hub.gitlab.trades) == (True, 1), body
    is_as_before(hub, one)
    assert hub.finish(one)[0] == 200


@pytest.mark.parametrize("more", [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}])
def test_a_first_pair_that_could_never_be_renewed_is_refused_and_ended(hub: OAuthHub, more: dict[str, Any]) -> None:
    one = hub.start()
    hub.gitlab.fail(TOKEN, answer(200, {"access_token": "half-canary", "token_type": "Bearer", **more}))
    status, body = hub.finish(one)
    assert (status, body["code"]) == (502, "unexpected_response")
    assert "refresh token" in body["error"]
    is_as_before(hub, one)
    [ended] = [parse_qs(each.content.decode()) for each in hub.gitlab.requests if each.url.path == "/oauth/revoke"]
    assert ended["token"] == ["half-canary"]
    assert hub.finish(one)[0] == 200


def test_the_verifier_that_is_sent_fits_the_challenge_and_comes_from_the_state(hub: OAuthHub) -> None:
    one = hub.connected()
    [form] = hub.gitlab.spent
    assert (len(form["code_verifier"]), form["redirect_uri"]) == (43, f"https://hub.example.com{CALLBACK}")
    assert form["code_verifier"] not in repr(hub.stored_rows.dump())
    assert hub.integration(one)["status"] == "active"


def test_a_removal_during_the_exchange_leaves_nothing(hub: OAuthHub) -> None:
    one = hub.start()

    def removed(path: str) -> None:
        if path == "/version" and hub.gitlab.trades:
            hub.gitlab.on_call = lambda _path: None
            aside(lambda: hub.feature.lifecycle.delete(one))

    hub.gitlab.on_call = removed
    assert hub.finish(one)[0] == 404
    assert (hub.gitlab.living, hub.stored_secrets.dump()) == ([], {})


def test_a_redirect_is_not_followed_with_the_secret(hub: OAuthHub) -> None:
    one = hub.start()
    hub.gitlab.fail(TOKEN, httpx.Response(307, headers={"location": "https://evil.example/oauth/token"}))
    assert hub.finish(one)[1]["code"] == "not_gitlab"
    assert {request.url.host for request in hub.gitlab.requests} == {"gitlab.example.com"}


def test_no_secret_is_in_a_row_an_answer_or_the_log(hub: OAuthHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    one = hub.start()
    started = hub.begin(one, redirect_url=BACK)
    gone = hub.browse(started["connect_url"])
    code, state = hub.gitlab.approve(gone["headers"]["location"])
    cookie = gone["cookies"][0].partition(";")[0]
    back = hub.browse(CALLBACK, cookies=[cookie], code=code, state=state)
    refused = [hub.browse(CALLBACK, code=code, state=state), hub.finish(one, user=8)]
    shown = [hub.integration(one), hub("GET", "/v1/integrations"), back, refused]
    assert not hub.spilled(hub.stored_rows.dump(), shown, caplog.text)
    known = parse_qs(urlsplit(started["authorize_url"]).query)["state"][0]
    ticket, value = started["connect_url"].rpartition("/")[2], cookie.partition("=")[2]
    for secret in (state, known, ticket, value, CLIENT_SECRET):
        assert secret not in repr((hub.stored_rows.dump(), shown, caplog.text))
    assert HOST in gone["headers"]["location"]


def to_gitlab(hub: OAuthHub, one: str, initiator: Principal, **more: Any) -> tuple[Any, str, str]:
    """Begin in the name of a hub token and authorize in a browser: (the page before GitLab, code, state)."""
    hub.principals.good[initiator.token_id] = initiator
    status, started = hub("POST", AUTHORIZE, {"integration_id": one, **more}, principal=initiator)
    assert status == 200, started
    gone = hub.browse(started["connect_url"])
    return gone, *hub.gitlab.approve(gone["headers"]["location"])


def from_gitlab(hub: OAuthHub, gone: Any, code: str, state: str) -> dict[str, Any]:
    return hub.browse(CALLBACK, code=code, state=state, cookies=[gone["cookies"][0].partition(";")[0]])


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("to", ["page", "address"])
def test_a_browser_is_told_the_other_integration_only_where_its_initiator_may_see_it(
    hub: OAuthHub, limited: bool, to: str
) -> None:
    one, two = hub.connected(), hub.start()
    initiator = Principal("t-admin", Role.ADMIN, frozenset({two}) if limited else None)
    more = {} if to == "page" else {"redirect_url": BACK}
    answered = from_gitlab(hub, *to_gitlab(hub, two, initiator, **more))
    if to == "page":
        assert (answered["statusCode"], "duplicate_integration" in answered["body"]) == (409, True)
        assert f"The unfinished integration {two} was removed." in answered["body"]
    else:
        existing = {} if limited else {"existing_integration_id": one}
        assert dict(parse_qsl(urlsplit(answered["headers"]["location"]).query)) == {
            "gitlab": "error", "integration_id": two, "code": "duplicate_integration",
            "removed_integration_id": two, **existing,
        }  # fmt: skip
    assert (one in repr(answered)) == (not limited)
    assert [token_pair.refresh for token_pair in hub.gitlab.living] == [hub.loaded(one).tokens.refresh_token]


def test_a_limit_that_was_lowered_meanwhile_hides_the_other_one_too(hub: OAuthHub) -> None:
    one, two = hub.connected(), hub.start()
    began, lowered = (Principal("t-admin", Role.ADMIN, limit) for limit in (None, frozenset({two})))
    gone, code, state = to_gitlab(hub, two, began)
    hub.principals.good["t-admin"] = lowered
    answered = from_gitlab(hub, gone, code, state)
    assert (answered["statusCode"], one in repr(answered)) == (409, False)
