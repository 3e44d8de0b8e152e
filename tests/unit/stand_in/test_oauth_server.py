"""Signing in through the stand-in: codes, tokens, refresh, revocation."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.oauth.tokens import challenge_of
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.rest.ask import Answer

BACK = "http://127.0.0.1:8787/v1/integrations/gitlab/callback"
# The example in GitLab's documentation.
VERIFIER, CHALLENGE = "ks02i3jdikdo2k0dkfodf3m39rjfjsdk0wk349rj3jrhf", "2i0WFA-0AerkjQm4X4oDEhqA17QIAKNjXpagHBXmO_U"
OAuth = Callable[..., Answer]


@pytest.fixture
def oauth(app: StandIn) -> OAuth:
    def call(method: str, path: str, sent: dict[str, str] | None = None, **headers: str) -> Answer:
        form = urlencode(sent or {}).encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return app.oauth.answer(
            Call(
                method=method,
                path=f"/oauth/{path}",
                segments=tuple(path.split("/")),
                params=sent or {} if method == "GET" else {},
                headers={**(kind if method == "POST" else {}), **headers},
                body=b"" if method == "GET" else form,
            )
        )

    return call


@pytest.fixture
def client(app: StandIn) -> dict[str, str]:
    known = next(iter(app.company.applications.values()))
    return {"client_id": known.client_id, "client_secret": known.client_secret}


def authorize_params(client: dict[str, str], **changed: str) -> dict[str, str]:
    asked = {"client_id": client["client_id"], "redirect_uri": BACK, "response_type": "code", "scope": "read_api"}
    return {**asked, "state": "st&1", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changed}


def back(answer: Answer) -> dict[str, str]:
    assert answer.status == 302
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def trade(oauth: OAuth, client: dict[str, str], **changed: str) -> Answer:
    code = changed.pop("code", None) or back(oauth("GET", "authorize", authorize_params(client)))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **client}
    return oauth("POST", "token", {**sent, **changed})


def refresh(oauth: OAuth, client: dict[str, str], token: str) -> Answer:
    return oauth("POST", "token", {"grant_type": "refresh_token", "refresh_token": token, **client})


def test_the_challenge_is_that_of_gitlab_s_documentation() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE


def test_a_yes_leads_back_with_code_and_state(oauth: OAuth, client: dict[str, str]) -> None:
    got = back(oauth("GET", "authorize", authorize_params(client)))
    assert set(got) == {"code", "state"}
    assert got["state"] == "st&1"


def test_a_no_leads_back_too(oauth: OAuth, client: dict[str, str]) -> None:
    got = back(oauth("GET", "authorize", authorize_params(client, standin_deny="1")))
    assert (got["error"], got["state"]) == ("access_denied", "st&1")
    assert "code" not in got


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"response_type": "token"},
        {"scope": "sudo"},
        {"code_challenge_method": "S512"},
        {"standin_user": "nobody"},
    ],
)
def test_nothing_leads_back_from_a_wrong_wish(oauth: OAuth, client: dict[str, str], wrong: dict[str, str]) -> None:
    answer = oauth("GET", "authorize", authorize_params(client, **wrong))
    assert (answer.status, answer.headers.get("Location")) == (200, None)
    assert answer.content_type.startswith("text/html")


def test_a_scope_that_the_application_was_not_given_by_name_is_refused(oauth: OAuth, control: Any) -> None:
    """Also where another one that it has includes it."""
    made = control(
        "POST", "changes", {"do": "add_application", "name": "narrow", "redirect_uris": [BACK], "scopes": ["api"]}
    )
    for scope, status in (("api", 302), ("read_api", 200), ("read_api api", 200)):
        answer = oauth("GET", "authorize", authorize_params(made, scope=scope))
        assert (answer.status, b"scope is invalid" in answer.body) == (status, status == 200)


def test_a_code_becomes_tokens_once(oauth: OAuth, client: dict[str, str], ask: Any) -> None:
    code = back(oauth("GET", "authorize", authorize_params(client)))["code"]
    first, second = trade(oauth, client, code=code), trade(oauth, client, code=code)
    got = json.loads(first.body)
    assert (got["token_type"], got["expires_in"], got["scope"]) == ("Bearer", 7200, "read_api")
    assert got["created_at"] == 1_790_000_000
    assert ask("/user", got["access_token"]).json["username"] == "root"
    assert (second.status, json.loads(second.body)["error"]) == (400, "invalid_grant")


def test_a_chosen_person_says_yes(oauth: OAuth, client: dict[str, str], app: StandIn, ask: Any) -> None:
    person = app.company.users[app.company.tokens[app.company.well_known["owner-read"]].user_id]
    code = back(oauth("GET", "authorize", authorize_params(client, standin_user=person.username)))["code"]
    token = json.loads(trade(oauth, client, code=code).body)["access_token"]
    assert ask("/user", token).json["id"] == person.id


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"code_verifier": "x" * 43}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_request"),
        ({"redirect_uri": "http://elsewhere.test"}, 400, "invalid_grant"),
        ({"code": "nothing"}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_the_token_endpoint_says_no_in_gitlab_s_words(
    oauth: OAuth, client: dict[str, str], wrong: dict[str, str], status: int, error: str
) -> None:
    answer = trade(oauth, client, **wrong)
    body = json.loads(answer.body)
    assert (answer.status, body["error"]) == (status, error)
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]
    assert body["error_description"]


def test_a_code_runs_out(oauth: OAuth, client: dict[str, str], app: StandIn) -> None:
    code = back(oauth("GET", "authorize", authorize_params(client)))["code"]
    app.clock.advance(600)
    assert trade(oauth, client, code=code).status == 400


def test_the_client_may_show_itself_in_basic(oauth: OAuth, client: dict[str, str]) -> None:
    code = back(oauth("GET", "authorize", authorize_params(client)))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    for secret, status in (("wrong", 401), (client["client_secret"], 200)):
        shown = base64.b64encode(f"{client['client_id']}:{secret}".encode()).decode()
        assert oauth("POST", "token", sent, authorization=f"Basic {shown}").status == status


def test_a_refresh_kills_both_old_tokens_at_once(oauth: OAuth, client: dict[str, str], ask: Any) -> None:
    old = json.loads(trade(oauth, client).body)
    new = json.loads(refresh(oauth, client, old["refresh_token"]).body)
    assert ask("/user", old["access_token"]).json["error_description"].startswith("Token was revoked")
    assert json.loads(refresh(oauth, client, old["refresh_token"]).body)["error"] == "invalid_grant"
    assert ask("/user", new["access_token"]).status == 200
    assert new["refresh_token"] != old["refresh_token"]


def test_an_access_token_lives_for_two_hours_and_its_refresh_token_longer(
    oauth: OAuth, client: dict[str, str], ask: Any, app: StandIn
) -> None:
    got = json.loads(trade(oauth, client).body)
    app.clock.advance(7199)
    assert ask("/user", got["access_token"]).status == 200
    app.clock.advance(1)
    assert ask("/user", got["access_token"]).json["error_description"].startswith("Token is expired")
    assert refresh(oauth, client, got["refresh_token"]).status == 200


def test_another_client_may_neither_trade_nor_refresh_nor_revoke(
    oauth: OAuth, client: dict[str, str], control: Any
) -> None:
    made = control("POST", "changes", {"do": "add_application", "name": "other", "redirect_uris": [BACK]})
    other = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    code = back(oauth("GET", "authorize", authorize_params(client)))["code"]
    assert json.loads(trade(oauth, other, code=code).body)["error"] == "invalid_grant"
    got = json.loads(trade(oauth, client, code=code).body)
    assert refresh(oauth, other, got["refresh_token"]).status == 400
    assert oauth("POST", "revoke", {"token": got["access_token"], **other}).status == 403
    wrong = oauth("POST", "revoke", {"token": got["access_token"], **client, "client_secret": "wrong"})
    assert (wrong.status, json.loads(wrong.body)["error"]) == (403, "unauthorized_client")


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_both(oauth: OAuth, client: dict[str, str], ask: Any, which: str) -> None:
    got = json.loads(trade(oauth, client).body)
    assert oauth("POST", "revoke", {"token": got[which], **client}).body == b"{}"
    assert ask("/user", got["access_token"]).status == 401
    assert refresh(oauth, client, got["refresh_token"]).status == 400
    assert oauth("POST", "revoke", {"token": "nothing", **client}).status == 200


def test_an_access_token_that_has_run_out_ends_nothing(oauth: OAuth, client: dict[str, str], app: StandIn) -> None:
    got = json.loads(trade(oauth, client).body)
    app.clock.advance(7200)
    assert oauth("POST", "revoke", {"token": got["access_token"], **client}).status == 200
    assert refresh(oauth, client, got["refresh_token"]).status == 200


def test_a_token_tells_about_itself(oauth: OAuth, client: dict[str, str], app: StandIn) -> None:
    token = json.loads(trade(oauth, client).body)["access_token"]
    app.clock.advance(200)
    got = json.loads(oauth("GET", "token/info", authorization=f"Bearer {token}").body)
    assert got["resource_owner_id"] == 1
    assert got["scope"] == got["scopes"] == ["read_api"]
    assert got["expires_in"] == got["expires_in_seconds"] == 7000
    assert got["application"] == {"uid": client["client_id"]}
    # Of personal access tokens this page knows nothing.
    shown = f"Bearer {app.company.well_known['admin']}"
    answer = oauth("GET", "token/info", authorization=shown)
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(("status", "switch"), [(400, {}), (404, {"oauth_self_status": 404})])
def test_the_scopes_of_an_oauth_token_count_and_it_is_no_personal_token(
    oauth: OAuth, client: dict[str, str], ask: Any, control: Any, status: int, switch: dict[str, int]
) -> None:
    control("POST", "behaviour", switch)
    token = json.loads(trade(oauth, client).body)["access_token"]
    assert ask("/projects", token).status == 200
    assert ask("/projects/1/hooks", token, "POST", {"url": "https://hub.test"}).json["error"] == "insufficient_scope"
    assert ask("/personal_access_tokens/self", token).status == status
    assert ask("/user", token).status == 200


def test_other_paths_are_not_there(oauth: OAuth) -> None:
    assert oauth("POST", "authorize").status == 404
    assert oauth("GET", "applications").status == 404


def test_a_dead_refresh_token_is_said_before_a_wrong_secret(oauth: OAuth, client: dict[str, str]) -> None:
    pair = json.loads(trade(oauth, client).body)
    wrong = {**client, "client_secret": "gloas-wrong"}
    assert json.loads(refresh(oauth, wrong, pair["refresh_token"]).body)["error"] == "invalid_client"
    assert refresh(oauth, client, pair["refresh_token"]).status == 200
    assert json.loads(refresh(oauth, wrong, pair["refresh_token"]).body)["error"] == "invalid_grant"


def test_a_used_refresh_token_revokes_nothing_else(oauth: OAuth, client: dict[str, str]) -> None:
    first = json.loads(trade(oauth, client).body)
    second = json.loads(refresh(oauth, client, first["refresh_token"]).body)
    assert refresh(oauth, client, first["refresh_token"]).status == 400
    assert refresh(oauth, client, second["refresh_token"]).status == 200


def test_a_verifier_without_a_challenge_is_refused(oauth: OAuth, client: dict[str, str]) -> None:
    asked = {name: value for name, value in authorize_params(client).items() if not name.startswith("code_challenge")}
    code = back(oauth("GET", "authorize", asked))["code"]
    assert json.loads(trade(oauth, client, code=code).body)["error"] == "invalid_grant"
