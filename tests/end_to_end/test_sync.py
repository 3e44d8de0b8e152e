"""Asking for a sync and watching it."""

import pytest

from stand_in_gitlab.process import Running, running
from tests.end_to_end.companies import COMPANY, newcomer, token
from tests.end_to_end.hub_client import BOTH, Hub, until
from tests.end_to_end.truth import real_access, shown_access

STATE = {
    "sync_id", "status", "progress", "started_at", "finished_at", "lag_seconds", "rate_limited_until", "last_error",
    "counts",
}  # fmt: skip


@pytest.fixture
def fresh(hub: Hub, lively: Running) -> str:
    return hub.connect(lively.base, token(lively, newcomer(lively)))


def test_nothing_is_known_before_the_first_sync(hub: Hub, fresh: str) -> None:
    kinds = hub.get(f"{fresh}/sync")["kinds"]
    assert set(kinds) == {*BOTH, "credentials"}
    for state in kinds.values():
        assert state.keys() >= STATE
        assert (state["status"], state["sync_id"], state["progress"]) == ("idle", None, {"done": 0, "total": 0})
        assert state["lag_seconds"] is state["started_at"] is state["finished_at"] is None


def test_a_sync_is_visible_at_once_and_ends_at_rest(hub: Hub, lively: Running, fresh: str) -> None:
    lively.control("POST", "latency", {"ms": 30})
    answer = hub.call("POST", f"{fresh}/sync")
    assert (answer.status, answer.body.keys()) == (202, {"sync_id"})
    sync_id = answer.body["sync_id"]
    states = [hub.get(f"{fresh}/sync")["kinds"]]
    again = hub.call("POST", f"{fresh}/sync", {"kinds": ["pipelines"]})
    assert (again.refusal, again.body["details"]["sync_id"]) == ((409, "sync_in_progress"), sync_id)

    def at_rest() -> bool:
        states.append(hub.get(f"{fresh}/sync")["kinds"])
        return all(state["status"] == "idle" for state in states[-1].values())

    assert all(states[0][kind]["status"] in {"queued", "running"} for kind in BOTH)
    # It costs a request for each user, group and project, so it is read where somebody names it, and once a day.
    assert states[0]["credentials"]["sync_id"] is None
    until(at_rest)
    for kind in BOTH:
        seen = [state[kind] for state in states]
        assert {state["sync_id"] for state in seen} == {sync_id}
        done = [state["progress"]["done"] for state in seen]
        assert done == sorted(done)
        assert all(state["progress"]["done"] <= state["progress"]["total"] for state in seen)
        end = seen[-1]
        assert end["progress"]["done"] == end["progress"]["total"] > 0
        assert type(end["started_at"]) is type(end["finished_at"]) is int
        assert end["started_at"] <= end["finished_at"]
        assert 0 <= end["lag_seconds"] < 60
        assert end["last_error"] is end["rate_limited_until"] is None
        assert all(type(count) is int for count in end["counts"].values())


def test_one_kind_can_be_synced_alone(hub: Hub, fresh: str) -> None:
    kinds = hub.sync(fresh, "access")
    assert (kinds["access"]["status"], kinds["pipelines"]["sync_id"]) == ("idle", None)
    assert hub.get(f"{fresh}/accounts")["accounts"]
    assert hub.get(f"{fresh}/pipelines")["pipelines"] == []


def test_a_further_sync_writes_nothing(hub: Hub, one: str) -> None:
    kinds = hub.sync(one)
    assert [kinds[kind]["counts"]["rows_written"] for kind in BOTH] == [0, 0]
    kinds = hub.sync(one, full=True)
    assert [kinds[kind]["status"] for kind in BOTH] == ["idle", "idle"]


@pytest.mark.parametrize("body", [{"kinds": []}, {"kinds": ["builds"]}, {"kinds": "access"}, {"full": 1}, {"at": 1}])
def test_a_request_of_another_shape_is_refused(hub: Hub, one: str, body: dict[str, object]) -> None:
    assert hub.call("POST", f"{one}/sync", body).refusal == (422, "invalid_input")


def test_there_is_nothing_to_accept_where_nothing_is_suspect(hub: Hub, one: str) -> None:
    assert hub.call("POST", f"{one}/sync/accept", {"kind": "access"}).refusal == (409, "nothing_suspect")


def test_a_paused_integration_is_read_and_not_synced(hub: Hub, fresh: str) -> None:
    state = hub.sync(fresh, "access")["access"]
    assert state["progress"]["done"] == state["progress"]["total"] > 0
    before = shown_access(hub, fresh)
    assert hub.call("PATCH", fresh, {"paused": True}).body["integration"]["status"] == "paused"
    refused = hub.call("POST", f"{fresh}/sync", {"kinds": ["access"]})
    assert refused.refusal == (409, "integration_paused")
    assert shown_access(hub, fresh) == before
    [ended] = hub.get(f"{fresh}/sync/history", limit=1)["syncs"]
    assert (ended["sync_id"], ended["kind"], ended["progress"]) == (state["sync_id"], "access", state["progress"])
    own = [one for one in hub.rows("/v1/incidents") if fresh.endswith(one["integration_id"])]
    assert [one for one in own if one["kind"].startswith("sync_")] == []


def test_a_great_loss_waits_for_an_owner(hub: Hub) -> None:
    with running(*COMPANY) as company:
        one = hub.connect(company.base, token(company))
        assert hub.sync(one, "access")["access"]["status"] == "idle"
        before = shown_access(hub, one)
        people = [row["id"] for row in company.truth("users") if not row["is_admin"] and not row["bot"]]
        for user_id in people[: len(people) * 2 // 3]:
            company.change("remove_user", id=user_id)
        state = hub.sync(one, "access")["access"]
        assert state["status"] == "suspect"
        assert shown_access(hub, one)["accounts"] == before["accounts"]
        tokens = {role: hub.call("POST", "/v1/tokens", {"role": role}).body["token"] for role in ("developer", "admin")}
        refused = hub.call("POST", f"{one}/sync/accept", {"kind": "access"}, token=tokens["developer"])
        assert refused.refusal == (403, "permission_denied")
        accepted = hub.call("POST", f"{one}/sync/accept", {"kind": "access"}, token=tokens["admin"])
        assert accepted.status == 202
        assert hub.rested(one, accepted.body["sync_id"], "access")["access"]["status"] == "idle"
        assert shown_access(hub, one) == real_access(company)
