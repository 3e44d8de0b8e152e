"""Somebody says whether a suspect sync is right: accepted or rejected, once, and written down."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.sync import incidents
from gitlab_hub.sync import run as runs
from gitlab_hub.sync.errors import SyncInProgress
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub

ADMIN = Principal("t-admin", Role.ADMIN)
NOW = 1_790_000_000
BODY = {"kind": "access"}


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


@pytest.fixture
def suspect(hub: ApiHub) -> Run:
    """A sync that did not dare to remove what seemed to be gone."""
    syncs, store = hub.container.syncs, hub.container.syncs.runs
    syncs.request(hub.own, ["access"])
    run = replace(store.load(hub.own, Kind.ACCESS), suspected={"grants": 40, "accounts": 3})
    ended = store.end(runs.finish(run, now=NOW))
    incidents.note(hub.container.incidents, ended)
    return ended


def sync(hub: ApiHub) -> dict[str, Any]:
    state: dict[str, Any] = hub("GET", f"/v1/integrations/{hub.own}/sync")[1]["kinds"]["access"]
    return state


def entries(hub: ApiHub, action: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub("GET", "/v1/audit-log", query={"action": action})[1]["entries"]
    return found


def open_incidents(hub: ApiHub) -> list[str]:
    return [one["kind"] for one in hub("GET", "/v1/incidents")[1]["incidents"] if one["subject"] == "access"]


def test_a_rejected_sync_is_over_without_its_removals(hub: ApiHub, suspect: Run) -> None:
    assert open_incidents(hub) == ["sync_suspect"]
    answer = hub("POST", f"/v1/integrations/{hub.own}/sync/reject", BODY, principal=ADMIN)
    assert answer == (202, {"sync_id": suspect.sync_id})
    state = sync(hub)
    assert (state["status"], state["suspected"], state["counts"]["rows_rejected"]) == ("idle", {}, 43)
    assert open_incidents(hub) == []
    [ended] = hub("GET", f"/v1/integrations/{hub.own}/sync/history")[1]["syncs"]
    assert (ended["sync_id"], ended["status"], ended["counts"]) == (suspect.sync_id, "idle", {"rows_rejected": 43})


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_a_verdict_is_in_the_log_with_what_it_is_about(hub: ApiHub, suspect: Run, verdict: str) -> None:
    assert hub("POST", f"/v1/integrations/{hub.own}/sync/{verdict}", BODY)[0] == 202
    [entry] = entries(hub, f"sync.{verdict}")
    assert (entry["actor"], entry["integration_id"], entry["target"]) == ("t-owner", hub.own, suspect.sync_id)
    assert entry["before"] == {"kind": "access", "removals": {"grants": 40, "accounts": 3}}


@pytest.mark.parametrize("first", ["accept", "reject"])
@pytest.mark.parametrize("second", ["accept", "reject"])
def test_there_is_one_verdict(hub: ApiHub, suspect: Run, first: str, second: str) -> None:
    assert hub("POST", f"/v1/integrations/{hub.own}/sync/{first}", BODY)[0] == 202
    before = sync(hub)
    status, body = hub("POST", f"/v1/integrations/{hub.own}/sync/{second}", BODY)
    assert (status, body["code"], sync(hub)) == (409, "nothing_suspect", before)
    assert len(entries(hub, f"sync.{second}")) == (first == second)


@pytest.mark.parametrize("verdict", ["accept", "reject"])
def test_a_sync_that_is_not_suspect_takes_none(hub: ApiHub, verdict: str) -> None:
    for _ in ("never synced", "queued"):
        status, body = hub("POST", f"/v1/integrations/{hub.own}/sync/{verdict}", BODY)
        assert (status, body["code"]) == (409, "nothing_suspect")
        if not sync(hub)["sync_id"]:
            hub.container.syncs.request(hub.own, ["access"])
    assert entries(hub, f"sync.{verdict}") == []


def test_of_a_verdict_and_a_sync_that_starts_meanwhile_one_wins(hub: ApiHub, suspect: Run) -> None:
    syncs, store = hub.container.syncs, hub.container.syncs.runs
    stale = store.load(hub.own, Kind.ACCESS)
    syncs.request(hub.own, ["access"])

    class Late(RunStore):
        """Reads what was there a moment ago."""

        def load(self, integration_id: str, kind: Kind) -> Run:
            return stale

    late = replace(syncs, runs=Late(hub.tables["integrations"]))
    with pytest.raises(SyncInProgress):
        late.reject(hub.own, "access", actor="t-admin")
    assert store.load(hub.own, Kind.ACCESS).status is RunStatus.QUEUED


@pytest.mark.parametrize("body", [{}, {"kind": "builds"}, {"kind": "access", "sync_id": "s1"}])
def test_a_verdict_of_another_shape_is_refused(hub: ApiHub, suspect: Run, body: dict[str, Any]) -> None:
    assert hub("POST", f"/v1/integrations/{hub.own}/sync/reject", body)[0] == 422
    assert sync(hub)["status"] == "suspect"


def test_a_developer_gives_no_verdict(hub: ApiHub, suspect: Run) -> None:
    developer = Principal("t-dev", Role.DEVELOPER)
    assert hub("POST", f"/v1/integrations/{hub.own}/sync/reject", BODY, principal=developer)[0] == 403
    assert sync(hub)["status"] == "suspect"
