from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.storage.ports import StorageRefused
from gitlab_hub.webhooks.hooks import missed_pushes
from gitlab_hub.webhooks.hooks.missed_pushes import MissedPushesReport
from tests.fakes.counting_table import CountedTable
from tests.fakes.faults import Crash, Plan
from tests.fakes.gitlab import answer
from tests.fakes.gitlab_hooks import connection
from tests.fakes.hooks import INTEGRATION
from tests.fakes.refusing import refusing_table
from tests.functional.webhooks.hooks_hub import OTHER, HooksHub

A, B = "a" * 40, "b" * 40
REPOSITORY = "/projects/3/repository"


def refs(hub: HooksHub, branches: dict[str, str], tags: dict[str, str] | None = None, number: int = 3) -> None:
    """Let a project have these refs."""
    rows = [{"name": name, "commit": {"id": sha, "message": "Fix it"}} for name, sha in branches.items()]
    tagged = [{"name": name, "target": sha, "commit": {"id": sha}} for name, sha in (tags or {}).items()]
    path = f"/projects/{number}/repository"
    hub.gitlab.script |= {f"{path}/branches": answer(body=rows), f"{path}/tags": answer(body=tagged)}


@pytest.fixture
def hub() -> HooksHub:
    hub = HooksHub()
    hub.register(events=["push"])
    hub.built[INTEGRATION] = [3]
    refs(hub, {"main": A}, {"v1": A})
    return hub


def tick(hub: HooksHub, seconds: float = 600.0) -> MissedPushesReport:
    return hub.watch.tick(lambda: seconds)


def later(hub: HooksHub) -> HooksHub:
    hub.now += 3_600
    return hub


def announced(hub: HooksHub) -> list[tuple[str, str | None, str | None]]:
    return [(event.kind, event.ref, event.after) for _, event, _ in hub.announced.pushes]


def test_the_first_look_only_remembers(hub: HooksHub) -> None:
    assert tick(hub) == MissedPushesReport(projects=1)
    assert hub.announced.pushes == []


def test_a_push_of_many_refs_that_gitlab_did_not_announce_is_found(hub: HooksHub) -> None:
    tick(hub)
    refs(hub, {"main": B} | {f"b{number}": B for number in range(4)}, {"v1": A, "v2": B})
    assert tick(later(hub)) == MissedPushesReport(projects=1, announced=6)
    assert announced(hub) == [("push", f"b{number}", B) for number in range(4)] + [
        ("push", "main", B),
        ("tag_push", "v2", B),
    ]
    assert {integration_id for integration_id, _, _ in hub.announced.pushes} == {INTEGRATION}
    assert tick(later(hub)).announced == 0


def test_a_row_that_aws_refuses_fails_the_tick_and_holds_up_no_other_project(hub: HooksHub) -> None:
    hub.built[INTEGRATION] = [3, 4]
    refs(hub, {"main": A}, number=4)
    hub.gitlab.script["/projects/4"] = answer(body={"id": 4, "path_with_namespace": "acme/other"})
    tick(hub)
    hub.use(refusing_table(hub.rows, lambda item: item["sk"] == "REFS#3"))
    later(hub)
    with pytest.raises(StorageRefused):
        tick(hub)
    assert tick(hub) == MissedPushesReport(projects=1)


def test_an_announced_push_is_not_found_again(hub: HooksHub) -> None:
    tick(hub)
    refs(hub, {"main": B}, {"v1": A})
    event = HookEvent(kind="push", project_id=3, ref="main", before=A, after=B)
    hub.feature.refs.record_push(INTEGRATION, event)
    assert tick(later(hub)).announced == 0


def test_a_project_is_looked_at_once_an_hour(hub: HooksHub) -> None:
    tick(hub)
    hub.now += 1_800
    asked = len(hub.gitlab.requests)
    assert tick(hub) == MissedPushesReport()
    assert len(hub.gitlab.requests) == asked


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize(
    "fault",
    [lambda: httpx.ReadTimeout("late"), lambda: answer(500, {}), lambda: answer(403, {}), lambda: answer(200, [{}])],
)
def test_a_look_that_fails_announces_and_forgets_nothing(hub: HooksHub, at: int, fault: Any) -> None:
    tick(hub)
    before = hub.feature.refs.get(INTEGRATION, 3)
    refs(hub, {"main": B}, {"v1": A})
    hub.gitlab.plan = Plan(at=at, error=fault, repeat=True)
    tick(later(hub))
    assert (hub.announced.pushes, hub.feature.refs.get(INTEGRATION, 3)) == ([], before)
    hub.gitlab.plan = Plan()
    assert tick(later(hub)).announced == 1


