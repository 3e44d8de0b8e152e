"""The first sync by REST alone: by lists first, each pipeline in passing, and in the end what each pipeline tells."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from gitlab_hub.gitlab.fields import seconds
from gitlab_hub.integrations.permissions import need_of
from gitlab_hub.pipelines.cadence import LONGEST_REST_SECONDS
from gitlab_hub.pipelines.completeness import CompletenessReader
from gitlab_hub.pipelines.owed import FIRST_PAUSE_SECONDS
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, Run, RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, NEVER, SyncHub
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.stored_rows import stored, truth
from tests.integration.sync.test_pipelines_by_graphql import SIZES, asked, content, details, is_true, prepare

LISTED = ("id", "iid", "project_id", "status", "ref", "sha", "source", "created_at", "updated_at", "web_url", "name")
BY_JOBS = ("tag",)


@pytest.fixture(scope="module")
def company() -> Iterator[Running]:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        prepare(stand_in)
        yield stand_in


def hub_of(server: Running, *, lists: bool = True, jobs: bool = True) -> SyncHub:
    """A hub with a fine-grained token, which GraphQL tells nothing; `jobs`: it may see lists of jobs."""
    hub = SyncHub(server)
    permissions = (*need_of("pipelines").permissions, *(["Job: Read"] * jobs))
    grants = [{"access": each, "permissions": permissions} for each in ("user", "instance", "all_memberships")]
    name, user = f"lists-{jobs}", hub.targets.only.user_id
    if name not in server.control("GET", "tokens"):
        server.change("add_token", name=name, user_id=user, scopes=["granular"], grants=grants)
    hub.targets.token = server.control("GET", "tokens")[name]
    hub.graphql_from, hub.lists_from = (1, 1) if lists else (NEVER, NEVER)
    return hub


def bodies(rows: list[Item]) -> dict[tuple[int, int], dict[str, Any]]:
    return {(row["project_id"], row["id"]): row["body"] for row in rows if "body" in row}


def outlined(hub: SyncHub) -> int:
    return sum(row.get("outlined") or 0 for row in hub.rows[Kind.PIPELINES].dump() if row["pk"].endswith("#cursors"))


def completed(hub: SyncHub) -> Run:
    """Sync until nothing is left to be read in passing."""
    for _ in range(20):
        hub.now += FIRST_PAUSE_SECONDS
        run = hub.sync(Kind.PIPELINES)
        if not outlined(hub):
            return run
    raise AssertionError("pipelines are left without their details")


def test_lists_tell_nothing_that_is_wrong_and_in_the_end_everything(company: Running) -> None:
    whole, hub = hub_of(company, lists=False), hub_of(company)
    whole.sync(Kind.PIPELINES)
    run = hub.sync(Kind.PIPELINES)
    assert (run.status, run.counts["scopes_failed"]) == (RunStatus.IDLE, 0)
    right, told = bodies(content(whole)), bodies(content(hub))
    assert told.keys() == right.keys()
    for place, body in told.items():
        for name, value in body.items():
            known = name in LISTED or value is not None
            assert not known or value == right[place][name], (place, name)
    jobs = stored(hub, Kind.PIPELINES)["jobs"]
    assert jobs == truth(hub, Kind.PIPELINES)["jobs"]
    assert outlined(hub) > len(told) / 2
    assert len(hub.requests) < len(whole.requests) / 3
    completed(hub)
    assert content(hub) == content(whole)
    assert is_true(hub)


def test_few_projects_are_whole_at_once_and_never_rest(company: Running) -> None:
    hub, whole = hub_of(company), hub_of(company, lists=False)
    hub.lists_from = len(company.truth("projects")) + 1
    assert hub.sync(Kind.PIPELINES).status is whole.sync(Kind.PIPELINES).status is RunStatus.IDLE
    assert (outlined(hub), content(hub)) == (0, content(whole))
    hub.now += LONGEST_REST_SECONDS
    hub.sync(Kind.PIPELINES)
    hub.now += 1
    assert "projects_resting" not in hub.sync(Kind.PIPELINES).counts


def test_a_token_without_lists_of_jobs_reads_each_pipeline(company: Running) -> None:
    hub, whole = hub_of(company, jobs=False), hub_of(company, lists=False)
    whole.sync(Kind.PIPELINES)
    hub.sync(Kind.PIPELINES)
    assert (outlined(hub), content(hub)) == (0, content(whole))


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 500}, {"kind": "html_200"}, {"kind": "status", "status": 404}]
)
def test_trouble_with_lists_of_jobs_costs_requests_only(company: Running, fault: dict[str, Any]) -> None:
    whole, hub = hub_of(company, lists=False), hub_of(company)
    whole.sync(Kind.PIPELINES)
    company.fault(path=r"/projects/\d+/jobs$", times=0, **fault)
    run = hub.sync(Kind.PIPELINES)
    company.control("DELETE", "faults")
    assert (run.status, run.counts["scopes_failed"], outlined(hub), content(hub)) == (
        RunStatus.IDLE,
        0,
        0,
        content(whole),
    )


def test_a_full_sync_reads_each_pipeline(company: Running) -> None:
    hub = hub_of(company)
    hub.sync(Kind.PIPELINES, full=True)
    assert (outlined(hub), details(hub) > 0, is_true(hub)) == (0, True, True)


def test_what_happens_to_a_pipeline_in_outline_is_found() -> None:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as server:
        hub = hub_of(server)
        hub.sync(Kind.PIPELINES)
        retried = next(row for row in server.truth("jobs") if row["status"] == "failed")
        server.change("retry_job", id=retried["id"])
        gone = next(row["id"] for row in server.truth("pipelines") if row["id"] != retried["pipeline_id"])
        server.change("remove_pipeline", id=gone)
        hub.later(3_600)
        completed(hub)
        rows = [row for row in hub.rows[Kind.PIPELINES].dump() if row.get("deleted_at_source")]
        assert gone in {row["id"] for row in rows}
        alive = {key: row for key, row in stored(hub, Kind.PIPELINES)["pipelines"].items()
                 if key[1] not in {row["id"] for row in rows}}  # fmt: skip
        assert alive == truth(hub, Kind.PIPELINES)["pipelines"]
        assert all(row["first_terminal_at"] == seconds(row["first_terminal_at"]) for row in rows)


def test_projects_in_which_nothing_happens_are_asked_ever_more_rarely() -> None:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as server:
        hub = hub_of(server)
        hub.sync(Kind.PIPELINES)
        hub.later(3 * 86_400)
        hub.sync(Kind.PIPELINES)
        completed(hub)
        asked = []
        for _ in range(24):
            hub.requests.clear()
            run = hub.sync(Kind.PIPELINES)
            lists = [url for url in hub.requests if url.path.endswith("/pipelines")]
            asked.append(len({url.path for url in lists}))
            assert run.status is RunStatus.IDLE
            assert asked[-1] + run.counts.get("projects_resting", 0) == len(server.truth("projects"))
            assert run.counts["rows_written"] == 0
            hub.now += 900
        assert min(asked) == 0, "an asked sync does not wake them either"
        assert sum(asked) < len(asked) * len(server.truth("projects")) / 2
        shown, _ = CompletenessReader(hub.rows[Kind.PIPELINES], lambda: hub.now).page(ID, after=None, limit=100)
        assert any(one.next_look_at is not None and one.next_look_at >= hub.now - 900 for one in shown)


@pytest.mark.parametrize("full", [False, True])
def test_what_happens_in_one_that_rests_is_found_in_time(*, full: bool) -> None:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as server:
        hub = hub_of(server)
        hub.sync(Kind.PIPELINES)
        hub.later(10 * 86_400)
        hub.sync(Kind.PIPELINES)
        hub.later(10 * 86_400)
        hub.now += 1
        if full:
            hub.sync(Kind.PIPELINES)
            hub.later(600)
            hub.sync(Kind.PIPELINES, full=True)
        else:
            hub.sync(Kind.PIPELINES)
            hub.later(LONGEST_REST_SECONDS)
            hub.sync(Kind.PIPELINES)
            completed(hub)
        assert stored(hub, Kind.PIPELINES)["pipelines"] == truth(hub, Kind.PIPELINES)["pipelines"]


def test_a_kill_at_any_call_converges(company: Running) -> None:
    hub, message = asked(hub_of(company))
    undisturbed = Plan()
    with hub.failing(undisturbed):
        hub.engine(Kind.PIPELINES).handle(message, remaining=hub.remaining)
    for at in range(2, len(undisturbed.calls) + 1, max(1, len(undisturbed.calls) // 6)):
        hub, message = asked(hub_of(company))
        with suppress(Crash), hub.failing(Plan(at=at, applied=at % 2 == 0, repeat=True)):
            hub.engine(Kind.PIPELINES).handle(message, remaining=hub.remaining)
        hub.now += LEASE_SECONDS
        hub.engine(Kind.PIPELINES).handle(message, remaining=hub.remaining)
        assert hub.work(Kind.PIPELINES).status is RunStatus.IDLE, f"killed at call {at}"
        completed(hub)
        assert is_true(hub), f"killed at call {at}"
