"""Syncs of a GitLab that throttles, fails or changes meanwhile: nothing is lost, and all is as it is there at last."""

from collections.abc import Callable, Iterator

import pytest

from stand_in_gitlab.process import Running, running
from tests.end_to_end.companies import COMPANY, DEVELOPER, token
from tests.end_to_end.hub_client import BOTH, Hub, until
from tests.end_to_end.truth import real, real_access, shown, shown_access

Fault = Callable[[Running], object]


@pytest.fixture(scope="module")
def _restless() -> Iterator[Running]:
    with running(*COMPANY) as stand_in:
        yield stand_in


@pytest.fixture
def restless(_restless: Running) -> Iterator[Running]:
    """A company whose people and pipelines these tests alone change."""
    yield _restless
    _restless.calm()


@pytest.fixture(scope="module")
def here(hub: Hub, _restless: Running) -> str:
    """An administrator's integration that was synced before the faults began."""
    one = hub.connect(_restless.base, token(_restless))
    hub.sync(one)
    return one


def something_happens(gitlab: Running) -> None:
    """People come and go, and pipelines run."""
    group = min(row["id"] for row in gitlab.truth("groups"))
    user_id = gitlab.change("add_user", username=f"hired-{gitlab.control('GET', 'clock')['now']:.0f}")["id"]
    gitlab.change("add_member", source="group", source_id=group, user_id=user_id, level=DEVELOPER)
    gone = next(row for row in gitlab.truth("users") if not row["is_admin"] and not row["bot"] and row["id"] != user_id)
    gitlab.change("remove_user", id=gone["id"])
    project = next(row["id"] for row in gitlab.truth("projects") if row["builds_enabled"])
    gitlab.change("add_pipeline", project_id=project)
    gitlab.control("POST", "advance", {"seconds": 600})


def throttled(gitlab: Running) -> None:
    gitlab.control("POST", "limits", {"general": {"limit": 25, "period": 1}})


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(throttled, id="throttled"),
        pytest.param(lambda gitlab: gitlab.fault("rate_limited", retry_after=1, times=3), id="told to wait"),
        pytest.param(lambda gitlab: gitlab.fault("status", probability=0.15, times=12), id="errors"),
        pytest.param(lambda gitlab: gitlab.fault("truncated", probability=0.15, times=12), id="broken off"),
        pytest.param(lambda gitlab: gitlab.fault("reset", probability=0.15, times=12), id="hung up"),
    ],
)
def test_a_sync_gets_through_faults_that_pass(hub: Hub, restless: Running, here: str, fault: Fault) -> None:
    something_happens(restless)
    fault(restless)
    states = hub.sync(here)
    assert {kind: states[kind]["status"] for kind in BOTH} == dict.fromkeys(BOTH, "idle")
    assert shown(hub, here) == real(restless)


def test_lists_that_are_suddenly_empty_remove_nothing(hub: Hub, restless: Running, here: str) -> None:
    before = shown_access(hub, here)
    restless.fault("empty_list", times=0, path="/api/v4/(users|groups|projects)")
    assert hub.sync(here, "access")["access"]["status"] in {"suspect", "failed"}
    assert shown_access(hub, here) == before
    restless.control("DELETE", "faults")
    assert hub.sync(here, "access")["access"]["status"] == "idle"


def test_a_sync_that_waits_is_carried_on(hub: Hub, restless: Running, here: str) -> None:
    before = shown_access(hub, here)
    restless.fault("unauthorized", times=0, path="/api/v4/users")
    sync_id = hub.call("POST", f"{here}/sync", {"kinds": ["access"]}).body["sync_id"]
    until(lambda: hub.get(f"{here}/sync")["kinds"]["access"]["status"] == "parked")
    assert hub.get(f"{here}/sync")["kinds"]["access"]["rate_limited_until"]
    assert shown_access(hub, here) == before
    restless.control("DELETE", "faults")
    assert hub.rested(here, sync_id, "access")["access"]["status"] == "idle"
    assert hub.get(here)["integration"]["credential_status"] == "valid"


def test_a_project_that_is_closed_leaves_the_others_fresh(hub: Hub, restless: Running, here: str) -> None:
    projects = [row["id"] for row in restless.truth("projects") if row["builds_enabled"]]
    kept = hub.rows(f"{here}/pipelines", project_id=projects[0])
    new = {number: restless.change("add_pipeline", project_id=number)["id"] for number in projects}
    restless.fault("status", status=403, times=0, path=f"/projects/{projects[0]}/")
    assert hub.sync(here, "pipelines")["pipelines"]["status"] == "idle"
    assert hub.rows(f"{here}/pipelines", project_id=projects[0]) == kept
    for number in projects[1:]:
        assert new[number] in {row["id"] for row in hub.rows(f"{here}/pipelines", project_id=number)}
    restless.control("DELETE", "faults")
    hub.sync(here, "pipelines")
    assert shown(hub, here) == real(restless)


def test_what_changes_during_a_sync_is_caught_up_with(hub: Hub, restless: Running, here: str) -> None:
    restless.control("POST", "latency", {"ms": 25})
    sync_id = hub.call("POST", f"{here}/sync", {"full": True}).body["sync_id"]
    until(lambda: hub.get(f"{here}/sync")["kinds"]["access"]["progress"]["done"])
    something_happens(restless)
    hub.rested(here, sync_id, *BOTH)
    restless.control("POST", "latency", {"ms": 0})
    states = hub.sync(here)
    assert {kind: states[kind]["status"] for kind in BOTH} == dict.fromkeys(BOTH, "idle")
    assert shown(hub, here) == real(restless)
    assert shown_access(hub, here) == real_access(restless)
