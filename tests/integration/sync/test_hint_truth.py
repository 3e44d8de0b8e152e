"""Hints over the wire: what they bring equals GitLab's own books, and without a single one the schedule converges."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync import hinting as hinted
from tests.integration.sync.company_changes import happen
from tests.integration.sync.conftest import BOTH, EPOCH, KINDS, SMALL
from tests.integration.sync.stored_rows import View, access, lost, pipelines, stored, truth

TOKENS = pytest.mark.parametrize(
    ("token", "limited"), [("admin", False), ("owner-read", False), ("group", False), ("admin", True)]
)


@pytest.fixture
def synced(fresh: Running) -> SyncHub:
    """An administrator's hub after a sync of both kinds."""
    hub = SyncHub(fresh)
    for kind in BOTH:
        assert hub.sync(kind).status is RunStatus.IDLE
    return hub


@pytest.fixture(scope="module")
def others() -> Iterator[Running]:
    """A company of which some tokens see parts only."""
    with running("--frozen", "--epoch", EPOCH, *SMALL) as stand_in:
        yield stand_in


@TOKENS
def test_hints_about_everything_bring_what_the_token_reaches_and_nothing_else(
    others: Running, token: str, *, limited: bool
) -> None:
    group = others.truth("groups")[0]["full_path"] if limited else None
    for kind in BOTH:
        hub = SyncHub(others, token, group=group)
        hinted.tell_everything(hub, kind)
        hinted.process(hub, kind)
        found, expected = stored(hub, kind), truth(hub, kind)
        # Accounts that are members of nothing, and projects that nobody hints at, are the run's to find.
        names = ("groups", "grants", "shares") if kind is Kind.ACCESS else ("pipelines", "jobs", "bridges")
        assert {name: found[name] for name in names} == {name: expected[name] for name in names}
        assert set(found["projects"]) <= set(expected["projects"])
        assert hub.sync(kind).status is RunStatus.IDLE
        assert stored(hub, kind) == expected


@KINDS
def test_what_hints_brought_a_run_finds_nothing_to_change_in(synced: SyncHub, kind: Kind) -> None:
    before = stored(synced, kind)
    hinted.tell_everything(synced, kind)
    hinted.process(synced, kind)
    assert stored(synced, kind) == before
    assert synced.sync(kind).counts["rows_written"] == 0


def test_everything_that_happens_is_there_before_the_next_run(synced: SyncHub) -> None:
    before = {kind: stored(synced, kind) for kind in BOTH}
    happen(synced.server)
    synced.now += 7_200
    now = {kind: truth(synced, kind) for kind in BOTH}
    for kind in BOTH:
        hinted.tell_everything(synced, kind)
        hinted.process(synced, kind)
        assert lost(before[kind], stored(synced, kind), now[kind]) == []
    seen = pipelines(synced)
    for name in ("pipelines", "jobs", "bridges"):
        assert now[Kind.PIPELINES][name].items() <= seen[name].items()
    for name in ("groups", "grants", "shares"):
        assert now[Kind.ACCESS][name].items() <= access(synced)[name].items()
    for kind in BOTH:
        assert synced.sync(kind).status is RunStatus.IDLE
        assert stored(synced, kind) == now[kind]


def test_events_of_a_pipeline_in_any_order_end_with_gitlabs_state(synced: SyncHub) -> None:
    server, project = synced.server, synced.server.truth("projects")[0]["id"]
    for order in list(itertools.permutations(range(5)))[::12]:
        row = {"project_id": project, "id": server.change("add_pipeline", project_id=project, jobs=2)["id"]}
        for happened in order:
            # What GitLab does and what is told of it are two lists in two orders; both are of five.
            progress(server, row["id"], happened)
            hinted.pipeline(synced, row)
            synced.now += 3
        hinted.process(synced, Kind.PIPELINES)
        assert of(pipelines(synced), row) == of(truth(synced, Kind.PIPELINES), row), order


def progress(server: Running, number: int, happened: int) -> None:
    """Let time pass, and with the third event somebody retry a job that has ended."""
    server.control("POST", "advance", {"seconds": 40 * (happened + 1), "jobs": 2})
    ended = [job for job in server.truth("jobs", pipeline_id=number) if job["status"] in {"success", "failed"}]
    if happened == 3 and ended:
        server.change("retry_job", id=ended[0]["id"])


def of(view: View, row: dict[str, Any]) -> View:
    """What a view has of one pipeline."""
    place = (row["project_id"], row["id"])
    return {name: {key: one for key, one in view[name].items() if key[:2] == place} for name in ("pipelines", "jobs")}


@KINDS
def test_a_day_without_a_single_webhook_costs_nothing_but_time(synced: SyncHub, kind: Kind) -> None:
    happen(synced.server)
    synced.later(86_400)
    assert synced.dispatcher(kind).tick()["started"] == 1
    assert synced.work(kind).status is RunStatus.IDLE
    assert stored(synced, kind) == truth(synced, kind)


def test_a_leaver_is_gone_before_the_next_run(synced: SyncHub) -> None:
    members = synced.server.truth("members", source="group")
    size = {row["source_id"]: [one["source_id"] for one in members].count(row["source_id"]) for row in members}
    leaver = next(row for row in members if size[row["source_id"]] > 1)
    group, person = leaver["source_id"], leaver["user_id"]
    synced.server.change("remove_member", source="group", source_id=group, user_id=person)
    hinted.resource(synced, "group", group)
    hinted.process(synced, Kind.ACCESS)
    assert ("group", group, person) not in access(synced)["grants"]
    assert access(synced) == truth(synced, Kind.ACCESS)


def test_a_deleted_pipeline_stays_as_a_run_leaves_it(synced: SyncHub) -> None:
    row = synced.server.truth("pipelines")[0]
    before = pipelines(synced)
    synced.server.change("remove_pipeline", id=row["id"])
    hinted.pipeline(synced, row)
    hinted.process(synced, Kind.PIPELINES)
    assert pipelines(synced) == before


@KINDS
def test_a_limit_only_delays_hints_and_loses_none(synced: SyncHub, kind: Kind) -> None:
    happen(synced.server)
    synced.now += 7_200
    endpoint = {"path": "/(members|jobs)$", "limit": 3, "period": 60}

    def rest(seconds: float) -> None:
        if seconds >= 10:
            synced.server.control("POST", "limits", {"endpoints": [endpoint]})

    synced.server.control("POST", "limits", {"endpoints": [endpoint]})
    synced.pause = rest
    hinted.tell_everything(synced, kind)
    hints = len(synced.queues[kind].sent)
    assert hinted.process(synced, kind) > hints, "some were postponed"
    names = ("pipelines", "jobs") if kind is Kind.PIPELINES else ("grants", "shares")
    found, expected = stored(synced, kind), truth(synced, kind)
    assert all(expected[name].items() <= found[name].items() for name in names)
