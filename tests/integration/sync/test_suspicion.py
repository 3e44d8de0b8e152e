"""When GitLab suddenly lists much less, or nothing: nothing is removed until an owner says so."""

from collections import Counter
from collections.abc import Callable

import pytest

from gitlab_hub.sync.errors import NothingSuspect
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.hinting import process, resource
from tests.integration.sync.stored_rows import access, pipelines, stored, truth


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Kind.ACCESS, "/users$"),
        (Kind.ACCESS, "/groups$"),
        (Kind.ACCESS, "/projects$"),
        (Kind.ACCESS, "/members$"),
        (Kind.ACCESS, "/"),
        (Kind.PIPELINES, "/projects$"),
        (Kind.PIPELINES, "/"),
    ],
)
def test_a_list_that_is_suddenly_empty_removes_nothing(server: Running, kind: Kind, path: str) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    before = stored(hub, kind)
    server.fault("empty_list", path=f"^/api/v4.*{path}", query="page", times=0)
    for _ in range(2):
        hub.sync(kind)
        assert stored(hub, kind) == before
    server.control("DELETE", "faults")
    assert (hub.sync(kind).status, stored(hub, kind)) == (RunStatus.IDLE, before)


@pytest.mark.parametrize(
    ("kind", "path", "suspected"),
    [
        (Kind.ACCESS, "/groups$", "groups"),
        (Kind.ACCESS, "/projects$", "projects"),
        (Kind.ACCESS, "/members$", "grants"),
        (Kind.PIPELINES, "/projects$", "projects"),
    ],
)
def test_an_empty_list_makes_the_run_suspect(server: Running, kind: Kind, path: str, suspected: str) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    server.fault("empty_list", path=f"^/api/v4.*{path}", query="page", times=0)
    run = hub.sync(kind)
    assert run.status is RunStatus.SUSPECT
    assert run.suspected[suspected] == len(stored(hub, kind)[suspected])


def most_users(server: Running) -> None:
    users = [row["id"] for row in server.truth("users") if not row["is_admin"]]
    for number in users[: round(0.6 * len(users)) + 1]:
        server.change("remove_user", id=number)


def most_projects(server: Running) -> None:
    for row in server.truth("projects")[:3]:
        server.change("remove_project", id=row["id"])


@pytest.mark.parametrize(
    ("kind", "shrink", "dataset"),
    [
        (Kind.ACCESS, most_users, "accounts"),
        (Kind.ACCESS, most_projects, "projects"),
        (Kind.PIPELINES, most_projects, "projects"),
    ],
)
def test_an_owner_accepts_that_most_is_gone(
    fresh: Running, kind: Kind, shrink: Callable[[Running], None], dataset: str
) -> None:
    hub = SyncHub(fresh)
    hub.sync(kind)
    before = stored(hub, kind)
    shrink(fresh)
    run = hub.sync(kind)
    assert (run.status, set(before[dataset]) - set(stored(hub, kind)[dataset])) == (RunStatus.SUSPECT, set())
    assert run.suspected[dataset] == len(before[dataset]) - len(truth(hub, kind)[dataset])
    # Whatever a later run finds, it does not get tired and give in.
    assert hub.sync(kind).status is RunStatus.SUSPECT

    hub.service.accept(ID, kind, actor="t-owner")
    assert (hub.work(kind).status, stored(hub, kind)) == (RunStatus.IDLE, truth(hub, kind))


def test_what_an_owner_accepted_does_not_cover_what_went_afterwards(fresh: Running) -> None:
    hub = SyncHub(fresh)
    hub.sync(Kind.ACCESS)
    before = access(hub)
    most_users(fresh)
    hub.sync(Kind.ACCESS)
    left = [row["id"] for row in fresh.truth("users") if not row["is_admin"]]
    for number in left:
        fresh.change("remove_user", id=number)
    hub.service.accept(ID, Kind.ACCESS, actor="t-owner")
    assert hub.work(Kind.ACCESS).status is RunStatus.SUSPECT
    assert access(hub)["accounts"].keys() == before["accounts"].keys()


