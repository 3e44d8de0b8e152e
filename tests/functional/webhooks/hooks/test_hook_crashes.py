"""Wherever a change of a hook ends, no hook is in GitLab that is not known here, and the next attempt finishes it."""

from typing import Any

import httpx
import pytest

from tests.fakes.faults import BEFORE_OR_AFTER, Crash, Plan, faulty, unavailable
from tests.fakes.gitlab import answer
from tests.functional.webhooks.hooks_hub import PATH, PROJECT, HooksHub

ROTATE = {"grace_seconds": 600}


def late() -> httpx.ReadTimeout:
    return httpx.ReadTimeout("late")


def broken() -> httpx.Response:
    return answer(500, {"message": "500"})


FAULTS = [(Crash, "gitlab"), (late, "gitlab"), (broken, "gitlab"), (Crash, "rows"), (unavailable, "rows")]


def break_at(hub: HooksHub, at: int, error: Any, where: str, *, applied: bool) -> None:
    plan = Plan(at=at, error=error, applied=applied)
    if where == "gitlab":
        hub.gitlab.plan = plan
    else:
        hub.use(faulty(hub.rows, plan))


def calls(hub: HooksHub, method: str, path: str, body: Any) -> tuple[int, int]:
    """How many calls a request takes: of GitLab, and of the table."""
    hub.gitlab.plan, rows = Plan(), Plan()
    hub.use(faulty(hub.rows, rows))
    assert hub.attempt(method, path, body) in {200, 201}
    return len(hub.gitlab.plan.calls), len(rows.calls)


def test_no_request_has_more_calls_than_are_tried() -> None:
    hub = HooksHub()
    counts = [calls(hub, "POST", PATH, PROJECT)]
    one = f"{PATH}/{hub.hooks()[0].id}"
    counts += [calls(hub, "POST", f"{one}/repair", None), calls(hub, "POST", f"{one}/rotate", ROTATE)]
    hub.gitlab.hooks.clear()
    counts += [calls(hub, "POST", f"{one}/repair", None), calls(hub, "DELETE", one, None)]
    assert max(gitlab for gitlab, _ in counts) <= 4
    assert max(rows for _, rows in counts) <= 9


@BEFORE_OR_AFTER
@pytest.mark.parametrize(("error", "where"), FAULTS)
@pytest.mark.parametrize("at", range(1, 10))
def test_a_registration_that_ends_anywhere_is_finished_by_the_next_one(
    at: int, error: Any, where: str, applied: bool
) -> None:
    hub = HooksHub()
    break_at(hub, at, error, where, applied=applied)
    hub.attempt("POST", PATH, PROJECT, key="k1")
    hub.heal()
    assert {row["url"] for row in hub.gitlab.hooks.values()} <= {hook.url for hook in hub.hooks()}
    assert hub.attempt("POST", PATH, PROJECT, key="k1") == 201
    assert len(hub.hooks()) == len(hub.gitlab.hooks) == 1
    assert hub.agrees()
    assert hub.hooks()[0].status == "active"


@BEFORE_OR_AFTER
@pytest.mark.parametrize(("error", "where"), FAULTS)
@pytest.mark.parametrize("at", range(1, 10))
def test_a_registration_that_ends_anywhere_is_finished_by_the_caretaker(
    at: int, error: Any, where: str, applied: bool
) -> None:
    hub = HooksHub()
    break_at(hub, at, error, where, applied=applied)
    hub.attempt("POST", PATH, PROJECT)
    hub.heal()
    hub.health_check.tick(lambda: 600.0)
    assert len(hub.gitlab.hooks) == len(hub.hooks())
    assert hub.agrees()


@BEFORE_OR_AFTER
@pytest.mark.parametrize(("error", "where"), FAULTS)
@pytest.mark.parametrize("at", range(1, 10))
def test_a_rotation_that_ends_anywhere_refuses_no_delivery(at: int, error: Any, where: str, applied: bool) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    break_at(hub, at, error, where, applied=applied)
    hub.attempt("POST", f"{PATH}/{hook_id}/rotate", ROTATE, key="k2")
    # Whichever secret GitLab has now, the hub accepts it, for longer than anybody needs to notice.
    assert hub.agrees()
    hub.heal()
    hub.now += 86_400
    assert hub.agrees()
    hub.health_check.tick(lambda: 600.0)
    assert hub.attempt("POST", f"{PATH}/{hook_id}/rotate", ROTATE, key="k3") == 200
    hook = hub.hook(hook_id)
    assert (hook.rotating, hook.previous_version_until) == (None, int(hub.now) + 600)
    hub.now += 601
    assert hub.agrees()


@BEFORE_OR_AFTER
@pytest.mark.parametrize(("error", "where"), FAULTS)
@pytest.mark.parametrize("at", range(1, 10))
@pytest.mark.parametrize("state", ["changed", "gone", "disabled"])
def test_a_repair_that_ends_anywhere_is_finished_by_the_next_one(
    state: str, at: int, error: Any, where: str, applied: bool
) -> None:
    hub = HooksHub()
    shown = hub.register()
    number = shown["gitlab_hook_id"]
    if state == "gone":
        hub.gitlab.hooks.clear()
    else:
        change = {"url": "https://elsewhere.example.com"} if state == "changed" else {"alert_status": "disabled"}
        hub.gitlab.hooks[number] |= change
    break_at(hub, at, error, where, applied=applied)
    hub.attempt("POST", f"{PATH}/{shown['id']}/repair")
    hub.heal()
    assert hub.attempt("POST", f"{PATH}/{shown['id']}/repair") == 200
    assert len(hub.gitlab.hooks) == 1
    assert hub.agrees()
    assert hub.hook(shown["id"]).status == "active"


@BEFORE_OR_AFTER
@pytest.mark.parametrize(("error", "where"), FAULTS)
@pytest.mark.parametrize("at", range(1, 10))
def test_a_removal_that_ends_anywhere_is_finished_or_has_not_begun(
    at: int, error: Any, where: str, applied: bool
) -> None:
    hub = HooksHub()
    hook_id = hub.register()["id"]
    break_at(hub, at, error, where, applied=applied)
    hub.attempt("DELETE", f"{PATH}/{hook_id}")
    hub.heal()
    # A hook in GitLab is always one that is known here.
    assert {row["url"] for row in hub.gitlab.hooks.values()} <= {hook.url for hook in hub.hooks()}
    assert hub.attempt("DELETE", f"{PATH}/{hook_id}") in {200, 404}
    assert (hub.gitlab.hooks, hub.hooks()) == ({}, [])
