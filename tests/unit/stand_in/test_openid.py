"""The stand-in as an OpenID Connect provider: what GitLab tells a client that asks for the scope `openid`."""

import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from stand_in_gitlab.app import StandIn
from stand_in_gitlab.company.applications import add_application
from stand_in_gitlab.company.grants import enrol
from stand_in_gitlab.oauth.openid import LIFETIME
from stand_in_gitlab.rest.ask import Answer
from tests.unit.stand_in.test_oauth_server import BACK, VERIFIER, OAuth, authorize_params, back, oauth

__all__ = ["oauth"]


@pytest.fixture
def client(app: StandIn) -> dict[str, str]:
    made = add_application(app.company, "console", [BACK], scopes=["openid"])
    return {"client_id": made.client_id, "client_secret": made.client_secret}


def read(answer: Answer) -> Any:
    return json.loads(answer.body)


def signed_in(oauth: OAuth, client: dict[str, str], **more: str) -> dict[str, Any]:
    code = back(oauth("GET", "authorize", authorize_params(client, scope="openid", **more)))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **client}
    return dict(read(oauth("POST", "token", sent)))


def test_discovery_names_addresses_of_this_gitlab_only(app: StandIn) -> None:
    told = app.openid.discovery()
    addresses = [told[name] for name in told if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 5
    assert all(one.startswith(f"{told['issuer']}/oauth/") for one in addresses)


def test_an_id_token_is_signed_for_the_client_with_its_nonce(
    app: StandIn, oauth: OAuth, client: dict[str, str]
) -> None:
    got = signed_in(oauth, client, nonce="n-1")
    keys = read(oauth("GET", "discovery/keys"))
    assert [set(one) & {"d", "p", "q"} for one in keys["keys"]] == [set()]
    token = jwt.decode(got["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    claims = token.claims
    issuer = app.openid.discovery()["issuer"]
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (issuer, client["client_id"], "n-1")
    assert (claims["exp"] - claims["iat"], claims["sub"], "groups" in claims) == (LIFETIME, "1", False)


def test_without_the_scope_there_is_no_id_token_and_no_userinfo(
    app: StandIn, oauth: OAuth, client: dict[str, str]
) -> None:
    made = add_application(app.company, "other", [BACK])
    other = {"client_id": made.client_id, "client_secret": made.client_secret}
    code = back(oauth("GET", "authorize", authorize_params(other)))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **other}
    got = read(oauth("POST", "token", sent))
    refused = oauth("GET", "userinfo", authorization=f"Bearer {got['access_token']}")
    assert ("id_token" in got, refused.status, read(refused)["error"]) == (False, 403, "insufficient_scope")
    assert oauth("GET", "userinfo", authorization="Bearer nobody").status == 401
    assert "The requested scope is invalid" in oauth("GET", "authorize", authorize_params(client)).body.decode()


def test_userinfo_tells_groups_below_a_membership_and_the_id_token_does_not(
    app: StandIn, oauth: OAuth, client: dict[str, str]
) -> None:
    company = app.company
    above = next(one for one in company.groups.values() if company.descendants(one.id))
    user = next(
        one for one in company.users.values()
        if one.state == "active" and not one.is_admin and all(one.id not in rows for rows in company.members.values())
    )  # fmt: skip
    enrol(company, "group", above.id, user.id, 40)
    got = signed_in(oauth, client, standin_user=user.username)
    told = read(oauth("GET", "userinfo", authorization=f"Bearer {got['access_token']}"))
    claims = jwt.decode(
        got["id_token"], KeySet.import_key_set(read(oauth("GET", "discovery/keys"))), algorithms=["RS256"]
    ).claims
    paths = {above.full_path, *(one.full_path for one in company.descendants(above.id))}
    assert (set(told["groups"]), claims["groups_direct"]) == (paths, [above.full_path])
    assert told["https://gitlab.org/claims/groups/maintainer"] == [above.full_path]
    assert (told["sub"], told["nickname"], "nonce" in claims) == (str(user.id), user.username, False)
