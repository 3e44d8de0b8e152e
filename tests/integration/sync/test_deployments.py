"""Deployments in whole runs: found by pipelines, read with few requests, through whatever stops a worker."""

from collections.abc import Iterator

import pytest

from gitlab_hub.pipelines.deployments.state import DeploymentStates
from gitlab_hub.pipelines.deployments.store import CountedDay, DeploymentStore
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS
from stand_in_gitlab.process import Running, running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import EPOCH

SIZES = ("--users", "8", "--groups", "1", "--projects", "3", "--pipelines", "2", "--jobs", "2", "--seed", "5")


@pytest.fixture
def server() -> Iterator[Running]:
    """A company of which one project deploys."""
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        yield stand_in


def deploying(server: Running) -> int:
    """Let a project deploy a change that fails behind it, and have a pipeline in it; the project's id."""
    project = server.truth("pipelines")[0]["project_id"]
    server.change("update_project", id=project, default_branch="main")
    server.change("push", project_id=project, branch="main", files=["a.py"])
    for wait, how in ((3_600, {}), (3_600, {"status": "failed"}), (3_600, {})):
        server.change("push", project_id=project, branch="main", files=["b.py"])
        server.change("deploy", project_id=project, **how)
        server.control("POST", "advance", {"seconds": wait, "idle": True})
    server.change("add_pipeline", project_id=project, jobs=1)
    server.control("POST", "advance", {"seconds": 3_600, "idle": True})
    return int(project)


def hub_of(server: Running) -> SyncHub:
    hub = SyncHub(server)
    hub.deployments = True
    return hub


def counted(hub: SyncHub) -> dict[tuple[int, str], CountedDay]:
    days = DeploymentStore(hub.rows[Kind.PIPELINES], ID).days("2020-01-01", "2030-01-01")
    return {(project, day): one for project, day, one in days}


def asked(hub: SyncHub) -> list[str]:
    found = [str(url.path).removeprefix("/api/v4/projects/") for url in hub.requests]
    hub.requests.clear()
    return [path for path in found if "deployments" in path or "environments" in path]


def test_a_first_run_reads_them_and_one_that_finds_nothing_new_asks_nothing(server: Running) -> None:
    project, hub = deploying(server), hub_of(server)
    run = hub.sync(Kind.PIPELINES)
    assert (run.incomplete, run.counts["deployments_read"]) == (0, 3)
    (day,) = counted(hub).values()
    assert [(one.failed, one.restored_after) for one in day.changes] == [(True, 3_600), (False, None)]
    first = asked(hub)
    assert first.count(f"{project}/deployments") == 1
    assert len(first) <= 3 + 2  # Each project once, environments of the one that deploys, merge requests of one change.
    hub.now += 600
    hub.sync(Kind.PIPELINES)
    assert asked(hub) == []


def test_whatever_call_a_worker_dies_at_the_next_one_counts_the_same(server: Running) -> None:
    deploying(server)
    before = SyncHub(server)
    before.sync(Kind.PIPELINES)  # Pipelines are there; what is left are deployments, at a full sync.
    before.deployments = True
    whole = before.clone()
    plan = Plan(only={"put", "write", "delete", "transact"})
    with whole.failing(plan):
        whole.sync(Kind.PIPELINES, full=True)
    assert counted(whole)
    # Some of them through the whole engine; every single one in tests/unit/pipelines/deployments.
    for at in range(len(plan.calls) // 2, len(plan.calls), 7):
        hub = before.clone()
        with hub.failing(Plan(at=at, only=plan.only)), pytest.raises(Crash):
            hub.sync(Kind.PIPELINES, full=True)
        hub.now += LEASE_SECONDS + 60
        hub.dispatcher(Kind.PIPELINES).tick()
        hub.work(Kind.PIPELINES)
        assert counted(hub) == counted(whole), at


@pytest.mark.parametrize(("status", "code"), [(403, "invalid_permissions"), (404, "not_found")])
def test_what_gitlab_refuses_is_said_and_leaves_the_run_complete(server: Running, status: int, code: str) -> None:
    project, hub = deploying(server), hub_of(server)
    server.control("POST", "faults", {"kind": "status", "path": "/deployments$", "times": 0, "status": status})
    run = hub.sync(Kind.PIPELINES)
    assert (run.incomplete, counted(hub)) == (0, {})
    assert DeploymentStates(hub.rows[Kind.PIPELINES], ID).load(project).error == code
