import asyncio
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gitlab_hub.gitlab.errors import HostUnreachable
from gitlab_hub.webhooks.hooks.removal import HookRemoval
from tests.fakes.faults import BEFORE_OR_AFTER, Plan
from tests.fakes.gitlab import answer, project
from tests.fakes.gitlab_hooks import says
from tests.fakes.hooks import INTEGRATION
from tests.functional.webhooks.hooks_hub import PATH, HooksHub

GROUP = {"scope": "group", "target": "acme", "events": ["push", "member"], "fallback": "project"}
LIST = "/groups/1/projects"


def pages(numbers: list[int], size: int) -> Any:
    """A group's projects page by page, with the link to the next one as GitLab gives it."""

    def listed(request: httpx.Request) -> httpx.Response:
        at = int(request.url.params.get("id_after", 0))
        rest = [number for number in numbers if number > at]
        link = ""
        if len(rest) > size:
            url = request.url.copy_merge_params({"id_after": str(rest[size - 1])})
            link = f'<{url}>; rel="next"'
        return answer(body=[project(number) for number in rest[:size]], link=link)

    return listed


@pytest.fixture
def hub() -> HooksHub:
    hub = HooksHub()
    hub.gitlab.has_group_hooks = False
    hub.gitlab.script[LIST] = pages([3, 4, 5, 6, 7], 2)
    return hub


def children(hub: HooksHub) -> list[int]:
    return sorted(hook.target_id or 0 for hook in hub.hooks() if hook.parent_id is not None)


def test_a_group_without_hooks_gets_one_on_each_of_its_projects(hub: HooksHub) -> None:
    shown = hub.register(**GROUP)
    assert (shown["scope"], shown["spread"], shown["gitlab_hook_id"], shown["status"]) == (
        "group",
        True,
        None,
        "active",
    )
    assert children(hub) == [3, 4, 5, 6, 7]
    assert [row["_where"][1] for row in hub.gitlab.hooks.values()] == ["3", "4", "5", "6", "7"]
    assert all(hook.events == ("push",) for hook in hub.hooks() if hook.parent_id == shown["id"])
    assert hub.agrees()


def test_a_gitlab_without_keyset_lists_its_projects_by_numbers(hub: HooksHub) -> None:
    by_number = pages([3, 4, 5, 6, 7], 5)
    refused = answer(405, {"error": "Keyset pagination is not yet available for this type of request"})
    hub.gitlab.script[LIST] = lambda request: refused if "pagination" in request.url.params else by_number(request)
    hub.register(**GROUP)
    assert children(hub) == [3, 4, 5, 6, 7]


def test_a_group_with_hooks_needs_no_fallback(hub: HooksHub) -> None:
    hub.gitlab.has_group_hooks = True
    assert hub.register(**GROUP)["spread"] is False
    assert len(hub.gitlab.hooks) == 1


def test_what_the_request_had_no_time_for_the_caretaker_does(hub: HooksHub) -> None:
    hub.ticking = 3.0
    hook_id = hub.register(**GROUP)["id"]
    begun = len(children(hub))
    assert 0 < begun < 5
    assert hub.hook(hook_id).fallback_done_at is None
    hub.health_check.tick(lambda: 600.0)
    assert children(hub) == [3, 4, 5, 6, 7]
    assert hub.hook(hook_id).fallback_done_at == hub.now
    assert len(hub.gitlab.hooks) == 5


def test_a_project_that_refuses_is_passed_over(hub: HooksHub) -> None:
    calls = Plan()
    hub.gitlab.plan = calls
    hub.register(**GROUP)
    first = calls.calls.index("POST /projects/4/hooks") + 1
    again = HooksHub()
    again.gitlab.has_group_hooks = False
    again.gitlab.script[LIST] = pages([3, 4, 5, 6, 7], 2)
    again.gitlab.plan = Plan(at=first, error=says(403, {"message": "403 Forbidden"}))
    hook_id = again.register(**GROUP)["id"]
    assert children(again) == [3, 5, 6, 7]
    assert again.hook(hook_id).fallback_failed == 1


def test_a_gitlab_that_takes_no_changes_is_left_alone_until_it_does(hub: HooksHub) -> None:
    read_only = says(403, {"message": "You cannot perform write operations on a read-only instance"})
    calls = Plan()
    hub.gitlab.plan = calls
    hub.register(**GROUP)
    again = HooksHub()
    again.gitlab.has_group_hooks = False
    again.gitlab.script[LIST] = pages([3, 4, 5, 6, 7], 2)
    again.gitlab.plan = Plan(at=calls.calls.index("POST /projects/4/hooks") + 1, error=read_only, repeat=True)
    hook_id = again.register(**GROUP)["id"]
    assert again.gitlab.plan.calls[-1] == "POST /projects/4/hooks"
    assert again.hook(hook_id).fallback_failed == 0