@KINDS
def test_a_wrong_reading_is_rejected_and_the_next_run_on_schedule_judges_anew(server: Running, kind: Kind) -> None:
    hub = SyncHub(server)
    hub.sync(kind)
    before = stored(hub, kind)
    server.fault("empty_list", path="^/api/v4.*/projects$", query="page", times=0)
    suspect = hub.sync(kind)
    assert suspect.status is RunStatus.SUSPECT
    assert hub.service.reject(ID, kind, actor="t-admin") == suspect.sync_id
    state = hub.service.view(ID)[kind]
    assert (state["sync_id"], state["status"], state["suspected"]) == (suspect.sync_id, "idle", {})
    assert state["counts"]["rows_rejected"] == sum(suspect.suspected.values()) > 0
    with pytest.raises(NothingSuspect):
        hub.service.reject(ID, kind, actor="t-admin")

    assert hub.dispatcher(kind).tick()["started"] == 0
    assert stored(hub, kind) == before
    # While GitLab lists as little as it did, it is doubted as it was.
    hub.now += 301
    assert hub.dispatcher(kind).tick()["started"] == 1
    assert hub.work(kind).status is RunStatus.SUSPECT
    hub.service.reject(ID, kind, actor="t-admin")
    server.control("DELETE", "faults")
    hub.now += 301
    assert hub.dispatcher(kind).tick()["started"] == 1
    assert (hub.work(kind).status, stored(hub, kind)) == (RunStatus.IDLE, before)


def test_after_a_rejection_hints_remove_nothing_before_the_next_run(server: Running) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    server.fault("empty_list", path="^/api/v4/projects$", query="page", times=0)
    assert hub.sync(Kind.ACCESS).status is RunStatus.SUSPECT
    server.control("DELETE", "faults")
    hub.service.reject(ID, Kind.ACCESS, actor="t-admin")
    group, number = Counter(row["source_id"] for row in server.truth("members", source="group")).most_common(1)[0]
    assert number > 2
    leaver = server.truth("members", source="group", source_id=group)[-1]["user_id"]
    server.change("remove_member", source="group", source_id=group, user_id=leaver)
    resource(hub, "group", group)
    process(hub, Kind.ACCESS)
    assert ("group", group, leaver) in access(hub)["grants"]
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert access(hub) == truth(hub, Kind.ACCESS)


@KINDS
def test_a_member_whose_memberships_all_end_is_a_loss_of_sight_and_not_a_deletion(fresh: Running, kind: Kind) -> None:
    hub = SyncHub(fresh, "owner-read")
    hub.sync(kind)
    before = stored(hub, kind)
    for row in fresh.truth("members"):
        if row["user_id"] == hub.targets.only.user_id:
            fresh.change("remove_member", source=row["source"], source_id=row["source_id"], user_id=row["user_id"])
    assert hub.sync(kind).status is RunStatus.SUSPECT
    assert stored(hub, kind) == before


def test_an_empty_list_of_pipelines_moves_no_watermark(server: Running) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.PIPELINES)
    project = server.truth("projects")[0]["id"]
    made = server.change("add_pipeline", project_id=project, jobs=2)["id"]
    hub.later(3_600)
    server.fault("empty_list", path="/pipelines$", times=0)
    hub.sync(Kind.PIPELINES)
    assert (project, made) not in pipelines(hub)["pipelines"]
    server.control("DELETE", "faults")
    hub.later(3_600)
    hub.sync(Kind.PIPELINES)
    assert pipelines(hub) == truth(hub, Kind.PIPELINES)


@KINDS
def test_few_that_go_are_believed(server: Running, kind: Kind) -> None:
    hub = SyncHub(server)
    for number in range(4):
        server.change("add_project", path=f"short-lived-{kind}-{number}")
    hub.sync(kind)
    server.change("remove_project", id=server.truth("projects")[-1]["id"])
    run = hub.sync(kind)
    assert (run.status, run.counts["rows_removed"], stored(hub, kind)) == (RunStatus.IDLE, 1, truth(hub, kind))
