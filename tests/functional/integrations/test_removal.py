"""A removed integration is gone at once and for good, whatever else is under way."""

from typing import Any

import httpx
import pytest

from gitlab_hub.errors import NotFound
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.events import Context, http_event
from tests.fakes.gitlab import OTHER_CANARY, answer
from tests.functional.integrations.integrations_hub import IntegrationsHub

ROUTES = [
    ("GET", "", None),
    ("PATCH", "", {"paused": True}),
    ("DELETE", "", None),
    ("POST", "/verify", None),
    ("POST", "/gitlab-token/check", None),
    ("PUT", "/gitlab-token", {"access_token": OTHER_CANARY}),
    ("GET", "/repositories", None),
    ("POST", "/sync", {}),
    ("GET", "/sync", None),
    ("POST", "/sync/accept", {"kind": "access"}),
    ("POST", "/sync/reject", {"kind": "access"}),
]


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def one(hub: IntegrationsHub) -> str:
    return hub.start()


def test_it_answers_what_it_did(hub: IntegrationsHub, one: str) -> None:
    query = {"revoke": "true", "delete_hooks": "true", "force": "false"}
    assert hub("DELETE", f"/v1/integrations/{one}", query=query) == (
        200,
        {"ok": True, "revoked": True, "revoke_failed": [], "hooks_deleted": 0, "hooks_failed": []},
    )
    assert hub.purged == [one]
    assert hub.stored_secrets.dump() == {}


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_every_route_answers_as_for_an_unknown_id(
    hub: IntegrationsHub, one: str, method: str, path: str, body: Any
) -> None:
    hub("DELETE", f"/v1/integrations/{one}")
    before = hub.rows()
    gone = hub(method, f"/v1/integrations/{one}{path}", body)
    unknown = hub(method, f"/v1/integrations/int_unknown{path}", body)
    assert (gone, gone[0], gone[1]["code"]) == (unknown, 404, "not_found")
    assert (hub.rows(), hub.stored_secrets.dump(), hub.gitlab.paths.count("/user")) == (before, {}, 1)
    assert hub("GET", "/v1/integrations")[1]["integrations"] == []


@pytest.mark.parametrize(("method", "path", "body"), [
    ("PUT", "gitlab-token", {"access_token": OTHER_CANARY}),
    ("POST", "verify", None),
    ("POST", "gitlab-token/check", None),
    ("PATCH", "", {"group": "acme"}),
])  # fmt: skip
def test_nothing_comes_back_while_gitlab_is_being_asked(
    hub: IntegrationsHub, one: str, method: str, path: str, body: Any
) -> None:
    original = hub.gitlab.script["/user"]

    def removed_meanwhile(request: Any) -> Any:
        hub.feature.lifecycle.delete(one)
        return original(request) if callable(original) else original

    hub.gitlab.script["/user"] = removed_meanwhile
    status, answered = hub(method, f"/v1/integrations/{one}/{path}".rstrip("/"), body)
    assert (status, answered["code"]) == (404, "not_found")
    assert [row["lifecycle"] for row in hub.rows()] == ["deleting"]
    assert hub.stored_secrets.dump() == {}


def test_nothing_comes_back_from_a_credential_that_is_being_created(hub: IntegrationsHub, one: str) -> None:
    def removed_meanwhile(_request: Any) -> httpx.Response:
        hub.feature.lifecycle.delete(one)
        return answer(200, {"version": "17.0"})

    hub.gitlab.script["/version"] = removed_meanwhile
    body = {"secrets": {"api_token": OTHER_CANARY}}
    status, answered = hub("POST", f"/api/connections/{one}/credentials.create", body)
    assert (status, answered["error"]) == (422, "connection_not_found")
    assert [row["lifecycle"] for row in hub.rows()] == ["deleting"]
    assert hub.stored_secrets.dump() == {}


def test_a_running_sync_finds_no_target_and_changes_nothing(hub: IntegrationsHub, one: str) -> None:
    target = hub.targets.target(one)
    assert isinstance(target, SyncTarget)
    hub.feature.lifecycle.delete(one)
    before = hub.rows()
    hub.targets.mark_rejected(target)
    hub.targets.mark_valid(target)
    assert (hub.targets.target(one), hub.scheduled(), hub.rows()) == (None, [], before)


def test_others_may_change_it_while_it_is_removed(hub: IntegrationsHub, one: str) -> None:
    """A change between reading and marking only makes the removal look again."""

    class Meddler:
        def __init__(self, inner: Any) -> None:
            self._inner, self.left = inner, 2

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def transact(self, actions: Any) -> None:
            if self.left:
                self.left -= 1
                row = self._inner.get("INTEGRATIONS", one)
                self._inner.put(row | {"version": row["version"] + 1})
            self._inner.transact(actions)

    hub.use(Meddler(hub.stored_rows), hub.stored_secrets)
    assert hub.api.resolve(http_event("DELETE", f"/v1/integrations/{one}"), Context())["statusCode"] == 200
    with pytest.raises(NotFound):
        hub.feature.store.require(one)