@pytest.mark.parametrize("at", range(1, 20))
@BEFORE_OR_AFTER
def test_trouble_in_between_is_made_good_by_the_caretaker(hub: HooksHub, at: int, applied: bool) -> None:
    hub.gitlab.plan = Plan(at=at, error=lambda: httpx.ReadTimeout("late"), applied=applied)
    hub.attempt("POST", PATH, GROUP)
    hub.heal()
    if not hub.hooks():
        return  # It failed before anything was begun, and the caller knows.
    # Whoever was told of a failure asks again, and means the same hook.
    hub.register(**GROUP)
    for _ in range(2):
        hub.now += 3_600
        hub.health_check.tick(lambda: 600.0)
    assert children(hub) == [3, 4, 5, 6, 7]
    assert len(hub.gitlab.hooks) == 5
    assert hub.agrees()


def test_a_gitlab_in_trouble_is_left_alone_until_the_next_round(hub: HooksHub) -> None:
    calls = Plan()
    hub.gitlab.plan = calls
    hub.register(**GROUP)
    second = calls.calls.index("POST /projects/4/hooks") + 1
    again = HooksHub()
    again.gitlab.has_group_hooks = False
    again.gitlab.script[LIST] = pages([3, 4, 5, 6, 7], 2)
    again.gitlab.plan = Plan(at=second, error=says(500), repeat=True)
    hook_id = again.register(**GROUP)["id"]
    posts = [call for call in again.gitlab.plan.calls if call.startswith("POST")]
    assert (posts[-1], again.gitlab.plan.calls[-1]) == ("POST /projects/4/hooks", "GET /user")
    assert (again.hook(hook_id).fallback_failed, again.hook(hook_id).fallback_done_at) == (0, None)


