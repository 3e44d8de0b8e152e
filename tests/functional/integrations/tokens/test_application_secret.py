"""An application whose secret was renewed in GitLab: nothing ends, and the new secret is given by PATCH."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import GitLabError
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.refresh_trouble import ApplicationRefused
from tests.functional.integrations.oauth_hub import OAuthHub
from tests.functional.integrations.tokens.refreshing import TOKEN, attempt, expire, is_as_before


def refused(hub: OAuthHub, one: str) -> None:
    hub.gitlab.client_secret = "gloas-renewed"
    expire(hub)
    assert isinstance(attempt(hub, one), GitLabError)


def test_a_refused_application_ends_nothing_and_is_an_incident(hub: OAuthHub, one: str) -> None:
    refused(hub, one)
    for _ in range(20):
        hub.now += 400
        error = attempt(hub, one)
        assert isinstance(error, ApplicationRefused)
        assert error.details["reason"] == "invalid_client"
    is_as_before(hub, one)
    [incident] = hub.feature.incidents.of(one)
    assert (incident.kind, incident.details["code"]) == ("credential_not_renewed", "invalid_client")
    assert "PATCH" in incident.hint
    assert hub.told.waiting == [(one, "invalid_client")]


@pytest.mark.parametrize("path", ["verify", "gitlab-token/check"])
def test_a_refused_application_is_said_and_judges_no_token(hub: OAuthHub, one: str, path: str) -> None:
    refused(hub, one)
    for _ in range(3):  # The first of these meets a pause.
        status, answered = hub("POST", f"/v1/integrations/{one}/{path}")
        assert status == 200
        if path == "verify":
            step = next(check for check in answered["checks"] if check["step"] == "token")
            assert (step["code"], step["details"]["reason"]) == ("gitlab_unavailable", "invalid_client")
            assert "client_secret" in step["hint"]
        else:
            assert answered["status"] == "unknown"
        hub.now += 400
    is_as_before(hub, one)


def test_a_token_refused_while_its_application_is_refused_too_is_not_judged(hub: OAuthHub, one: str) -> None:
    hub.gitlab.client_secret = "gloas-renewed"
    hub.gitlab.expire()
    answered = hub("POST", f"/v1/integrations/{one}/verify")[1]
    assert answered["ok"] is False
    is_as_before(hub, one)


def test_the_new_secret_is_given_by_patch_and_tried_at_once(hub: OAuthHub, one: str) -> None:
    refused(hub, one)
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-renewed"})
    assert (status, body["integration"]["credential_status"]) == (200, "valid")
    assert hub.loaded(one).tokens.access_token == hub.gitlab.living[0].access
    assert list(hub.feature.incidents.of(one)) == []
    assert "gloas-renewed" not in repr((hub.stored_rows.dump(), body))
    expire(hub)
    assert isinstance(attempt(hub, one), LoadedCredential)
    assert hub.finish(one)[0] == 200


def test_a_wrong_secret_again_changes_nothing_and_stays_an_incident(hub: OAuthHub, one: str) -> None:
    refused(hub, one)
    assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-wrong"})[0] == 200
    assert [incident.kind for incident in hub.feature.incidents.of(one)] == ["credential_not_renewed"]
    is_as_before(hub, one)
    assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-renewed"})[0] == 200
    assert list(hub.feature.incidents.of(one)) == []


def test_a_new_secret_during_a_refresh_is_not_lost_with_its_answer(hub: OAuthHub, one: str) -> None:
    expire(hub)

    def patched() -> None:
        holding = hub.feature.store.holding(one)
        assert holding.integration.client_id == "app-1"
        hub.gitlab.client_secret = "gloas-renewed"
        assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-renewed"})[0] == 200

    hub.meanwhile(TOKEN, patched, done=True)
    assert isinstance(attempt(hub, one), LoadedCredential)
    application = hub.loaded(one).contents.application
    assert application is not None
    assert application.client_secret == "gloas-renewed"


@pytest.mark.parametrize("more", [
    {"client_id": "app-2"}, {"client_secret": ""}, {"client_secret": " "}, {"client_id": ""},
])  # fmt: skip
def test_a_patch_that_makes_no_sense_is_refused(hub: OAuthHub, one: str, more: dict[str, Any]) -> None:
    before = hub.loaded(one)
    assert hub("PATCH", f"/v1/integrations/{one}", more)[0] == 422
    assert hub.loaded(one) == before


def test_an_integration_by_token_has_no_application(hub: OAuthHub) -> None:
    by_token = {"host_url": "https://gitlab.example.com", "auth_mode": "personal_token"}
    started = hub("POST", "/v1/integrations/gitlab/start", by_token | {"access_token": next(iter(hub.gitlab.pats))})
    one = started[1]["integration"]["id"]
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-x"})
    assert (status, body["code"]) == (400, "invalid_input")


def test_the_secret_of_one_that_nobody_has_authorized_yet_can_be_changed(hub: OAuthHub) -> None:
    one = hub.start(client_secret="gloas-wrong")
    assert hub.finish(one)[1]["details"]["reason"] == "invalid_client"
    assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": hub.gitlab.client_secret})[0] == 200
    assert hub.finish(one)[0] == 200


def test_the_log_says_that_a_secret_was_given_and_not_which(hub: OAuthHub, one: str) -> None:
    assert hub("PATCH", f"/v1/integrations/{one}", {"client_secret": "gloas-renewed"})[0] == 200
    [line] = [row for row in hub.stored_rows.dump() if row.get("action") == "integration.change"]
    assert "'client_secret': 'given'" in repr(line)
    assert "gloas-renewed" not in repr(line)