def test_empty_lists_after_full_ones_are_not_believed(hub: HooksHub) -> None:
    tick(hub)
    refs(hub, {})
    assert tick(later(hub)).announced == 0
    refs(hub, {"main": A}, {"v1": A})
    assert tick(later(hub)).announced == 0


def test_a_crash_between_announcing_and_remembering_announces_once(hub: HooksHub) -> None:
    tick(hub)
    refs(hub, {"main": B, "x": B}, {"v1": A})

    def crash() -> None:
        raise Crash

    hub.announced.fails = crash
    with pytest.raises(Crash):
        tick(later(hub))
    hub.announced.fails = lambda: None
    later(hub)
    for _ in range(2):
        tick(hub)  # The round goes on behind the project, and the next one begins.
    assert announced(hub) == [("push", "main", B), ("push", "x", B)]


def test_more_than_one_look_announces_waits_for_the_next(hub: HooksHub) -> None:
    tick(hub)
    refs(hub, {"main": A} | {f"b{number:03}": B for number in range(120)}, {"v1": A})
    counts = [tick(later(hub)).announced for _ in range(4)]
    assert counts == [50, 50, 20, 0]
    assert len(hub.announced.pushes) == 120


def test_of_a_project_with_too_many_refs_only_known_ones_are_believed(hub: HooksHub) -> None:
    def listed(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        rows = [{"name": f"b{page}-{number}", "commit": {"id": A}} for number in range(100)]
        following = request.url.copy_merge_params({"page": str(page + 1)})
        return answer(body=rows, link=f'<{following}>; rel="next"')

    hub.gitlab.script[f"{REPOSITORY}/branches"] = listed
    tick(hub)
    found = hub.feature.refs.get(INTEGRATION, 3)
    assert found is not None
    assert (found.complete, len(found.heads)) == (False, missed_pushes.MAX_REFS + 1)
    refs(hub, {"b1-0": B, "new": B}, {"v1": A})
    assert tick(later(hub)).announced == 1
    assert announced(hub) == [("push", "b1-0", B)]


@pytest.mark.parametrize(
    ("more", "projects"),
    [
        ({"events": ["pipeline"]}, 0),
        ({"target": 4, "events": ["push"]}, 0),
        ({"scope": "group", "target": "acme", "events": ["tag_push"]}, 1),
        ({"scope": "system", "target": None, "events": ["push"]}, 1),
        ({"mode": "manual", "events": ["push"]}, 1),
    ],
)
def test_only_projects_whose_pushes_a_hook_hears_are_watched(more: dict[str, Any], projects: int) -> None:
    hub = HooksHub()
    hub.register(**more)
    hub.built[INTEGRATION] = [3]
    refs(hub, {"main": A})
    tick(hub)
    assert (hub.feature.refs.get(INTEGRATION, 3) is not None) is bool(projects)


def test_only_projects_that_somebody_builds_are_watched(hub: HooksHub) -> None:
    hub.built.clear()
    assert tick(hub) == MissedPushesReport()


@pytest.mark.parametrize("more", [{"paused": True}, {"credential_works": False}])
def test_an_integration_that_is_not_to_be_asked_is_left_alone(hub: HooksHub, more: dict[str, Any]) -> None:
    hub.gitlabs.connections[INTEGRATION] = connection(INTEGRATION, **more)
    asked = len(hub.gitlab.requests)
    assert tick(hub) == MissedPushesReport()
    assert len(hub.gitlab.requests) == asked


def test_one_project_that_is_hidden_stops_no_other(hub: HooksHub) -> None:
    hub.built[INTEGRATION] = [3, 4]
    hub.register(target=4, events=["push"])
    refs(hub, {"main": A}, number=4)
    hub.gitlab.script["/projects/3"] = answer(404, {"message": "404"})
    assert tick(hub) == MissedPushesReport(projects=1, failed=1)


def test_one_project_that_gitlab_fails_at_stops_no_other(hub: HooksHub) -> None:
    hub.built[INTEGRATION] = [3, 4]
    hub.register(events=["push"], target=4)
    refs(hub, {"main": A}, number=4)
    hub.gitlab.script["/projects/3/repository/branches"] = answer(500, {"message": "500"})
    assert tick(hub) == MissedPushesReport(projects=1, failed=1)


@pytest.mark.parametrize("answers", [True, False])
def test_a_gitlab_that_fails_at_every_project_is_not_asked_for_all_of_them(hub: HooksHub, answers: bool) -> None:
    hub.built[INTEGRATION] = list(range(3, 30))
    for number in range(3, 30):
        hub.gitlab.script[f"/projects/{number}"] = answer(500, {"message": "500"})
    hub.gitlab.script["/user"] = answer(200 if answers else 500, {"id": 7})
    assert tick(hub) == MissedPushesReport(failed=missed_pushes.MOST_IN_A_ROW if answers else 1)


def test_a_gitlab_that_asks_for_a_pause_has_it(hub: HooksHub) -> None:
    hub.built[INTEGRATION] = [3, 4]
    hub.gitlab.script["/projects/3"] = answer(429, {"message": "Slow down"}, retry_after="600")
    asked = len(hub.gitlab.requests)
    assert tick(hub) == MissedPushesReport(failed=1)
    assert len(hub.gitlab.requests) == asked + 1


def test_one_integration_that_is_down_stops_no_other(hub: HooksHub) -> None:
    hub.built[OTHER] = [4]
    assert (
        hub("POST", f"/v1/integrations/{OTHER}/webhooks", {"scope": "project", "target": 4, "events": ["push"]})[0]
        == 201
    )
    refs(hub, {"main": A}, number=4)
    hub.gitlab.script["/projects/3"] = httpx.ConnectError("no")
    assert tick(hub) == MissedPushesReport(projects=1, failed=1)


def test_a_tick_ends_with_its_time(hub: HooksHub) -> None:
    assert tick(hub, 20.0) == MissedPushesReport(finished=False)


def test_where_no_round_is_due_one_row_is_read(hub: HooksHub) -> None:
    tick(hub)
    table = CountedTable(hub.rows)
    hub.use(table)
    hub.now += 1_800
    assert tick(hub) == MissedPushesReport()
    assert table.reads == {"get": 1}


def test_a_round_goes_on_behind_the_last_project_and_begins_no_other_before_its_end(hub: HooksHub) -> None:
    hub.built = {INTEGRATION: [3, 4, 5], OTHER: [6]}
    hub.register(scope="group", target="acme", events=["push"])
    assert hub("POST", f"/v1/integrations/{OTHER}/webhooks", {"scope": "system", "events": ["push"]})[0] == 201
    looked: list[str] = []
    for number in range(3, 7):
        refs(hub, {"main": A}, number=number)
    for _ in range(5):
        left = iter([600.0, 600.0, 20.0])
        asked = len(hub.gitlab.requests)
        hub.watch.tick(lambda left=left: next(left, 20.0))  # type: ignore[misc]  # bound now
        looked += [one.url.path for one in hub.gitlab.requests[asked:] if one.url.path.count("/") == 4]
        hub.now += 600
    assert looked == [f"/api/v4/projects/{number}" for number in range(3, 7)]
    assert tick(hub) == MissedPushesReport()
    hub.now += 3_600
    assert tick(hub).projects == 4


def test_a_project_that_breaks_the_watch_holds_up_none_behind_it(hub: HooksHub) -> None:
    hub.built[INTEGRATION] = [3, 4]
    hub.register(target=4, events=["push"])
    refs(hub, {"main": A}, number=4)

    def broken(_: httpx.Request) -> httpx.Response:
        raise Crash

    hub.gitlab.script["/projects/3"] = broken
    with pytest.raises(Crash):
        tick(hub)
    assert tick(hub) == MissedPushesReport(projects=1)


def test_a_project_that_no_hook_hears_of_costs_one_request(hub: HooksHub) -> None:
    hub.built[INTEGRATION] = [4]
    refs(hub, {"main": A}, number=4)
    asked = len(hub.gitlab.requests)
    assert tick(hub).announced == 0
    assert [one.url.path for one in hub.gitlab.requests[asked:]] == ["/api/v4/projects/4"]
