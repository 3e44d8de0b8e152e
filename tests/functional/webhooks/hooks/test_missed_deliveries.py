from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.fakes.faults import BEFORE_OR_AFTER, Plan
from tests.fakes.gitlab import answer
from tests.fakes.gitlab_hooks import HookedGitLab, says
from tests.functional.webhooks.hooks.resending import arrives, lose, resend, with_a_hook
from tests.functional.webhooks.hooks_hub import PATH, HooksHub


@pytest.fixture
def hub() -> HooksHub:
    return with_a_hook()


def test_lost_deliveries_are_sent_again_once(hub: HooksHub) -> None:
    lose(hub, 11, 12)
    lose(hub, 13, kind="client_failure")
    assert resend(hub) == {"resent": 3, "failed": 0, "known": 0, "complete": True}
    assert sorted(hub.gitlab.resends) == [11, 12, 13]
    hub.now += 60
    assert resend(hub) == {"resent": 0, "failed": 0, "known": 0, "complete": True}
    assert sorted(hub.gitlab.resends) == [11, 12, 13]


def test_what_has_arrived_meanwhile_is_not_sent_again(hub: HooksHub) -> None:
    lose(hub, 11, 12)
    hub.deliveries.keys.add("key-12")
    assert resend(hub) == {"resent": 1, "failed": 0, "known": 1, "complete": True}
    assert hub.gitlab.resends == [11]


def test_at_most_five_a_minute_and_then_from_where_it_stopped(hub: HooksHub) -> None:
    lose(hub, *range(1, 53))
    counts = []
    for _ in range(12):
        found = resend(hub)
        counts.append(found["resent"])
        assert resend(hub)["resent"] == 0
        hub.now += 60
    assert counts == [5] * 10 + [2, 0]
    assert sorted(hub.gitlab.resends) == list(range(1, 53))
    assert resend(hub)["complete"] is True


def test_deliveries_that_fail_again_hold_up_no_others(hub: HooksHub) -> None:
    lose(hub, *range(1, 13))
    hub.gitlab.delivers = lambda number: number <= 4 and arrives(hub, number)
    for _ in range(4):
        resend(hub)
        hub.now += 60
    assert {1, 2, 3, 4} <= set(hub.gitlab.resends)


def test_a_delivery_that_failed_again_is_tried_again_by_its_new_record(hub: HooksHub) -> None:
    lose(hub, 11)
    hub.gitlab.delivers = lambda _: False
    assert resend(hub)["failed"] == 1
    hub.gitlab.fail_delivery(501, 12, "key-11")
    hub.gitlab.delivers = lambda number: arrives(hub, number)
    assert resend(hub)["resent"] == 1
    assert hub.gitlab.resends == [11, 12]


def test_one_delivery_with_several_records_is_sent_once(hub: HooksHub) -> None:
    for number in (11, 12, 13):
        hub.gitlab.fail_delivery(501, number, "key-of-all")
    assert resend(hub)["resent"] == 1
    assert hub.gitlab.resends == [13]


def test_deliveries_without_a_key_are_each_sent_again(hub: HooksHub) -> None:
    for number in (11, 12):
        hub.gitlab.fail_delivery(501, number, None)
    assert resend(hub)["resent"] == 2


def test_records_that_come_during_a_pass_are_for_the_next_one(hub: HooksHub) -> None:
    lose(hub, *range(1, 8))
    resend(hub)
    lose(hub, 20, 21)
    hub.now += 60
    first = resend(hub)
    hub.now += 60
    second = resend(hub)
    assert (first["complete"], second["complete"]) == (True, True)
    assert sorted(hub.gitlab.resends) == [*range(1, 8), 20, 21]


@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("fault", [lambda: httpx.ReadTimeout("late"), lambda: answer(500, {"message": "500"})])
@BEFORE_OR_AFTER
def test_trouble_anywhere_loses_nothing_and_doubles_nothing(hub: HooksHub, at: int, fault: Any, applied: bool) -> None:
    lose(hub, 1, 2, 3)
    lose(hub, 4, kind="client_failure")
    hub.gitlab.plan = Plan(at=at, error=fault, applied=applied)
    hub.attempt("POST", f"{PATH}/{hub.hooks()[0].id}/resend-failed")
    hub.heal()
    for _ in range(3):
        hub.now += 60
        resend(hub)
    assert hub.deliveries.keys == {"key-1", "key-2", "key-3", "key-4"}
    assert len(hub.gitlab.resends) == 4


def test_gitlabs_own_limit_ends_the_call_and_not_the_pass(hub: HooksHub) -> None:
    lose(hub, 1, 2, 3)
    hub.gitlab.plan = Plan(at=4, error=says(429, {"message": {"error": "too many"}}))
    assert resend(hub) == {"resent": 1, "failed": 0, "known": 0, "complete": False}
    hub.heal()
    assert resend(hub)["resent"] == 2


