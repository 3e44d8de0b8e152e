"""Lists that are empty although GitLab shows elsewhere that they cannot be, above all on a first sync."""

import pytest

from gitlab_hub.sync.incidents import incidents_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.stored_rows import stored, truth

EMPTY = [
    ("/api/v4/groups$", "groups"),
    ("/api/v4/projects$", "projects"),
    ("/members$", "members"),
    ("/groups/[0-9]+/members$", "members"),
]


@pytest.mark.parametrize("token", ["admin", "owner-read"])
@pytest.mark.parametrize(("path", "stage"), EMPTY)
def test_a_list_that_cannot_be_empty_is_said_on_a_first_sync(
    server: Running, token: str, path: str, stage: str
) -> None:
    hub = SyncHub(server, token)
    server.fault("empty_list", path=path, times=0)
    run = hub.sync(Kind.ACCESS)
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "no_resources")
    assert f"Nothing of the list of {stage}" in (run.last_error or {})["hint"]
    notes, _ = hub.service.scopes(ID, kind=Kind.ACCESS, status="forbidden", after=None, limit=10)
    assert [(note.stage, note.code) for note in notes] == [(stage, "no_resources")]
    assert hub.service.view(ID)[Kind.ACCESS]["completeness"]["complete"] is False
    assert [incident.kind for incident in incidents_of(run)] == ["sync_failed"]

    server.control("DELETE", "faults")
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    if token == "admin":
        assert stored(hub, Kind.ACCESS) == truth(hub, Kind.ACCESS)
    assert hub.service.view(ID)[Kind.ACCESS]["completeness"]["complete"] is True


@pytest.mark.parametrize("token", ["admin", "admin-read", "owner-read", "group", "project", "service"])
def test_what_a_token_really_sees_is_believed(server: Running, token: str) -> None:
    hub = SyncHub(server, token)
    run = hub.sync(Kind.ACCESS)
    assert (run.status, run.incomplete, run.last_error) == (RunStatus.IDLE, 0, None)


def test_a_group_without_projects_is_no_trouble(fresh: Running) -> None:
    for project in fresh.truth("projects"):
        fresh.change("remove_project", id=project["id"])
    run = SyncHub(fresh).sync(Kind.ACCESS)
    assert (run.status, run.incomplete, run.last_error) == (RunStatus.IDLE, 0, None)


@pytest.mark.parametrize("path", ["/api/v4/groups$", "/api/v4/projects$", "/members$", "/groups/[0-9]+/members$"])
def test_later_it_removes_nothing_and_is_said_as_well(server: Running, path: str) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    before = stored(hub, Kind.ACCESS)
    server.fault("empty_list", path=path, times=0)
    run = hub.sync(Kind.ACCESS)
    assert (run.status in {RunStatus.SUSPECT, RunStatus.FAILED}, (run.last_error or {})["code"]) == (
        True,
        "no_resources",
    )
    assert stored(hub, Kind.ACCESS) == before
