"""GitLab says no: to the credential, to one project or group among many, or to a whole sort of question."""

import pytest

from gitlab_hub.sync.incidents import incidents_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.scope_list import ListedScope
from gitlab_hub.sync.scope_notes import partition
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.stored_rows import mirrored, stored, truth


@KINDS
def test_a_revoked_token_fails_the_run_and_removes_nothing(server: Running, kind: Kind) -> None:
    token = f"revoked later {kind}"
    server.change("add_token", name=token, user_id=1, scopes=["read_api"], value=f"glpat-later-{kind}")
    hub = SyncHub(server, token="admin")
    hub.targets.token = f"glpat-later-{kind}"
    hub.sync(kind)
    before = mirrored(hub, kind)
    server.change("revoke_token", name=token)
    run = hub.sync(kind)
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "invalid_credentials")
    assert hub.targets.verdicts == ["accepted", "rejected"]
    assert mirrored(hub, kind) == before
    assert len(hub.queues[kind].sent) == 0


@KINDS
def test_a_token_without_the_scope_fails_the_run_but_is_not_called_rejected(server: Running, kind: Kind) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    before = mirrored(hub, kind)
    hub.targets.token = server.tokens["narrow"]
    run = hub.sync(kind)
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "invalid_permissions")
    assert (hub.targets.verdicts, mirrored(hub, kind)) == (["accepted"], before)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    ("kind", "path", "stage", "dataset"),
    [
        (Kind.ACCESS, "/projects/2/members", "project_members", "grants"),
        (Kind.ACCESS, "/groups/2/members", "group_members", "grants"),
        (Kind.ACCESS, "/groups/2$", "group_members", "grants"),
        (Kind.PIPELINES, "/projects/2/pipelines", "pipelines", "pipelines"),
    ],
)
def test_one_closed_scope_keeps_its_rows_and_the_others_are_fresh(
    server: Running, kind: Kind, path: str, stage: str, dataset: str, status: int
) -> None:
    hub = SyncHub(server)
    change_everywhere(server)
    hub.sync(kind)
    before = stored(hub, kind)
    change_everywhere(server)
    server.fault("status", status=status, path=path, times=0)
    run = hub.sync(kind)
    after, now = stored(hub, kind), truth(hub, kind)
    inside = {key for key in before[dataset] if is_inside(dataset, key, path)}
    assert inside
    assert {key: after[dataset][key] for key in inside} == {key: before[dataset][key] for key in inside}
    assert {key: row for key, row in after[dataset].items() if not is_inside(dataset, key, path)} == {
        key: row for key, row in now[dataset].items() if not is_inside(dataset, key, path)
    }
    assert (run.status, run.incomplete) == (RunStatus.IDLE, 1)
    note = hub.state.get(partition(ID), f"SCOPE#{kind}#{stage}#{2:012d}")
    assert note is not None
    assert note["status"] == {403: "forbidden", 404: "gone"}[status]

    server.control("DELETE", "faults")
    assert (hub.sync(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert hub.state.get(partition(ID), f"SCOPE#{kind}#{stage}#{2:012d}") is None


def change_everywhere(server: Running) -> None:
    """Let every group and project have a new member, and every project a new pipeline."""
    user = server.change("add_user", username=f"everywhere.{len(server.truth('users'))}")["id"]
    for source, rows in (("group", server.truth("groups")), ("project", server.truth("projects"))):
        for row in rows:
            server.change("add_member", source=source, source_id=row["id"], user_id=user, level=30)
    for row in server.truth("projects"):
        server.change("add_pipeline", project_id=row["id"], jobs=2)


def is_inside(dataset: str, key: tuple[object, ...], path: str) -> bool:
    """Whether a row belongs to the closed scope."""
    kind, number = path.split("/")[1][:-1], int(path.split("/")[2].rstrip("$"))
    return key[:2] == (kind, number) if dataset == "grants" else key[0] == number


@pytest.mark.parametrize("off", [{"builds_enabled": False}, {"has_repository": False}])
def test_a_project_whose_pipelines_nobody_may_read_is_no_trouble(server: Running, off: dict[str, bool]) -> None:
    project = server.truth("projects")[1]["id"]
    hub = SyncHub(server)
    hub.sync(Kind.PIPELINES)
    before = stored(hub, Kind.PIPELINES)
    server.change("update_project", id=project, **off)
    run = hub.sync(Kind.PIPELINES)
    assert (run.status, run.incomplete, run.last_error, run.counts["scopes_disabled"]) == (RunStatus.IDLE, 0, None, 1)
    assert "scopes_forbidden" not in run.counts
    note = hub.state.get(partition(ID), f"SCOPE#pipelines#pipelines#{project:012d}")
    assert note is not None
    assert (note["status"], note["code"]) == ("disabled", "ci_disabled")
    assert stored(hub, Kind.PIPELINES) == before
    server.change("update_project", id=project, builds_enabled=True, has_repository=True)
    run = hub.sync(Kind.PIPELINES)
    assert stored(hub, Kind.PIPELINES) == truth(hub, Kind.PIPELINES)
    assert hub.state.get(partition(ID), f"SCOPE#pipelines#pipelines#{project:012d}") is None


@KINDS
def test_listing_forbidden_as_a_whole_removes_nothing(server: Running, kind: Kind) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    before = stored(hub, kind)
    server.fault("status", status=403, path="/(users|groups|projects)$", times=0)
    run = hub.sync(kind)
    assert run.incomplete > 0
    assert all(stored(hub, kind)[name].keys() >= before[name].keys() for name in before)


WHOLE = [
    (Kind.ACCESS, "/users$", "accounts", None),
    (Kind.ACCESS, "/groups$", "groups", None),
    (Kind.ACCESS, "/projects$", "projects", None),
    (Kind.ACCESS, "/groups/[0-9]+/members$", "group_members", "group"),
    (Kind.ACCESS, "/projects/[0-9]+/members$", "project_members", "project"),
    (Kind.PIPELINES, "/projects$", "projects", None),
    (Kind.PIPELINES, "/projects/[0-9]+/pipelines$", "pipelines", "project"),
    (Kind.PIPELINES, "/pipelines/[0-9]+$", "pipelines", "project"),
    (Kind.PIPELINES, "/pipelines/[0-9]+/jobs$", "pipelines", "project"),
]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(("kind", "path", "stage", "about"), WHOLE)
def test_a_first_sync_says_which_list_was_refused_as_a_whole(
    server: Running, kind: Kind, path: str, stage: str, about: str | None, status: int
) -> None:
    hub = SyncHub(server)
    server.fault("status", status=status, path=path, times=0)
    run = hub.sync(kind)
    code = {403: "invalid_permissions", 404: "not_found"}[status]
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, code)
    assert stage.replace("_", " ") in (run.last_error or {})["hint"]
    notes = noted(hub, kind, stage)
    assert {(note.status, note.code) for note in notes} == {({403: "forbidden", 404: "gone"}[status], code)}
    assert [(note.resource or {}).get("type") for note in notes] == [about] * len(notes)
    assert all(note.resource["full_path"] for note in notes if note.resource)
    state = hub.service.view(ID)[kind]
    assert state["completeness"]["complete"] is False
    assert [incident.kind for incident in incidents_of(run)] == ["sync_failed"]

    server.control("DELETE", "faults")
    assert (hub.sync(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))
    assert noted(hub, kind, stage) == []
    assert hub.service.view(ID)[kind]["completeness"]["complete"] is True


def test_projects_without_pipelines_do_not_hide_that_the_others_were_refused(fresh: Running) -> None:
    hub = SyncHub(fresh)
    for project in fresh.truth("projects"):
        fresh.fault("status", status=403, path=f"/projects/{project['id']}/pipelines/[0-9]+/jobs$", times=0)
    fresh.change("add_project", path="empty", group_id=1)
    for _ in range(2):
        run = hub.sync(Kind.PIPELINES)
        assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, "invalid_permissions")
        assert [incident.kind for incident in incidents_of(run)] == ["sync_failed"]
        hub.later(3_600)

    fresh.control("DELETE", "faults")
    assert hub.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert stored(hub, Kind.PIPELINES) == truth(hub, Kind.PIPELINES)


