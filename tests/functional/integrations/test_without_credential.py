"""An integration whose credential was deleted, before or meanwhile."""

from typing import Any

import httpx
import pytest

from tests.fakes.gitlab import CANARY, OTHER_CANARY, spilled
from tests.functional.integrations.integrations_hub import IntegrationsHub

SELF = "/personal_access_tokens/self"


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def one(hub: IntegrationsHub) -> str:
    return hub.start()


@pytest.fixture
def bare(hub: IntegrationsHub, one: str) -> str:
    """An integration whose last credential was deleted."""
    for credential in hub("GET", f"/api/connections/{one}/credentials.list")[1]["credentials"]:
        assert hub("POST", f"/api/connections/{one}/credentials.delete", {"id": credential["id"]})[0] == 200
    return one


def test_without_a_credential_every_route_says_that_there_is_none(hub: IntegrationsHub, bare: str) -> None:
    status, body = hub("POST", f"/v1/integrations/{bare}/verify")
    token = next(check for check in body["checks"] if check["step"] == "token")
    assert (status, body["ok"], body["code"]) == (200, False, "invalid_credentials")
    assert (token["details"]["reason"], "gitlab-token" in token["hint"]) == ("no_credential", True)
    status, body = hub("POST", f"/v1/integrations/{bare}/gitlab-token/check")
    assert (status, body["status"], body["expires_at"]) == (200, "unknown", None)
    for method, path, sent in (
        ("POST", "/gitlab-token/rotate", None),
        ("GET", "/repositories", None),
        ("PATCH", "", {"group": "acme"}),
    ):
        status, body = hub(method, f"/v1/integrations/{bare}{path}", sent)
        assert (status, body["code"], body["details"]["reason"]) == (400, "invalid_credentials", "no_credential")
        assert "gitlab-token" in body["error"]


def test_without_a_credential_a_token_becomes_a_new_one(hub: IntegrationsHub, bare: str) -> None:
    status, body = hub("PUT", f"/v1/integrations/{bare}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body["status"]) == (200, "valid")
    shown = hub.integration(bare)
    assert (shown["status"], shown["credential_status"], shown["scopes"]) == ("active", "valid", ["read_api"])
    listed = hub("GET", f"/api/connections/{bare}/credentials.list")[1]["credentials"]
    assert len(listed) == 1
    del hub.gitlab.users[CANARY]
    assert hub("POST", f"/v1/integrations/{bare}/verify")[1]["ok"] is True
    # Once more: now there is one to replace.
    assert hub("PUT", f"/v1/integrations/{bare}/gitlab-token", {"access_token": OTHER_CANARY})[0] == 200
    assert hub("GET", f"/api/connections/{bare}/credentials.list")[1]["credentials"] == listed
    assert not spilled(hub.stored_rows.dump(), body)


def test_without_a_credential_it_still_has_to_be_the_same_user(hub: IntegrationsHub, bare: str) -> None:
    hub.gitlab.users[OTHER_CANARY] = 8
    before = (hub.rows(), hub.stored_secrets.dump())
    status, body = hub("PUT", f"/v1/integrations/{bare}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body["code"]) == (409, "gitlab_account_mismatch")
    assert body["details"] == {"expected_user_id": 7, "user_id": 8}
    assert (hub.rows(), hub.stored_secrets.dump()) == before


def test_a_credential_that_is_deleted_while_it_is_looked_at_is_no_unknown_integration(
    hub: IntegrationsHub, one: str
) -> None:
    """Between reading the row and its secret."""
    source, deleted = hub.feature.token_service._source, list[str]()

    class Gone:
        def get_credential(self, integration_id: str, credential_id: str, need: Any = None) -> Any:
            deleted.append(credential_id)
            hub("POST", f"/api/connections/{integration_id}/credentials.delete", {"id": credential_id})
            return source.get_credential(integration_id, credential_id, need)

        def needs_refresh(self, loaded: Any) -> bool:
            return source.needs_refresh(loaded)

    hub.feature.token_service._source = Gone()
    status, body = hub("POST", f"/v1/integrations/{one}/verify")
    assert (status, body["code"], len(deleted)) == (200, "invalid_credentials", 1)
    assert hub("POST", f"/v1/integrations/{one}/gitlab-token/check")[1]["status"] == "unknown"


def test_a_credential_that_is_deleted_while_a_feature_is_switched_on_is_no_unknown_integration(
    hub: IntegrationsHub, one: str
) -> None:
    source = hub.feature.token_service._source

    class Gone:
        def get_credential(self, integration_id: str, credential_id: str, need: Any = None) -> Any:
            hub("POST", f"/api/connections/{integration_id}/credentials.delete", {"id": credential_id})
            return source.get_credential(integration_id, credential_id, need)

    hub.feature.token_service._source = Gone()  # type: ignore[assignment]  # it never comes to ask more
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"features": {"manage_webhooks": True}})
    assert (status, body["code"]) == (409, "conflict")


def test_a_credential_that_is_deleted_while_it_is_replaced_is_no_unknown_integration(
    hub: IntegrationsHub, one: str
) -> None:
    good: Any = hub.gitlab.script[SELF]

    def deleted_meanwhile(request: httpx.Request) -> httpx.Response:
        for each in hub("GET", f"/api/connections/{one}/credentials.list")[1]["credentials"]:
            hub("POST", f"/api/connections/{one}/credentials.delete", {"id": each["id"]})
        answered: httpx.Response = good(request)
        return answered

    hub.gitlab.script[SELF] = deleted_meanwhile
    status, body = hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})
    assert (status, body["code"], body["retryable"]) == (409, "conflict", True)
    assert hub("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": OTHER_CANARY})[0] == 200
