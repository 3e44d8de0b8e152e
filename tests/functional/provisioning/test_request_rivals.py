"""Two who decide at once: one of them counts, access is given once at most, and ends, in every order of their calls."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER
from tests.fakes.interleaving import Interleaving
from tests.functional.provisioning.plan_hub import START
from tests.functional.provisioning.timed_hub import DEV, GLASS, NEW, TimedHub, policy

SECOND = Principal("t-second", Role.OWNER)
Works = Callable[[TimedHub, list[Any]], list[Callable[[], Any]]]


def runs(make: Callable[[], Any], works: Works, *, every: int = 7) -> Iterator[tuple[TimedHub, Any, list[Any]]]:
    """Two works at once: the second one begins at every so many calls of the first, and then goes to its end."""
    first = 0
    while True:
        hub, request_id = make()
        order = Interleaving([0] * first + [1] * 400)
        hub.gitlab.step = lambda _method, _path, order=order: order.step()
        parts = [hub.feature(order.wrapped(hub.access), order.wrapped(hub.notes)) for _ in range(2)]
        answers = order.run(*works(hub, [request_id, *parts]))
        hub.gitlab.step = lambda _method, _path: None
        assert not [one for one in answers if isinstance(one, BaseException)], (order, answers)
        yield hub, request_id, answers
        if 0 not in order.history[first:]:
            return
        first += every


def pending() -> tuple[TimedHub, str]:
    hub = TimedHub()
    return hub, hub.asked()


def at_its_end() -> tuple[TimedHub, str]:
    hub = TimedHub()
    request_id = hub.given()
    hub.now = START + 3600
    return hub, request_id


def near_its_end() -> tuple[TimedHub, str]:
    hub, request_id = at_its_end()
    hub.now -= 30
    return hub, request_id


def deciding(first: str, second: str) -> Works:
    """Two owners who decide."""

    def works(hub: TimedHub, made: list[Any]) -> list[Callable[[], Any]]:
        request_id, *parts = made
        return [
            partial(hub.decide, request_id, how, who=who, api=hub.api(part))
            for how, who, part in zip((first, second), (OWNER, SECOND), parts, strict=True)
        ]

    return works


def test_two_who_approve_give_the_access_once() -> None:
    for hub, request_id, answers in runs(pending, deciding("approve", "approve")):
        assert sorted(answer[0] for answer in answers) == [200, 409], answers
        hub.work()
        assert (hub.one(request_id)["status"], len(hub.gitlab.writes)) == ("active", 1)


def test_of_a_yes_and_a_no_at_once_one_counts() -> None:
    outcomes = set()
    for hub, request_id, answers in runs(pending, deciding("approve", "deny")):
        assert sorted(answer[0] for answer in answers) == [200, 409], answers
        hub.work()
        status = hub.one(request_id)["status"]
        assert (status, len(hub.gitlab.writes)) in (("active", 1), ("denied", 0))
        outcomes.add(status)
    assert outcomes == {"active", "denied"}


@pytest.mark.parametrize("make", [at_its_end, near_its_end])
def test_who_ends_it_while_it_ends_changes_nothing(make: Callable[[], tuple[TimedHub, str]]) -> None:
    def works(hub: TimedHub, made: list[Any]) -> list[Callable[[], Any]]:
        request_id, one, other = made
        return [partial(hub.tick, hub.worker(one)), partial(hub.decide, request_id, "revoke", api=hub.api(other))]

    for hub, request_id, _ in runs(make, works, every=9):
        hub.work()
        for _ in range(3):
            hub.later()
        assert (hub.one(request_id)["status"], NEW in hub.shop(), hub.incidents()) == ("ended", False, {})
        assert [write[0] for write in hub.gitlab.writes] == ["POST", "DELETE"]


def test_two_workers_at_the_end_end_it_once() -> None:
    def works(hub: TimedHub, made: list[Any]) -> list[Callable[[], Any]]:
        return [partial(hub.tick, hub.worker(part)) for part in made[1:]]

    for hub, request_id, _ in runs(at_its_end, works, every=9):
        for _ in range(3):
            hub.later()
        assert (hub.one(request_id)["status"], NEW in hub.shop(), hub.incidents()) == ("ended", False, {})
        assert [write[0] for write in hub.gitlab.writes] == ["POST", "DELETE"]


def test_of_two_who_ask_for_the_same_one_is_told_of_the_other() -> None:
    def make() -> tuple[TimedHub, str]:
        hub = TimedHub()
        hub.put_policies(policy(), GLASS)
        return hub, ""

    def works(hub: TimedHub, made: list[Any]) -> list[Callable[[], Any]]:
        wanted: tuple[dict[str, Any], ...] = ({}, {"break_glass": True})
        return [partial(hub.ask, who=DEV, api=hub.api(part), **how) for how, part in zip(wanted, made[1:], strict=True)]

    for hub, _, answers in runs(make, works):
        assert sorted(answer[0] for answer in answers) == [201, 409], answers
        assert len(hub.requests("GET")[1]["access_requests"]) == 1