def test_an_empty_list_of_pipelines_shows_that_the_token_may_read_such_lists(fresh: Running) -> None:
    hub = SyncHub(fresh)
    refused, *others = fresh.truth("projects")
    for project in others:
        fresh.change("remove_project", id=project["id"])
    fresh.change("add_project", path="empty", group_id=1)
    fresh.fault("status", status=403, path=f"/projects/{refused['id']}/pipelines$", times=0)
    for _ in range(2):
        run = hub.sync(Kind.PIPELINES)
        assert (run.status, run.last_error, run.counts["scopes_forbidden"]) == (RunStatus.IDLE, None, 1)
        hub.later(3_600)
    fresh.control("DELETE", "faults")
    fresh.change("remove_project", id=refused["id"])
    run = hub.sync(Kind.PIPELINES)
    assert (run.status, run.last_error, run.counts["scopes_gone"]) == (RunStatus.IDLE, None, 1)


def test_one_refused_project_fails_no_run_in_which_the_others_have_nothing_new(fresh: Running) -> None:
    hub = SyncHub(fresh)
    hub.sync(Kind.PIPELINES)
    fresh.fault("status", status=403, path="/pipelines/[0-9]+/jobs$", times=0)
    fresh.change("add_pipeline", project_id=fresh.truth("projects")[0]["id"], jobs=2)
    hub.later(86_400)
    run = hub.sync(Kind.PIPELINES)
    assert (run.status, run.last_error, run.counts["scopes_forbidden"] > 0) == (RunStatus.IDLE, None, True)


