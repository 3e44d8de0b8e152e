"""Removing an integration: gone at once, and nothing of it stays behind."""

import time

from local.gitlab.process import Running
from tests.end_to_end.company import newcomer, token
from tests.end_to_end.hub import BOTH, Hub, until
from tests.end_to_end.stores import secrets, traces_of


def test_an_integration_that_is_removed_during_a_sync_leaves_nothing(hub: Hub, lively: Running) -> None:
    user_id = newcomer(lively)
    one = hub.connect(lively.base, token(lively, user_id))
    integration_id = one.rpartition("/")[2]
    assert hub.sync(one)["access"]["status"] == "idle"
    assert len(traces_of(hub.stack, integration_id)) > 10

    lively.control("POST", "latency", {"ms": 60})
    hub.call("POST", f"{one}/sync", {"full": True})
    until(lambda: {state["status"] for state in hub.get(f"{one}/sync")["kinds"].values()} == {"running"}, pause=0.02)
    removed = hub.call("DELETE", f"{one}?revoke=true&delete_hooks=true&force=false")
    assert removed.status == 200
    assert removed.body.items() >= {"ok": True, "hooks_deleted": 0, "hooks_failed": []}.items()
    assert "revoked" in removed.body

    for method, more in (("GET", ""), ("GET", "/sync"), ("GET", "/accounts"), ("POST", "/sync"), ("DELETE", "")):
        assert hub.call(method, one + more).refusal == (404, "not_found")
    assert integration_id not in {row["id"] for row in hub.rows("/v1/integrations")}
    assert all(integration_id not in name for name in secrets(hub.stack))
    until(lambda: not traces_of(hub.stack, integration_id), pause=0.3)
    time.sleep(1)  # Longer than a worker needs for the request it was at.
    assert traces_of(hub.stack, integration_id) == []

    lively.control("POST", "latency", {"ms": 0})
    again = hub.connect(lively.base, token(lively, user_id))
    assert again != one
    assert {state["sync_id"] for state in hub.get(f"{again}/sync")["kinds"].values()} == {None}


def test_a_removal_takes_every_credential_along(hub: Hub, lively: Running) -> None:
    user_id = newcomer(lively)
    one = hub.connect(lively.base, token(lively, user_id))
    integration_id = one.rpartition("/")[2]
    connection = f"/api/connections/{integration_id}/credentials"
    body = {"secrets": {"api_token": token(lively, user_id)}}
    assert hub.call("POST", f"{connection}.create", body).status == 201
    assert hub.call("DELETE", one).status == 200
    assert hub.call("GET", f"{connection}.list").body["error"] == "connection_not_found"
    until(lambda: not traces_of(hub.stack, integration_id))


def test_a_removal_leaves_the_others_alone(hub: Hub, lively: Running, one: str) -> None:
    before = hub.rows(f"{one}/accounts"), hub.rows(f"{one}/pipelines")
    other = hub.connect(lively.base, token(lively, newcomer(lively)))
    states = hub.sync(other)
    assert {states[kind]["status"] for kind in BOTH} == {"idle"}
    assert hub.call("DELETE", other).status == 200
    until(lambda: not traces_of(hub.stack, other.rpartition("/")[2]))
    assert (hub.rows(f"{one}/accounts"), hub.rows(f"{one}/pipelines")) == before
