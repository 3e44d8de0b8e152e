"""Pipelines by GraphQL: what is stored is what REST would have told, whatever GraphQL answers."""

import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from gitlab_hub.pipelines.model import in_seconds
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, Run, RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, NEVER, SyncHub
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.stored_rows import lost, mirrored, stored, truth

SIZES = ("--users", "12", "--groups", "3", "--projects", "6", "--pipelines", "3", "--jobs", "3", "--seed", "3")
LONG = ("--users", "3", "--groups", "1", "--projects", "1", "--pipelines", "105", "--jobs", "1", "--seed", "3")
OWN = ("changed_at", "written_at", "by_change_sk", "token")
"""When the hub wrote a row."""
GRAPHQL = "^/api/graphql$"


@pytest.fixture(scope="module")
def company() -> Iterator[Running]:
    """A company with all that a pipeline can be: children, tags, retried and erased jobs, dates that are missing."""
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        prepare(stand_in)
        yield stand_in


def prepare(server: Running) -> None:
    """Let something happen that the seed does not give."""
    jobs = [row for row in server.truth("jobs") if row["status"] in {"success", "failed"}]
    server.change("retry_job", id=jobs[0]["id"])
    server.change("erase_job", id=jobs[-1]["id"])
    server.change("update_pipeline", id=jobs[5]["pipeline_id"], undated=True)
    server.change("add_project", path="empty")
    server.control("POST", "advance", {"seconds": 7_200, "jobs": 3})


@pytest.fixture
def server(company: Running) -> Iterator[Running]:
    """The company without faults and limits, as GitLab is today."""
    yield company
    company.control("DELETE", "faults")
    company.control("POST", "behaviour", {"graphql": "on", "graphql_complexity": 0})


def hub_of(server: Running, token: str = "admin", *, graphql: bool = True) -> SyncHub:
    """A hub that has never synced."""
    hub = SyncHub(server, token)
    hub.graphql_from = 1 if graphql else NEVER
    return hub


def content(hub: SyncHub) -> list[Item]:
    """What is stored of pipelines and jobs, times in whole seconds, without when it was written."""
    return [_content(row) for row in mirrored(hub, Kind.PIPELINES) if row["pk"].split("#")[1] in {"pipelines", "jobs"}]


def _content(row: Item) -> Item:
    row = {name: value for name, value in row.items() if name not in OWN}
    if "body" in row:
        body = in_seconds(json.loads(zlib.decompress(row["body"])))
        row |= {"body": body, "updated_at": body["updated_at"]}
    return row


def is_true(hub: SyncHub) -> bool:
    """Whether the hub has what GitLab has."""
    return stored(hub, Kind.PIPELINES) == truth(hub, Kind.PIPELINES)


def ways(run: Run) -> tuple[int, int]:
    """How many projects were told by GraphQL, and how many by REST."""
    return run.counts.get("projects_by_graphql", 0), run.counts.get("projects_by_rest", 0)


def details(hub: SyncHub) -> int:
    """How many pipelines were asked for one by one."""
    return sum(url.path.split("/")[-2] == "pipelines" for url in hub.requests)


@pytest.mark.parametrize("token", ["admin", "owner-read"])
def test_both_ways_store_the_same(server: Running, token: str) -> None:
    hubs = {way: hub_of(server, token, graphql=way) for way in (True, False)}
    runs = {way: hub.sync(Kind.PIPELINES) for way, hub in hubs.items()}
    assert {run.status for run in runs.values()} == {RunStatus.IDLE}
    assert runs[True].incomplete == runs[False].incomplete
    assert content(hubs[True]) == content(hubs[False])
    assert (ways(runs[True])[0] > 1, ways(runs[False])[0]) == (True, 0)
    assert details(hubs[True]) < details(hubs[False]) / 2
    for way, hub in hubs.items():  # Whichever way a second sync takes, it finds nothing to write.
        hub.now += 60
        hub.graphql_from = NEVER if way else 1
        assert hub.sync(Kind.PIPELINES).counts["rows_written"] == 0


def test_a_sync_that_finds_nothing_new_asks_little(server: Running) -> None:
    hub = hub_of(server)
    hub.sync(Kind.PIPELINES)
    hub.requests.clear()
    before = mirrored(hub, Kind.PIPELINES)
    hub.now += 60
    run = hub.sync(Kind.PIPELINES)
    # Two for the list of projects, one each for the schema, the token and what has changed.
    assert (ways(run), len(hub.requests)) == ((len(server.truth("projects")), 0), 5)
    assert mirrored(hub, Kind.PIPELINES) == before


def test_what_happens_is_found_also_a_day_later() -> None:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as server:
        prepare(server)
        hub = hub_of(server)
        for step in range(8):
            run = hub.sync(Kind.PIPELINES)
            assert (run.status, is_true(hub)) == (RunStatus.IDLE, True), step
            assert ways(run)[0] > 0, step
            hub.later(90_000 if step == 4 else 400)
            if step % 3 == 1:
                closed = server.control("GET", "ground-truth")["projects_without_builds"]
                project = next(row["id"] for row in server.truth("projects") if row["id"] not in closed)
                # Imported with an old date: no list of what has changed lately shows it.
                server.change("add_pipeline", project_id=project, created=float(EPOCH) - 10 * 86_400)
                server.change("retry_job", id=server.truth("jobs")[step]["id"])


FAULTS: list[dict[str, Any]] = [
    {"kind": "graphql_timeout", "row": 3, "skip": 1},
    {"kind": "graphql_null", "row": 2, "times": 0},
    {"kind": "graphql_left_out", "row": 1, "times": 0, "skip": 1},
    {"kind": "graphql_short", "times": 0, "skip": 1},
    {"kind": "graphql_failed", "skip": 1, "times": 0},
    {"kind": "status", "status": 500, "times": 0, "skip": 1},
    {"kind": "status", "status": 401, "times": 0, "skip": 1},
    {"kind": "html_200", "times": 0, "skip": 1},
    {"kind": "rate_limited", "retry_after": 600, "skip": 1},
]


