"""Two GitLabs, one of them hostile: a code of the honest one is worth nothing to the other (RFC 9700, 4.4)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab, Tokens
from gitlab_hub.gitlab.errors import GrantRefused
from gitlab_hub.gitlab.oauth import Application, code_fields
from gitlab_hub.integrations.factory import unauthorized_integration
from gitlab_hub.integrations.feature import IntegrationsFeature
from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.oauth.keys import challenge
from gitlab_hub.integrations.tokens.gitlab_api import TokenEndpoint
from gitlab_hub.integrations.tokens.vault import Contents
from tests.fakes.gitlab import HOST, ScriptedConnector
from tests.fakes.oauth import CLIENT, CLIENT_SECRET, REDIRECT, OAuthGitLab
from tests.functional.integrations.oauth_hub import PATH, START, OAuthHub

HOSTILE = "https://gitlab.hostile.example"
OWN_VERIFIER = "v" * 43


class TwoGitLabs(ScriptedConnector):
    """Leads each address to its own GitLab."""

    def __init__(self, honest: OAuthGitLab, hostile: OAuthGitLab) -> None:
        super().__init__(honest)
        self._hostile = ScriptedConnector(hostile)

    def open(self, address: Address, tokens: Tokens) -> GitLab:
        if address.base_url == HOSTILE:
            return self._hostile.open(address, tokens)
        return super().open(address, tokens)


@pytest.fixture
def hostile(hub: OAuthHub) -> OAuthGitLab:
    hostile = OAuthGitLab()
    hub.elsewhere = TwoGitLabs(hub.gitlab, hostile)
    hub.use(hub.stored_rows, hub.stored_secrets)
    return hostile


@pytest.mark.parametrize("more", [{"client_secret": None}, {}])
def test_an_application_without_a_secret_is_refused(hub: OAuthHub, more: dict[str, Any]) -> None:
    body = {name: value for name, value in START.items() if name != "client_secret"} | more
    status, answered = hub("POST", f"{PATH}/start", body)
    [field] = answered["details"]["fields"]
    assert (status, field["field"], field["problem"]) == (422, "body.client_secret", "missing")
    assert "Confidential" in answered["error"]
    assert (hub.stored_rows.dump(), hub.stored_secrets.dump(), hub.gitlab.requests) == ([], {}, [])


def test_the_code_of_another_gitlab_is_worth_nothing_to_a_hostile_one(hub: OAuthHub, hostile: OAuthGitLab) -> None:
    """The hostile one sends the browser on to the honest one, with its own challenge and the hub's state."""
    honest = hub.start()
    bad = hub.start(host_url=HOSTILE, client_secret=CLIENT_SECRET)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(hub.begin(bad)["authorize_url"]).query).items()}
    code, _ = hub.gitlab.approve(hub.begin(honest)["authorize_url"])
    hub.gitlab.codes[code].challenge = challenge(OWN_VERIFIER)
    came_back = hub.browse(f"{PATH}/callback", code=code, state=asked["state"])
    assert came_back["statusCode"] >= 400
    [form] = hostile.spent
    assert form["code"] == code
    # What the hostile one can do with it now, knowing the verifier and no secret.
    token_endpoint = TokenEndpoint(ScriptedConnector(hub.gitlab))
    for application in (Application(client_id=CLIENT), Application(client_id=CLIENT, client_secret="guessed")):
        fields = code_fields(application, code=code, verifier=OWN_VERIFIER, redirect_uri=REDIRECT)
        with pytest.raises(GrantRefused):
            token_endpoint.exchange_code(HOST, fields)
    assert hub.gitlab.living == []


def test_one_that_an_earlier_release_kept_without_a_secret_is_not_authorized_before_it_has_one(hub: OAuthHub) -> None:
    one = kept_without_a_secret(hub.feature, now=int(hub.now))
    status, body = hub("POST", f"{PATH}/authorize", {"integration_id": one})
    assert (status, body["code"]) == (400, "invalid_input")
    assert "client_secret" in body["error"]
    assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": CLIENT_SECRET})[0] == 200
    assert hub.finish(one)[0] == 200


def kept_without_a_secret(feature: IntegrationsFeature, *, now: int) -> str:
    integration = unauthorized_integration(
        "int_old", HOST, None, Features(), None, client_id=CLIENT, scopes=("read_api",), created_by="owner", now=now
    )
    return feature.lifecycle.create(integration, None, Contents(application=Application(client_id=CLIENT))).id
