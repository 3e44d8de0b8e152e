"""Removing an integration: gone at once, and nothing of it stays behind."""

import pytest

from stand_in_gitlab.process import Running, running
from tests.end_to_end.building import Built
from tests.end_to_end.coding_company import CodingCompany
from tests.end_to_end.companies import COMPANY, newcomer, token
from tests.end_to_end.hub_client import BOTH, Hub, until
from tests.end_to_end.stores import secrets, traces_of, waiting
from tests.end_to_end.test_receiver import Sender, refused


def test_an_integration_that_is_removed_during_a_sync_leaves_nothing(hub: Hub, lively: Running) -> None:
    user_id = newcomer(lively)
    one = hub.connect(lively.base, token(lively, user_id))
    integration_id = one.rpartition("/")[2]
    assert hub.sync(one)["access"]["status"] == "idle"
    assert len(traces_of(hub.stack, integration_id)) > 10

    lively.control("POST", "latency", {"ms": 60})
    hub.call("POST", f"{one}/sync", {"full": True})
    until(lambda: {hub.get(f"{one}/sync")["kinds"][kind]["status"] for kind in BOTH} == {"running"}, pause=0.02)
    removed = hub.call("DELETE", f"{one}?revoke=true&delete_hooks=true&force=false")
    assert removed.status == 200
    assert removed.body.items() >= {"ok": True, "hooks_deleted": 0, "hooks_failed": []}.items()
    assert "revoked" in removed.body

    for method, more in (("GET", ""), ("GET", "/sync"), ("GET", "/accounts"), ("POST", "/sync"), ("DELETE", "")):
        assert hub.call(method, one + more).refusal == (404, "not_found")
    assert integration_id not in {row["id"] for row in hub.rows("/v1/integrations")}
    assert all(integration_id not in name for name in secrets(hub.stack))
    until(lambda: not traces_of(hub.stack, integration_id), pause=0.3)
    until(lambda: not any(waiting(hub.stack, queue) for queue in ("SyncAccountsQueue", "SyncPipelinesQueue")))
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


@pytest.mark.parametrize("delete_hooks", ["true", "false"])
def test_a_removal_takes_hooks_triggers_deliveries_and_builds_along(hub: Hub, delete_hooks: str) -> None:
    with running(*COMPANY) as gitlab:
        company = CodingCompany.connected(hub, gitlab)
        manual = Sender(company, company.hook("project", company.project(), "push", mode="manual"))
        company.hook("system", None, "push")
        built = Built(company, {"type": "eventbridge"})
        built.secret()
        sha = built.push()
        build = built.build("running", sha=sha)
        assert manual.post().status == 202
        delivery = company.worked_on(3)[0]
        assert len(traces_of(hub.stack, company.id)) > 100

        removed = hub.call("DELETE", f"{company.path}?delete_hooks={delete_hooks}&force=true").body
        assert (removed["hooks_deleted"], removed["hooks_failed"]) == ((2, []) if delete_hooks == "true" else (0, []))
        assert len(company.there()) == (0 if delete_hooks == "true" else 2)
        late = manual.post()
        assert refused(late) or late.body == {"ok": True, "ignored": "gone"}
        built.push()
        assert {row["response_status"] for row in company.sent(built.hook)[1:]} <= {"401", "200"}
        for path in (f"builds/{build['id']}", f"triggers/{built.id}", f"deliveries/{delivery['id']}"):
            assert hub.call("GET", f"/v1/{path}").refusal == (404, "not_found")
        assert built.report(build["id"], "success").refusal == (404, "not_found")
        until(lambda: not traces_of(hub.stack, company.id), pause=0.3)
        assert refused(manual.post())