@pytest.fixture(scope="module")
def told_by_rest(company: Running) -> list[Item]:
    hub = hub_of(company, graphql=False)
    hub.sync(Kind.PIPELINES)
    return content(hub)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(str(value) for value in fault.values()))
def test_whatever_graphql_answers_the_same_is_stored(
    server: Running, told_by_rest: list[Item], fault: dict[str, Any]
) -> None:
    hub = hub_of(server)
    for _ in range(2):
        server.fault(path=GRAPHQL, **fault)
        run = hub.sync(Kind.PIPELINES)
        assert (run.status, run.incomplete, hub.targets.verdicts[-1]) == (RunStatus.IDLE, 0, "accepted")
        assert content(hub) == told_by_rest
        server.control("DELETE", "faults")
        hub.now += 60


@pytest.mark.parametrize("graphql", ["old", "missing"])
def test_a_gitlab_without_the_fields_is_read_by_rest(server: Running, told_by_rest: list[Item], graphql: str) -> None:
    server.control("POST", "behaviour", {"graphql": graphql})
    hub = hub_of(server)
    run = hub.sync(Kind.PIPELINES)
    assert (ways(run)[0], run.counts["graphql_refused"], content(hub)) == (0, 1, told_by_rest)


def test_a_smaller_limit_of_complexity_makes_smaller_batches(server: Running, told_by_rest: list[Item]) -> None:
    server.control("POST", "behaviour", {"graphql_complexity": 178})
    hub = hub_of(server)
    run = hub.sync(Kind.PIPELINES)
    assert content(hub) == told_by_rest
    assert (ways(run)[0] > 2, "graphql_given_up" in run.counts) == (True, False)


def test_a_fine_grained_token_asks_rest_only(server: Running) -> None:
    rest, hub = hub_of(server, "fine-grained", graphql=False), hub_of(server, "fine-grained")
    rest.sync(Kind.PIPELINES)
    run = hub.sync(Kind.PIPELINES)
    assert (ways(run)[0], run.counts["graphql_refused"], content(hub)) == (0, 1, content(rest))


def test_a_full_sync_asks_rest_only(server: Running, told_by_rest: list[Item]) -> None:
    hub = hub_of(server)
    assert (ways(hub.sync(Kind.PIPELINES, full=True))[0], content(hub)) == (0, told_by_rest)


def test_what_changes_between_the_answer_and_the_reading_of_jobs_is_found(server: Running) -> None:
    hub, changed = hub_of(server), dict[str, Any]()

    def watch(request: httpx.Request) -> httpx.Request:
        if request.url.path.endswith("/jobs") and not changed:
            changed.update(server.change("retry_job", id=server.truth("jobs")[-1]["id"]))
        return request

    hub.watch = watch
    hub.sync(Kind.PIPELINES)
    hub.later(600)
    hub.sync(Kind.PIPELINES)
    assert changed
    assert is_true(hub)


def test_a_kill_at_any_call_converges() -> None:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as fresh:
        past = hub_of(fresh)
        past.sync(Kind.PIPELINES)
        before = stored(past, Kind.PIPELINES)
        fresh.change("retry_job", id=fresh.truth("jobs")[0]["id"])
        past.later(7_200)
        now, undisturbed = truth(past, Kind.PIPELINES), Plan()
        hub, message = asked(past)
        with hub.failing(undisturbed):
            hub.engine(Kind.PIPELINES).handle(message, remaining=hub.remaining)
        assert [call for call in undisturbed.calls if "/api/graphql" in str(call)]
        for at in range(2, len(undisturbed.calls) + 1, max(1, len(undisturbed.calls) // 8)):
            hub, message = asked(past)
            with suppress(Crash), hub.failing(Plan(at=at, applied=at % 2 == 0, repeat=True)):
                hub.engine(Kind.PIPELINES).handle(message, remaining=hub.remaining)
            assert lost(before, stored(hub, Kind.PIPELINES), now) == [], f"killed at call {at}"
            hub.now += LEASE_SECONDS
            hub.engine(Kind.PIPELINES).handle(message, remaining=hub.remaining)
            run = hub.work(Kind.PIPELINES)
            assert (run.status, is_true(hub)) == (RunStatus.IDLE, True), f"killed at call {at}"


def asked(past: SyncHub) -> tuple[SyncHub, dict[str, Any]]:
    """A hub with a run queued, and that run's message."""
    hub = past.clone()
    hub.service.request(ID, [Kind.PIPELINES])
    [message] = hub.queues[Kind.PIPELINES].take()
    return hub, message


@pytest.mark.parametrize("fault", [None, FAULTS[1]], ids=str)
def test_a_long_list_is_read_by_rest_and_its_pipelines_by_graphql(fault: dict[str, Any] | None) -> None:
    with running("--frozen", "--epoch", EPOCH, *LONG) as server:
        rest, hub = hub_of(server, graphql=False), hub_of(server)
        rest.sync(Kind.PIPELINES)
        if fault is not None:
            server.fault(path=GRAPHQL, **{**fault, "row": 0})
        run = hub.sync(Kind.PIPELINES)
        assert (run.status, content(hub)) == (RunStatus.IDLE, content(rest))
        if fault is None:
            assert (ways(run), details(hub) <= 3) == ((0, 1), True)  # One pipeline is told both ways.
            # Jobs come by the pipeline where they are the oldest of the project.
            assert len(hub.requests) < len(rest.requests) / 2