@pytest.mark.parametrize("status", [403, 404])
def test_trigger_jobs_that_are_hidden_everywhere_are_said_and_end_no_run(server: Running, status: int) -> None:
    hub = SyncHub(server)
    server.fault("status", status=status, path="/bridges$", times=0)
    for _ in range(2):
        run = hub.sync(Kind.PIPELINES)
        assert (run.status, run.last_error) == (RunStatus.IDLE, None)
        code = {403: "invalid_permissions", 404: "not_found"}[status]
        notes = noted(hub, Kind.PIPELINES, "pipelines")
        assert {(note.status, note.code, "bridges" in note.reason) for note in notes} == {("partial", code, True)}
        assert hub.service.view(ID)[Kind.PIPELINES]["completeness"]["partial"] == len(notes)
        hub.later(3_600)

    server.control("DELETE", "faults")
    run = hub.sync(Kind.PIPELINES, full=True)
    assert (run.status, run.incomplete, stored(hub, Kind.PIPELINES)) == (RunStatus.IDLE, 0, truth(hub, Kind.PIPELINES))


@pytest.mark.parametrize(
    ("kind", "path"), [(Kind.ACCESS, "/groups/2/members$"), (Kind.PIPELINES, "/projects/2/pipelines$")]
)
def test_one_scope_that_fails_for_ever_is_named_and_the_others_are_read(server: Running, kind: Kind, path: str) -> None:
    server.fault("status", status=500, path=path, times=0)
    hub = SyncHub(server)
    run = hub.sync(kind)
    collection, number = path.split("/")[1:3]
    name = next(row for row in server.truth(collection) if row["id"] == int(number))
    assert (run.status, run.incomplete) == (RunStatus.FAILED, 1)
    named = (run.last_error or {})["hint"].partition(":")[0]
    assert named in (name.get("full_path"), name.get("path_with_namespace"))
    notes, _ = hub.service.scopes(ID, kind=kind, status="failed", after=None, limit=10)
    assert [(note.resource or {})["full_path"] for note in notes] == [named]
    rest = truth(hub, kind)
    dataset = "grants" if kind is Kind.ACCESS else "pipelines"
    assert {key: row for key, row in rest[dataset].items() if not is_inside(dataset, key, path)} == stored(hub, kind)[
        dataset
    ]