def test_a_page_that_somebody_else_has_gone_through_is_not_turned_back(hub: HooksHub) -> None:
    really = hub.gitlab._really

    async def finished_meanwhile(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and "/projects/" in request.url.path:
            [parent] = [hook for hook in hub.hooks() if hook.uses_fallback]
            hub.store.change(parent.id, lambda one: replace(one, fallback_done_at=1, fallback_cursor=None))
        return await really(request)

    hub.gitlab._really = finished_meanwhile  # type: ignore[method-assign]  # another worker is faster
    hook_id = hub.register(**GROUP)["id"]
    assert (hub.hook(hook_id).fallback_done_at, hub.hook(hook_id).fallback_cursor) == (1, None)


def test_new_projects_get_their_hooks_a_day_later(hub: HooksHub) -> None:
    hub.register(**GROUP)
    hub.gitlab.script[LIST] = pages([3, 4, 5, 6, 7, 8], 2)
    hub.now += 3_600
    hub.health_check.tick(lambda: 600.0)
    assert 8 not in children(hub)
    hub.now += 86_400
    hub.health_check.tick(lambda: 600.0)
    assert children(hub) == [3, 4, 5, 6, 7, 8]


def test_projects_outside_the_group_are_left_alone(hub: HooksHub) -> None:
    foreign = project(4, path_with_namespace="acme-other/p4")
    hub.gitlab.script[LIST] = answer(body=[project(3), foreign, {"id": "x"}, {}])
    hub.register(**GROUP)
    assert children(hub) == [3]


def test_removing_the_groups_hook_removes_those_of_its_projects(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    other = hub.register(target=9)["id"]
    assert hub("DELETE", f"{PATH}/{hook_id}")[0] == 200
    assert [hook.id for hook in hub.hooks()] == [other]
    assert len(hub.gitlab.hooks) == 1


def test_a_hook_that_is_made_during_the_removal_goes_too(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    late = replace(hub.hooks()[-1], id="hook_0a1b_late", parent_id=hook_id, target_id=9, gitlab_hook_id=None)
    late = replace(late, url=f"{hub.url}/{late.id}", version=1)
    really = hub.gitlab._really

    async def one_more(request: httpx.Request) -> httpx.Response:
        if hub.store.get(late.id) is None and hub.store.get(hook_id) is not None:
            hub.store.create(late, "f" * 64)
        return await really(request)

    hub.gitlab._really = one_more  # type: ignore[method-assign]  # the caretaker is at work meanwhile
    assert hub("DELETE", f"{PATH}/{hook_id}")[0] == 200
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


@pytest.mark.parametrize("at", range(1, 8))
def test_a_removal_that_breaks_off_can_be_finished(hub: HooksHub, at: int) -> None:
    hook_id = hub.register(**GROUP)["id"]
    hub.gitlab.plan = Plan(at=at, error=says(500, {"message": "500"}))
    status = hub("DELETE", f"{PATH}/{hook_id}")[0]
    hub.heal()
    assert status == 200 or hub("DELETE", f"{PATH}/{hook_id}")[0] == 200
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


@pytest.mark.parametrize("refused", [3, 5, 7])
@pytest.mark.parametrize(
    ("status", "code", "retryable"), [(403, "maintainer_required", False), (502, "gitlab_unavailable", True)]
)
def test_a_project_that_keeps_its_hook_is_named_and_the_others_lose_theirs(
    hub: HooksHub, status: int, code: str, retryable: bool, refused: int
) -> None:
    hook_id = hub.register(**GROUP)["id"]
    really = hub.gitlab._really

    async def refusing(request: httpx.Request) -> httpx.Response:
        is_refused = request.method == "DELETE" and f"/projects/{refused}/" in request.url.path
        return answer(status, {"message": "no"}) if is_refused else await really(request)

    hub.gitlab._really = refusing  # type: ignore[method-assign]  # one project says no
    said = hub("DELETE", f"{PATH}/{hook_id}")[1]
    assert (said["code"], said["retryable"], children(hub)) == (code, retryable, [refused])
    [left] = [hook for hook in hub.hooks() if hook.parent_id is not None]
    assert said["details"]["remaining"] == [{"hook_id": left.id, "target": left.target, "code": code}]
    assert "1 of the 5 project webhooks" in said["error"]
    assert hub.hook(hook_id).id == hook_id, "it stays known for as long as something stands in for it"
    hub.gitlab._really = really  # type: ignore[method-assign]  # and then yes
    assert hub("DELETE", f"{PATH}/{hook_id}")[0] == 200
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


def test_a_slow_gitlab_loses_as_many_hooks_as_there_is_time_for(hub: HooksHub) -> None:
    hook = hub.hook(hub.register(**GROUP)["id"])
    really = hub.gitlab._really

    async def stuck(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE" and "/projects/4/" in request.url.path:
            await asyncio.sleep(60)
        return await really(request)

    hub.gitlab._really = stuck  # type: ignore[method-assign]  # one of five calls hangs
    quick = HookRemoval(hub.feature._locks, hub.feature._runner, seconds=0.5)
    began = time.monotonic()
    with pytest.raises(HostUnreachable) as late:
        quick.remove(INTEGRATION, hook.id)
    assert time.monotonic() - began < 5
    assert (children(hub), late.value.details["remaining"][0]["code"]) == ([4], "host_unreachable")


def test_a_hook_whose_group_is_gone_is_removed_by_the_caretaker(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    hub.store.remove(hub.hook(hook_id), [], now=int(hub.now))
    hub.now += 3_600
    hub.health_check.tick(lambda: 600.0)
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


def test_an_integration_that_goes_takes_them_all_along(hub: HooksHub) -> None:
    hub.register(**GROUP)
    assert hub.feature.removal.remove_all(INTEGRATION) == (5, [])
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])


def test_the_groups_hook_itself_has_no_secrets_to_rotate(hub: HooksHub) -> None:
    hook_id = hub.register(**GROUP)["id"]
    assert hub("POST", f"{PATH}/{hook_id}/rotate", {})[1]["code"] == "hook_not_managed"


def test_hooks_that_stand_in_are_behind_all_others(hub: HooksHub) -> None:
    parent = hub.register(**GROUP)["id"]
    more = [hub.register(scope="project", target=number, events=["push"])["id"] for number in (3, 4)]
    ids = sorted(hook.id for hook in hub.hooks())
    assert (sorted(ids[:3]), len(ids)) == (sorted([parent, *more]), 8)


def test_a_hook_that_an_earlier_release_has_hung_is_not_hung_again(hub: HooksHub) -> None:
    hub.gitlab.script[LIST] = pages([3], 2)
    parent = hub.register(**GROUP)["id"]
    [child] = [hook for hook in hub.hooks() if hook.parent_id == parent]
    prefix, _, unique = child.id.rpartition("_z")
    row = hub.rows.get(f"INTEGRATION#{INTEGRATION}", f"HOOK#{child.id}")
    assert row is not None
    hub.rows.delete(row["pk"], row["sk"])
    hub.rows.put(row | {"sk": f"HOOK#{prefix}_{unique}"})
    hub.now += 2 * 86_400
    hub.health_check.tick(lambda: 900.0)
    assert [hook.id for hook in hub.hooks() if hook.parent_id == parent] == [f"{prefix}_{unique}"]