def test_an_older_gitlab_has_no_such_list(hub: HooksHub) -> None:
    hub.gitlab.plan = Plan(at=1, error=says(404, {"error": "404 Not Found"}), repeat=True)
    assert resend(hub) == {"resent": 0, "failed": 0, "known": 0, "complete": True}


def test_a_long_list_is_read_a_part_at_a_time(hub: HooksHub) -> None:
    lose(hub, *range(1, 101))
    hub.deliveries.keys = {f"key-{number}" for number in range(1, 101)}
    hub.ticking = 2.0
    complete = [resend(hub)["complete"] for _ in range(4)]
    assert (complete[0], complete[-1]) == (False, True)
    assert hub.gitlab.resends == []


Proxy = Callable[[httpx.Response, int], httpx.Response]


def between(hub: HooksHub, proxy: Proxy) -> None:
    """Put a proxy in front of GitLab's lists of deliveries."""
    really = HookedGitLab._events

    def events(request: httpx.Request, hook_id: int) -> httpx.Response:
        return proxy(really(hub.gitlab, request, hook_id), int(request.url.params.get("page", "1")))

    hub.gitlab._events = events  # type: ignore[method-assign]  # the fake is the test's own


def stripped(response: httpx.Response, _page: int) -> httpx.Response:
    return answer(body=response.json())


def cut(response: httpx.Response, _page: int) -> httpx.Response:
    return httpx.Response(200, json=response.json()[:7], headers=said(response))


def cached(keep: Callable[[httpx.Response], dict[str, str]]) -> Proxy:
    """Show the first page of each list in the place of all others."""
    shown: list[httpx.Response] = []

    def proxy(response: httpx.Response, page: int) -> httpx.Response:
        if page == 1:
            shown.append(response)
            return response
        return httpx.Response(200, json=shown[-1].json(), headers=keep(shown[-1]))

    return proxy


def said(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("x-")}


def all_known(hub: HooksHub, count: int) -> None:
    lose(hub, *range(1, count + 1))
    hub.deliveries.keys = {f"key-{number}" for number in range(1, count + 1)}


@pytest.mark.parametrize("count", [45, 40, 20])
def test_a_list_without_paging_headers_is_read_to_its_end(hub: HooksHub, count: int) -> None:
    all_known(hub, count)
    between(hub, stripped)
    assert resend(hub) == {"resent": 0, "failed": 0, "known": count, "complete": True}


@pytest.mark.parametrize("proxy", [cut, cached(said), cached(lambda _: {})])
def test_pages_that_make_no_whole_list_are_said_and_read_again_from_the_first(hub: HooksHub, proxy: Proxy) -> None:
    all_known(hub, 45)
    between(hub, proxy)
    for _ in range(3):
        status, body = hub("POST", f"{PATH}/{hub.hooks()[0].id}/resend-failed")
        assert (status, body["code"]) == (502, "unexpected_response")
        hub.now += 60
    between(hub, lambda response, _page: response)
    assert resend(hub) == {"resent": 0, "failed": 0, "known": 45, "complete": True}
    assert len(hub.gitlab.requests) < 40


def test_the_caretaker_recovers_too(hub: HooksHub) -> None:
    lose(hub, 11)
    hub.now += 3_600
    assert hub.health_check.tick(lambda: 600.0).resent == 1


def test_the_caretaker_goes_on_at_its_next_tick_until_nothing_is_left(hub: HooksHub) -> None:
    lose(hub, *range(1, 13))
    hub.now += 3_600
    counts = []
    for _ in range(4):
        counts.append(hub.health_check.tick(lambda: 600.0).resent)
        hub.now += 600
    assert counts == [5, 5, 2, 0]
    asked = len(hub.gitlab.requests)
    assert hub.health_check.tick(lambda: 600.0).looked == 0
    assert len(hub.gitlab.requests) == asked


def test_what_is_missing_is_looked_at_once_an_hour_whatever_is_left_to_recover(hub: HooksHub) -> None:
    lose(hub, *range(1, 13))
    resend(hub)
    hub.gitlab.hooks.clear()
    hub.now += 3_600
    assert hub.health_check.tick(lambda: 600.0).looked == 1
    hub.now += 600
    assert hub.health_check.tick(lambda: 600.0).looked == 0


def test_groups_have_the_list_and_the_system_has_none() -> None:
    hub = HooksHub()
    hub.register(scope="group", target="acme", events=["push"])
    hub.gitlab.fail_delivery(501, 11, "key-11")
    assert resend(hub)["resent"] == 1
    system = hub.register(scope="system", target=None, events=["push"])["id"]
    asked = len(hub.gitlab.requests)
    assert hub("POST", f"{PATH}/{system}/resend-failed")[1]["complete"] is True
    assert len(hub.gitlab.requests) == asked
