"""Members by GraphQL: what is stored is to the byte what REST would have told, whatever GraphQL answers."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from gitlab_hub.access.rounds import PARTS
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LEASE_SECONDS, Run, RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.faults import Crash, Plan
from tests.fakes.sync_worker import ID, NEVER, SyncHub
from tests.integration.sync.company_changes import happen
from tests.integration.sync.conftest import EPOCH
from tests.integration.sync.stored_rows import lost, mirrored, stored, truth

SIZES = ("--users", "40", "--groups", "14", "--projects", "14", "--pipelines", "1", "--jobs", "1", "--seed", "11")
NEW_LEVEL = 45


def smallest_tree(server: Running) -> dict[str, Any]:
    """A group in the smallest tree that has one below its top."""
    groups = server.truth("groups")
    sizes = Counter(row["full_path"].partition("/")[0] for row in groups)
    inner = [row for row in groups if row["parent_id"] is not None]
    return min(inner, key=lambda row: sizes[row["full_path"].partition("/")[0]])


@pytest.fixture(scope="module")
def company() -> Iterator[Running]:
    """A company with all that a membership can be: its seed gives expiries, bots, custom roles and Minimal Access."""
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        inner = smallest_tree(stand_in)
        project = next(row for row in stand_in.truth("projects") if row["group_id"])
        stand_in.change("add_member", source="group", source_id=inner["id"], user_id=9, level=30, awaiting=True)
        stand_in.change("add_member", source="project", source_id=project["id"], user_id=10, level=NEW_LEVEL)
        stand_in.change("add_member", source="project", source_id=project["id"], user_id=11, level=5)
        stand_in.change("invite", source="project", source_id=project["id"], email="new@example.com", level=30)
        stand_in.change("update_user", id=12, state="banned")
        stand_in.change("update_group", id=inner["id"], membership_lock=True)
        yield stand_in


@pytest.fixture
def server(company: Running) -> Iterator[Running]:
    """The company without faults and limits, as GitLab is today."""
    yield company
    company.calm()
    usual = {"graphql": "on", "community": False, "graphql_complexity": 0, "graphql_hides_minimal": False}
    company.control("POST", "behaviour", usual)


def rows(hub: SyncHub) -> list[Item]:
    """Everything that is stored of GitLab."""
    return [row for row in mirrored(hub, Kind.ACCESS) if row["pk"] != f"{ID}#readings"]


def by_rest(server: Running, token: str = "admin", **options: Any) -> SyncHub:
    """A hub that has synced without GraphQL."""
    hub = SyncHub(server, token, **options)
    hub.graphql_from = NEVER
    assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
    assert not [url for url in hub.requests if url.path.endswith("/graphql")]
    return hub


def ways(run: Run) -> tuple[int, int]:
    """How many lists came by GraphQL, and how many by REST."""
    return run.counts.get("lists_by_graphql", 0), run.counts.get("lists_by_rest", 0)


@pytest.mark.parametrize(
    ("token", "limited", "community"),
    [("admin", False, False), ("admin", False, True), ("admin", True, False), ("owner-read", False, True),
     ("owner-read", False, False)],
)  # fmt: skip
def test_both_ways_store_the_same(server: Running, token: str, *, limited: bool, community: bool) -> None:
    server.control("POST", "behaviour", {"community": community})
    group = server.truth("groups")[0]["full_path"] if limited else None
    rest, hub = by_rest(server, token, group=group), SyncHub(server, token, group=group)
    hub.graphql_from = 1
    run = hub.sync(Kind.ACCESS)
    assert (run.status, run.incomplete) == (RunStatus.IDLE, 0)
    assert rows(hub) == rows(rest)
    graphql, _ = ways(run)
    # An Enterprise Edition tells REST more of the accounts of members, and only administrators have another source.
    assert (graphql > 0) is (community or not (limited or token == "owner-read"))
    # Whichever way a second sync takes, it finds nothing to write.
    for other in (hub, rest):
        other.graphql_from = 1 if other is rest else NEVER
        assert other.sync(Kind.ACCESS).counts["rows_written"] == 0


def test_what_waits_for_approval_is_read_by_rest(server: Running) -> None:
    hub = SyncHub(server)
    run = hub.sync(Kind.ACCESS)
    assert min(ways(run)) > 0
    grants = [row for row in rows(hub) if row["pk"].startswith(f"{ID}#grants#")]
    assert {row["membership_state"] for row in grants} == {"active", "awaiting"}
    assert {5, NEW_LEVEL} <= {row["access_level"] for row in grants}
    assert [row for row in grants if row["member_role"] is not None]
    assert [row for row in grants if row["ends_at"] is not None]


def test_a_second_sync_of_the_day_asks_little(server: Running) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    hub.requests.clear()
    hub.now += 60
    run = hub.sync(Kind.ACCESS)
    asked = Counter(url.path.rpartition("/")[2] if "members" in url.path else url.path for url in hub.requests)
    with_shares = {row["source_id"] for row in server.truth("shares") if row["source"] == "group"}
    waiting = len([url for url in hub.requests if url.path.endswith("/members")])
    # Users, groups, projects; the token, the schema, the outlines, groups and projects; pages and lists for REST.
    assert len(hub.requests) <= 4 + 5 + len(with_shares) + waiting, asked
    assert (run.counts["rows_written"], stored(hub, Kind.ACCESS)) == (0, truth(hub, Kind.ACCESS))


@pytest.mark.slow
def test_two_thousand_people_and_a_thousand_projects_take_sixty_requests() -> None:
    sizes = ("--users", "2000", "--groups", "200", "--projects", "1000", "--pipelines", "1", "--jobs", "1")
    with running("--frozen", "--epoch", EPOCH, *sizes) as server:
        hub = SyncHub(server)
        assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
        # 34 for lists, 8 to find out and to read members, one for service accounts, and one for each group that others
        # were invited into.
        invited = {row["source_id"] for row in server.truth("shares") if row["source"] == "group"}
        assert len(hub.requests) == 43 + len(invited) <= 60
        now, real = stored(hub, Kind.ACCESS), truth(hub, Kind.ACCESS)
        assert {name for name, rows in now.items() if rows != real[name]} == {"traits"}
        assert {one[2] for one, value in now["traits"].items() if value != real["traits"][one]} == {"membership_lock"}
        hub.requests.clear()
        hub.now += 1_800
        assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
        # A part of the pages of all groups, and of the addresses of those who were invited.
        groups, projects = -(-200 // PARTS), -(-1_000 // PARTS)
        addresses = [url for url in hub.requests if url.path.endswith("/invitations")]
        assert (len(addresses), len(hub.requests)) == (groups + projects, 42 + len(invited) + 2 * groups + projects)


FAULTS: list[dict[str, Any]] = [
    {"kind": "graphql_timeout", "row": 3, "skip": 2},
    {"kind": "graphql_null", "row": 2, "times": 0},
    {"kind": "graphql_left_out", "row": 1, "times": 0},
    {"kind": "graphql_failed", "skip": 2, "times": 0},
    {"kind": "status", "status": 500, "times": 0, "skip": 2},
    {"kind": "status", "status": 401, "times": 0, "skip": 2},
    {"kind": "html_200", "times": 0, "skip": 2},
    {"kind": "rate_limited", "retry_after": 600, "skip": 2},
]


@pytest.fixture(scope="module")
def told_by_rest(company: Running) -> list[Item]:
    return rows(by_rest(company))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(str(value) for value in fault.values()))
def test_whatever_graphql_answers_the_same_is_stored(
    server: Running, told_by_rest: list[Item], fault: dict[str, Any]
) -> None:
    hub = SyncHub(server)
    server.fault(path="^/api/graphql$", **fault)
    run = hub.sync(Kind.ACCESS)
    assert (run.status, run.incomplete, hub.targets.verdicts) == (RunStatus.IDLE, 0, ["accepted"])
    assert rows(hub) == told_by_rest
    assert ways(run)[1] > 0


def test_a_shortened_list_takes_nobody_away(server: Running, told_by_rest: list[Item]) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    server.fault(path="^/api/graphql$", kind="graphql_short", times=0, skip=3)
    run = hub.sync(Kind.ACCESS)
    assert (run.status, run.counts["rows_written"], run.counts.get("rows_removed", 0)) == (RunStatus.IDLE, 0, 0)
    assert rows(hub) == told_by_rest
    assert ways(run)[1] > 5


def test_a_smaller_limit_of_complexity_makes_smaller_batches(server: Running, told_by_rest: list[Item]) -> None:
    server.control("POST", "behaviour", {"graphql_complexity": 66})
    hub = SyncHub(server)
    run = hub.sync(Kind.ACCESS)
    assert rows(hub) == told_by_rest
    assert (ways(run)[0] > 0, "graphql_given_up" in run.counts) == (True, False)


@pytest.mark.parametrize("graphql", ["old", "missing"])
def test_a_gitlab_without_the_fields_is_read_by_rest(server: Running, told_by_rest: list[Item], graphql: str) -> None:
    server.control("POST", "behaviour", {"graphql": graphql})
    hub = SyncHub(server)
    run = hub.sync(Kind.ACCESS)
    assert (ways(run)[0], rows(hub)) == (0, told_by_rest)


def test_members_that_graphql_hides_are_found_all_the_same(server: Running, told_by_rest: list[Item]) -> None:
    server.control("POST", "behaviour", {"graphql_hides_minimal": True})
    hub = SyncHub(server)
    for _ in range(2):
        assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
        assert rows(hub) == told_by_rest
        hub.now += 60


def test_a_fine_grained_token_asks_rest_only(server: Running) -> None:
    rest, hub = by_rest(server, "fine-grained"), SyncHub(server, "fine-grained")
    hub.graphql_from = 1
    run = hub.sync(Kind.ACCESS)
    assert (ways(run)[0], run.counts["graphql_refused"], rows(hub)) == (0, 2, rows(rest))


def test_a_full_sync_asks_rest_only(server: Running, told_by_rest: list[Item]) -> None:
    hub = SyncHub(server)
    assert (ways(hub.sync(Kind.ACCESS, full=True))[0], rows(hub)) == (0, told_by_rest)


def test_changes_are_found_and_leavers_are_asked_for(server: Running) -> None:
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    hub.now += 60
    source = next(row for row in server.truth("members") if row["source"] == "project" and row["access_level"] == 30)
    place = {"source": "project", "source_id": source["source_id"]}
    server.change("remove_member", **place, user_id=source["user_id"])
    server.change("add_member", **place, user_id=20, level=20)
    inner, other = [row["id"] for row in server.truth("groups") if row["parent_id"] is not None][:2]
    server.change("add_share", source="group", source_id=inner, group_id=other, level=10)
    run = hub.sync(Kind.ACCESS)
    assert (run.counts["rows_removed"], stored(hub, Kind.ACCESS)) == (1, truth(hub, Kind.ACCESS))
    server.change("remove_share", source="group", source_id=inner, group_id=other)
    hub.now += 60
    hub.sync(Kind.ACCESS)
    assert stored(hub, Kind.ACCESS) == truth(hub, Kind.ACCESS)
    server.change("remove_member", **place, user_id=20)
    fields = {name: source[name] for name in ("access_level", "expires_at")}
    server.change(
        "add_member", **place, user_id=source["user_id"], level=fields["access_level"], expires_at=fields["expires_at"]
    )


def test_a_long_list_is_read_page_by_page_while_its_members_move(server: Running) -> None:
    waiting = smallest_tree(server)["full_path"].partition("/")[0]
    number = next(row["id"] for row in server.truth("groups") if row["full_path"].partition("/")[0] != waiting)
    many = [server.change("add_user", username=f"many{one}")["id"] for one in range(130)]
    for user_id in many:
        server.change("add_member", source="group", source_id=number, user_id=user_id, level=10)
    hub = SyncHub(server)
    hub.sync(Kind.ACCESS)
    hub.now += 60
    pages: list[str] = []

    def watch(request: httpx.Request) -> httpx.Request:
        after = json.loads(request.content)["variables"].get("after") if request.method == "POST" else None
        if after is not None and not pages:
            server.change("remove_member", source="group", source_id=number, user_id=many[0])
            server.change("remove_member", source="group", source_id=number, user_id=many[-1])
            server.change("add_member", source="group", source_id=number, user_id=many[-1], level=20)
        pages.extend([after] if after is not None else [])
        return request

    hub.watch = watch
    for _ in range(2):
        hub.now += 60
        assert hub.sync(Kind.ACCESS).status is RunStatus.IDLE
        assert pages
    assert stored(hub, Kind.ACCESS) == truth(hub, Kind.ACCESS)
    for user_id in many:
        server.change("remove_user", id=user_id)


def test_a_kill_at_any_call_converges(fresh: Running) -> None:
    past = SyncHub(fresh)
    past.graphql_from = 1
    past.sync(Kind.ACCESS)
    before = stored(past, Kind.ACCESS)
    happen(fresh)
    past.now += 7_200
    now, undisturbed = truth(past, Kind.ACCESS), Plan()
    hub, message = asked(past)
    with hub.failing(undisturbed):
        hub.engine(Kind.ACCESS).handle(message, remaining=hub.remaining)
    assert [call for call in undisturbed.calls if "/api/graphql" in str(call)]
    for at in range(2, len(undisturbed.calls) + 1, 11):
        hub, message = asked(past)
        with suppress(Crash), hub.failing(Plan(at=at, applied=at % 2 == 0, repeat=True)):
            hub.engine(Kind.ACCESS).handle(message, remaining=hub.remaining)
        assert lost(before, stored(hub, Kind.ACCESS), now) == [], f"killed at call {at}"
        hub.now += LEASE_SECONDS
        hub.engine(Kind.ACCESS).handle(message, remaining=hub.remaining)
        run = hub.work(Kind.ACCESS)
        assert (run.status, stored(hub, Kind.ACCESS)) == (RunStatus.IDLE, now), f"killed at call {at}"


def asked(past: SyncHub) -> tuple[SyncHub, dict[str, Any]]:
    """A hub with a run queued, and that run's message."""
    hub = past.clone()
    hub.service.request(ID, [Kind.ACCESS])
    [message] = hub.queues[Kind.ACCESS].take()
    return hub, message
