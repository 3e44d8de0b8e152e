"""Pipelines that a GitLab lists and does not show, or shows without a date: none is lost silently."""

import pytest

from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.pipelines.completeness import CompletenessReader
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import ID, NEVER, SyncHub
from tests.integration.sync.stored_rows import stored, truth


def project_of(server: Running, *, pipelines: int) -> tuple[int, list[int]]:
    """A project that shows its pipelines, with many of them; the answer is its id and theirs, oldest first."""
    closed = server.control("GET", "ground-truth")["projects_without_builds"]
    project = next(row["id"] for row in server.truth("projects") if row["id"] not in closed)
    now = server.control("GET", "clock")["now"]
    for number in range(pipelines):
        server.change("add_pipeline", project_id=project, jobs=1, created=now - 50_000 + number)
    return project, sorted(row["id"] for row in server.truth("pipelines", project_id=project))


def by_rest(server: Running) -> SyncHub:
    """A hub that asks for each pipeline and its jobs by themselves."""
    hub = SyncHub(server)
    hub.graphql_from = NEVER
    return hub


def completeness(hub: SyncHub, project: int) -> tuple[int | None, int | None, list[int]]:
    reader = CompletenessReader(hub.rows[Kind.PIPELINES], lambda: hub.now)
    page, _ = reader.page(ID, after=None, limit=100)
    one = next(one for one in page if one.project_id == project)
    return one.listed, one.stored, one.owed


@pytest.mark.parametrize("route", ["/jobs$", "/bridges$", "$"])
def test_one_pipeline_that_fails_for_ever_starves_no_other(fresh: Running, route: str) -> None:
    project, ids = project_of(fresh, pipelines=160)
    poison = ids[3]
    fresh.fault("status", status=500, path=f"/pipelines/{poison}{route}", times=0)
    hub = by_rest(fresh)
    for _ in range(3):
        run = hub.sync(Kind.PIPELINES)
        assert (run.status, run.counts["scopes_partial"]) == (RunStatus.IDLE, 1)
        hub.now += 300
    known = {key[1] for key in stored(hub, Kind.PIPELINES)["pipelines"] if key[0] == project}
    assert known == {number for number in ids if number != poison}
    assert completeness(hub, project) == (len(ids), len(ids) - 1, [poison])
    incidents = list(IncidentStore(hub.state, lambda: hub.now, is_live).of(ID))
    assert [(one.kind, one.subject, one.details["pipeline_ids"]) for one in incidents] == [
        ("pipelines_owed", str(project), [poison])
    ]
    notes, _ = hub.service.scopes(ID, kind=Kind.PIPELINES, status="partial", after=None, limit=10)
    assert [((note.resource or {})["id"], str(poison) in note.reason) for note in notes] == [(project, True)]

    fresh.control("DELETE", "faults")
    hub.now += 2 * 86_400
    assert hub.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert stored(hub, Kind.PIPELINES) == truth(hub, Kind.PIPELINES)
    assert list(IncidentStore(hub.state, lambda: hub.now, is_live).of(ID)) == []


def test_a_project_that_is_gone_owes_nothing(fresh: Running) -> None:
    project, ids = project_of(fresh, pipelines=2)
    fresh.fault("status", status=500, path=f"/pipelines/{ids[0]}/jobs", times=0)
    hub = by_rest(fresh)
    hub.sync(Kind.PIPELINES)
    assert [one.subject for one in IncidentStore(hub.state, lambda: hub.now, is_live).of(ID)] == [str(project)]
    fresh.change("remove_project", id=project)
    hub.sync(Kind.PIPELINES)
    assert list(IncidentStore(hub.state, lambda: hub.now, is_live).of(ID)) == []


def test_pipelines_without_a_date_are_all_stored(fresh: Running) -> None:
    project, ids = project_of(fresh, pipelines=216)
    for number in ids[60:210]:
        fresh.change("update_pipeline", id=number, undated=True)
    hub = by_rest(fresh)
    assert hub.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert stored(hub, Kind.PIPELINES) == truth(hub, Kind.PIPELINES)
    assert completeness(hub, project) == (len(ids), len(ids), [])
    usual = len(hub.requests)
    assert hub.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert len(hub.requests) - usual < usual / 4