@KINDS
@pytest.mark.parametrize("fault", ["empty_list", "status"])
def test_a_first_sync_that_sees_nothing_says_so(server: Running, kind: Kind, fault: str) -> None:
    hub = SyncHub(server)
    server.fault(fault, path="/(users|groups|projects)$", times=0, status=403)
    run = hub.sync(kind)
    code = "no_resources" if fault == "empty_list" else "invalid_permissions"
    assert (run.status, (run.last_error or {})["code"]) == (RunStatus.FAILED, code)
    assert noted(hub, kind, "projects")
    server.control("DELETE", "faults")
    assert (hub.sync(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))


def test_ci_that_is_off_everywhere_is_said_and_no_failure(fresh: Running) -> None:
    for project in fresh.truth("projects"):
        fresh.change("update_project", id=project["id"], builds_enabled=False)
    hub = SyncHub(fresh)
    run = hub.sync(Kind.PIPELINES)
    assert (run.status, run.incomplete) == (RunStatus.IDLE, 0)
    assert {(note.status, note.code) for note in noted(hub, Kind.PIPELINES, "pipelines")} == {
        ("disabled", "ci_disabled")
    }


def test_an_administrator_who_sees_names_only_is_said(server: Running) -> None:
    hub = SyncHub(server)
    server.fault("odd_row", path="/users$", times=0, fields={"email": "-", "is_admin": "-"})
    run = hub.sync(Kind.ACCESS)
    assert [(note.status, note.code) for note in noted(hub, Kind.ACCESS, "accounts")] == [
        ("partial", "invalid_permissions")
    ]
    assert run.counts["scopes_partial"] == 1


@pytest.mark.parametrize(
    ("kind", "path", "field", "stage"),
    [
        (Kind.ACCESS, "/users$", "id", "accounts"),
        (Kind.ACCESS, "/groups$", "full_path", "groups"),
        (Kind.ACCESS, "/groups$", "id", "groups"),
        (Kind.ACCESS, "/projects$", "path_with_namespace", "projects"),
        (Kind.ACCESS, "/projects/1/members", "access_level", "project_members"),
        (Kind.ACCESS, "/groups/1/members", "id", "group_members"),
        (Kind.PIPELINES, "/projects$", "id", "projects"),
    ],
)
@pytest.mark.parametrize("value", [None, "-", ["odd"]], ids=["null", "missing", "odd"])
def test_one_odd_row_is_named_and_its_neighbours_are_stored(
    server: Running, kind: Kind, path: str, field: str, stage: str, value: object
) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    before = stored(hub, kind)
    server.fault("odd_row", path=path, query="per_page=100", times=0, row=1, fields={field: value})
    fresh_hub = SyncHub(server)
    run = fresh_hub.sync(kind)
    assert run.status is RunStatus.IDLE
    assert [note.status for note in noted(fresh_hub, kind, stage)] == ["partial"]
    assert sum(len(rows) for rows in stored(fresh_hub, kind).values()) < sum(len(rows) for rows in before.values())
    assert hub.sync(kind).status is RunStatus.IDLE
    assert stored(hub, kind) == before == truth(hub, kind)


def noted(hub: SyncHub, kind: Kind, stage: str) -> list[ListedScope]:
    """What is kept of a stage's scopes that are not complete."""
    notes, _ = hub.service.scopes(ID, kind=kind, status=None, after=None, limit=200)
    return [note for note in notes if note.stage == stage]
