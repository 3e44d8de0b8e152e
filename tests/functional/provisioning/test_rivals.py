"""Two who apply at once: an owner stays, limits hold, a plan is carried out once, in every order of their calls."""

from functools import partial
from itertools import combinations
from typing import Any

import pytest

from tests.fakes.faults import Crash
from tests.fakes.interleaving import Interleaving
from tests.functional.provisioning.plan_hub import (
    ACME,
    ANA,
    BEN,
    CRAFT,
    GROUP,
    INTEGRATION,
    OTHER,
    SHOP,
    PlanHub,
    grant,
    member,
    revoke,
)

CRAFT_PROJECT = {"type": "project", "id": CRAFT}


def two_owners() -> tuple[PlanHub, list[dict[str, Any]]]:
    """Two plans, each of which removes one of the two owners who are left; of two integrations, and overridden."""
    hub = PlanHub()
    hub.gitlab.members["groups", ACME][BEN] = member(50)
    plans = [hub.plan(revoke(ANA, 50, GROUP)), hub.plan(revoke(BEN, 50, GROUP), of=OTHER)]
    for plan, of in zip(plans, (INTEGRATION, OTHER), strict=True):
        assert hub.apply(plan, "test", of=of)[0] == 202
    return hub, plans


def schedules(calls: int, *, turns: int, begin: int) -> list[list[int]]:
    """Orders in which the second worker takes some turns in a row, beginning at every third call of the first."""
    return [[0] * first + [1] * turns for first in range(begin, calls, 3)]


def stepping(hub: PlanHub, order: Interleaving) -> Any:
    """A worker each of whose calls of a store or of GitLab waits for its turn."""
    hub.gitlab.step = lambda _method, _path: order.step()
    return hub.worker(hub.feature(order.wrapped(hub.access), order.wrapped(hub.notes)), order.sleep)


@pytest.mark.parametrize(("turns", "begin"), [(1, 1), (7, 2), (400, 0)])
def test_of_two_plans_that_each_remove_one_of_the_last_two_owners_one_is_left_undone(turns: int, begin: int) -> None:
    for schedule in schedules(36, turns=turns, begin=begin):
        hub, _ = two_owners()
        order = Interleaving(schedule)
        workers = [stepping(hub, order) for _ in range(2)]
        order.run(*(partial(hub.tick, one) for one in workers))
        hub.gitlab.step = lambda _method, _path: None
        for _ in range(3):
            hub.later()
        left = {one for one in (ANA, BEN) if hub.gitlab.level("groups", ACME, one) == 50}
        assert (len(left), len(hub.gitlab.writes)) == (1, 1), order


def test_the_second_of_them_says_why() -> None:
    hub, plans = two_owners()
    hub.work()
    second = hub("GET", f"/{plans[1]['id']}", of=OTHER)[1]["plan"]
    assert (second["status"], second["operations"][0]["error"]) == ("partly_applied", "last_owner")
    assert second["operations"][0]["hint"].startswith("This is the last active person")


def test_a_dead_worker_holds_its_gitlab_until_it_cannot_be_alive_any_more() -> None:
    hub, _ = two_owners()
    seen: list[str] = []

    def die(method: str, path: str) -> None:
        seen.append(path)
        if method == "DELETE":
            raise Crash

    hub.gitlab.step = die
    with pytest.raises(Crash):
        hub.tick()
    hub.gitlab.step = lambda _method, _path: None
    hub.later()
    assert hub.gitlab.writes == []
    for _ in range(7):
        hub.later()
    assert len(hub.gitlab.writes) == 1


def test_a_plan_that_two_apply_at_once_is_applied_once() -> None:
    for first, second in combinations(range(30), 2):
        if (first + 3 * second) % 19:
            continue
        hub = PlanHub()
        plan = hub.plan(grant(20, 40))
        order = Interleaving([0] * first + [1] * second)
        hub.gitlab.step = lambda _method, _path, order=order: order.step()  # type: ignore[misc]
        apis = [hub.api(hub.feature(order.wrapped(hub.access), order.wrapped(hub.notes))) for _ in range(2)]
        answers = order.run(*(partial(hub.apply, plan, api=api) for api in apis))
        hub.gitlab.step = lambda _method, _path: None
        assert [answer[0] for answer in answers if isinstance(answer, tuple)] == [202, 202], (order, answers)
        hub.work()
        assert (len(hub.gitlab.writes), hub.gitlab.level("projects", SHOP, 20)) == (1, 40)


def test_two_plans_at_once_do_not_share_the_limit_of_one() -> None:
    for first in range(0, 40, 3):
        hub = PlanHub()
        plans = [hub.plan(*(revoke(one, 30, CRAFT_PROJECT) for one in pair)) for pair in ((20, 21), (22, 23))]
        order = Interleaving([0] * first + [1] * 400)
        hub.gitlab.step = lambda _method, _path, order=order: order.step()  # type: ignore[misc]
        apis = [hub.api(hub.feature(order.wrapped(hub.access), order.wrapped(hub.notes))) for _ in range(2)]
        works = [partial(hub.apply, plan, api=api) for api, plan in zip(apis, plans, strict=True)]
        answers = order.run(*works)
        hub.gitlab.step = lambda _method, _path: None
        assert sorted(answer[0] for answer in answers if isinstance(answer, tuple)) == [202, 403], (order, answers)


def test_a_plan_is_not_there_for_another_integration_and_expires() -> None:
    hub = PlanHub()
    plan = hub.plan(grant(20, 40))
    assert hub.apply(plan, of=OTHER)[0] == 404
    assert hub.apply({**plan, "hash": "0" * 64})[1]["code"] == "plan_drifted"
    hub.now += 900
    assert hub.apply(plan)[1]["code"] == "plan_expired"
    assert hub.read(plan["id"])["status"] == "expired"
    assert hub.apply(plan)[0] == 410


def test_a_plan_that_is_over_is_given_again_and_cannot_be_taken_back_before() -> None:
    hub = PlanHub()
    plan = hub.plan(grant(20, 40))
    assert hub("POST", f"/{plan['id']}/undo")[1]["code"] == "plan_not_applied"
    assert hub.apply(plan)[0] == 202
    hub.work()
    status, body = hub.apply(plan)
    assert (status, body["plan"]["status"], len(hub.gitlab.writes)) == (202, "applied", 1)
    hub.work()
    assert len(hub.gitlab.writes) == 1
