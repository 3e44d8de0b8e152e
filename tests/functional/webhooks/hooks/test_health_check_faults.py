"""Faults of one hook, project or GitLab hold up no other."""

from typing import Any

import httpx
import pytest

from gitlab_hub.storage.ports import StorageRefused
from gitlab_hub.webhooks.hooks.health_check import HealthCheckReport
from tests.fakes.faults import Plan
from tests.fakes.gitlab import answer
from tests.fakes.gitlab_hooks import says
from tests.fakes.hooks import INTEGRATION
from tests.fakes.refusing import refusing_table
from tests.functional.webhooks.hooks_hub import OTHER, PATH, PROJECT, HooksHub, later, tick


@pytest.mark.parametrize(
    "fault",
    [
        lambda: httpx.ConnectError("no"),
        lambda: answer(401, {"message": "401 Unauthorized"}),
        lambda: answer(403, {"message": "403 Forbidden"}),
        lambda: answer(500, {"message": "500"}),
        lambda: answer(429, {"message": {"error": "too many"}}, retry_after="60"),
        lambda: httpx.Response(200, html="<html>Sign in</html>"),
        lambda: answer(200, [1]),
    ],
)
def test_the_faults_of_one_integration_stop_no_other(fault: Any) -> None:
    hub = HooksHub()
    shown = hub.register()
    hub.now += 60
    _, other = hub("POST", PATH.replace(INTEGRATION, OTHER), PROJECT | {"target": 4})
    later(hub)
    really = hub.gitlab._really

    async def faulty(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/api/v4/projects/3"):
            made: Any = fault()
            if isinstance(made, Exception):
                raise made
            return httpx.Response(made.status_code, headers=made.headers, content=made.content)
        return await really(request)

    hub.gitlab._really = faulty  # type: ignore[method-assign]  # everything about one project fails
    assert tick(hub) == HealthCheckReport(looked=1, failed=1)
    assert hub.hook(other["webhook"]["id"]).checked_at == hub.now
    assert hub.hook(shown["id"]).status == "active"


def test_a_gitlab_that_is_down_is_asked_once_and_not_for_every_hook() -> None:
    hub = HooksHub()
    for number in range(3, 9):
        hub.register(target=number)
    hub.gitlab.plan = Plan(at=1, error=lambda: httpx.ConnectError("no"), repeat=True)
    assert tick(later(hub)) == HealthCheckReport(failed=1)


def test_a_project_that_gitlab_fails_at_holds_up_no_hook_behind_it() -> None:
    hub = HooksHub()
    first, second = (hub.register(target=number) for number in (3, 4))
    really = hub.gitlab._really

    async def broken(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/api/v4/projects/3/"):
            return answer(500, {"message": "500"})
        return await really(request)

    hub.gitlab._really = broken  # type: ignore[method-assign]  # GitLab fails at one project, again and again
    for _ in range(2):
        assert tick(later(hub)) == HealthCheckReport(looked=1, failed=1)
    assert hub.hook(second["id"]).checked_at == hub.now != hub.hook(first["id"]).checked_at


def test_projects_that_gitlab_always_fails_at_starve_no_hook_behind_them() -> None:
    hub = HooksHub()
    shown = [hub.register(target=number) for number in range(3, 9)]
    really = hub.gitlab._really

    async def broken(request: httpx.Request) -> httpx.Response:
        if any(request.url.path.startswith(f"/api/v4/projects/{number}/") for number in range(3, 7)):
            return answer(500, {"message": "500"})
        return await really(request)

    hub.gitlab._really = broken  # type: ignore[method-assign]  # GitLab fails at four projects, again and again
    assert tick(later(hub)) == HealthCheckReport(failed=3)
    assert tick(hub) == HealthCheckReport(looked=2, failed=1)
    assert [hub.hook(one["id"]).checked_at == hub.now for one in shown] == [False] * 4 + [True] * 2
    assert tick(hub) == HealthCheckReport()


def test_a_gitlab_that_fails_at_every_project_is_not_asked_for_all_of_them() -> None:
    hub = HooksHub()
    for number in range(3, 10):
        hub.register(target=number)
    hub.gitlab.plan = Plan(at=1, error=says(500, {"message": "500"}), repeat=True)
    assert tick(later(hub)) == HealthCheckReport(failed=3)


def test_one_hook_that_is_refused_does_not_hold_up_the_others() -> None:
    hub = HooksHub()
    for number in (3, 4):
        hub.register(target=number)
    hub.gitlab.plan = Plan(at=1, error=says(403, {"message": "403 Forbidden"}))
    assert tick(later(hub)) == HealthCheckReport(looked=1, failed=1)


def test_a_row_that_aws_refuses_holds_up_no_other_hook_and_fails_the_tick() -> None:
    hub = HooksHub()
    first, second = (hub.register(target=number)["id"] for number in (3, 4))
    tick(hub)
    hub.use(refusing_table(hub.rows, lambda item: item["sk"].endswith(first)))
    for _ in range(2):
        with pytest.raises(StorageRefused):
            tick(later(hub))
        assert hub.hook(second).checked_at == hub.now != hub.hook(first).checked_at
