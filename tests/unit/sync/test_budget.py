"""The shared request allowance: what is spent, what is learnt, when to wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.rates import LONGEST_WAIT, RateFacts
from gitlab_hub.sync.rate_limit import GENERAL, Budget, Window, learn_limits, merge_budgets, seconds_to_wait, spend_one

NOW = 1_700_000_000.0
SERVER = datetime.fromtimestamp(1_600_000_000, UTC)


def announced(*, limit: int = 100, remaining: int = 50, resets_in: int = 30) -> RateFacts:
    """An answer's headers; the server's clock is years off ours."""
    return RateFacts(limit=limit, remaining=remaining, reset_at=int(SERVER.timestamp()) + resets_in, server_time=SERVER)


def test_a_server_that_announces_nothing_is_not_limited_and_costs_nothing_to_track() -> None:
    budget: Budget = {}
    for _ in range(10_000):
        budget = spend_one(budget, "members", NOW)
    assert (budget, seconds_to_wait(budget, "members", NOW)) == ({}, 0)


def test_one_fifth_of_the_allowance_is_left_to_others() -> None:
    assert seconds_to_wait(learn_limits({}, "users", announced(remaining=21), NOW), "users", NOW) == 0
    assert seconds_to_wait(learn_limits({}, "users", announced(remaining=20), NOW), "users", NOW) == 30


def test_our_own_requests_count_until_the_next_answer() -> None:
    budget = learn_limits({}, "users", announced(remaining=22), NOW)
    budget = spend_one(spend_one(budget, "users", NOW), "users", NOW)
    assert seconds_to_wait(budget, "users", NOW) == 30


def test_the_window_ends_by_the_servers_clock_not_ours() -> None:
    budget = learn_limits({}, "users", announced(remaining=0, resets_in=30), NOW)
    assert seconds_to_wait(budget, "users", NOW + 29) == pytest.approx(1)
    assert seconds_to_wait(budget, "users", NOW + 30) == 0


def test_a_window_longer_than_any_that_gitlab_has_is_not_believed() -> None:
    budget = learn_limits({}, "users", announced(remaining=0, resets_in=10**12), NOW)
    assert seconds_to_wait(budget, "users", NOW) == LONGEST_WAIT


def test_a_new_window_is_not_overrun_before_its_first_answer() -> None:
    budget = learn_limits({}, "users", announced(limit=30, remaining=6, resets_in=10), NOW)
    later, sent = NOW + 10, 0
    while not seconds_to_wait(budget, "users", later):
        budget, sent = spend_one(budget, "users", later), sent + 1
    assert sent == 24


def test_the_first_answer_of_a_window_says_when_it_ends_but_not_what_is_on_the_way() -> None:
    budget = learn_limits({}, "users", announced(limit=100, remaining=21, resets_in=10), NOW)
    later = NOW + 10
    for _ in range(50):
        budget = spend_one(budget, "users", later)
    budget = learn_limits(budget, "users", announced(limit=100, remaining=99, resets_in=30), later)
    assert budget[GENERAL] == Window(
        limit=100, remaining=50, resets_at=later + 30, announced=int(SERVER.timestamp()) + 30
    )


def test_an_answer_that_was_long_on_its_way_does_not_hide_what_later_ones_count() -> None:
    late = learn_limits({}, "users", announced(remaining=50, resets_in=30), NOW + 5)
    prompt = replace(announced(remaining=30, resets_in=30), server_time=SERVER + timedelta(seconds=5))
    whole = learn_limits(late, "users", prompt, NOW + 5)
    assert (whole[GENERAL].remaining, whole[GENERAL].resets_at) == (30, NOW + 30)
    alone = learn_limits({}, "users", prompt, NOW + 5)
    assert merge_budgets(late, alone) == merge_budgets(alone, late) == whole


def test_a_clock_that_was_set_back_names_an_end_twice() -> None:
    spent, later = learn_limits({}, "users", announced(remaining=20, resets_in=30), NOW), NOW + 3_600
    opened = learn_limits(spend_one(spent, "users", later), "users", announced(remaining=99, resets_in=30), later)
    assert merge_budgets(opened, spent) == merge_budgets(spent, opened) == opened
    assert (opened[GENERAL].remaining, opened[GENERAL].resets_at) == (99, later + 30)


def test_the_first_answer_of_the_next_window_is_not_of_the_last_one() -> None:
    spent = learn_limits({}, "users", announced(remaining=0, resets_in=2), NOW)
    assert learn_limits(spent, "users", announced(remaining=99, resets_in=3), NOW + 1)[GENERAL].remaining == 99


def test_a_limiter_that_was_switched_off_is_forgotten() -> None:
    old, later = learn_limits({}, "users", announced(limit=30, remaining=0, resets_in=10), NOW), NOW + 11
    budget = spend_one(old, "users", later)
    assert learn_limits(budget, "users", RateFacts(limited=True, retry_after=60), later)[GENERAL].limit == 30
    forgotten = learn_limits(budget, "users", RateFacts(), later)
    assert (
        merge_budgets(forgotten, old)[GENERAL].limit,
        seconds_to_wait(merge_budgets(old, forgotten), "users", later),
    ) == (0, 0)


def test_a_429_with_headers_stops_every_endpoint() -> None:
    facts = RateFacts(limited=True, limit=100, remaining=0, reset_at=0, server_time=SERVER, retry_after=90)
    budget = learn_limits({}, "users", facts, NOW)
    assert seconds_to_wait(budget, "pipelines", NOW) == 90


def test_a_429_without_headers_stops_only_its_endpoint() -> None:
    budget = learn_limits({}, "members", RateFacts(limited=True, retry_after=60), NOW)
    assert (seconds_to_wait(budget, "members", NOW), seconds_to_wait(budget, "pipelines", NOW)) == (60, 0)


def test_an_endpoint_with_a_limit_of_its_own_is_spent_to_eighty_percent() -> None:
    budget = learn_limits({}, "members", announced(limit=2000, remaining=2000, resets_in=60), NOW)
    sent = 0
    while not seconds_to_wait(budget, "members", NOW):
        budget, sent = spend_one(budget, "members", NOW), sent + 1
    assert sent == 160
    assert seconds_to_wait(budget, "users", NOW) == 0


windows = st.builds(
    Window,
    limit=st.integers(0, 100),
    remaining=st.integers(-5, 100),
    resets_at=st.sampled_from([0.0, 10.0, 20.0]),
    blocked_until=st.sampled_from([0.0, 15.0, 40.0]),
    announced=st.sampled_from([0, 7, 8]),
)
budgets = st.dictionaries(st.sampled_from([GENERAL, "members", "users"]), windows)


@given(mine=budgets, theirs=budgets, now=st.sampled_from([0.0, 12.0, 50.0]))
def test_merging_never_forgets_a_block(mine: Budget, theirs: Budget, now: float) -> None:
    merged = merge_budgets(mine, theirs)
    for name in merged:
        blocked = max(side.get(name, Window()).blocked_until for side in (mine, theirs))
        assert merged[name].blocked_until == blocked
        assert seconds_to_wait(merged, name, now) >= max(0.0, blocked - now)


@given(budget=budgets)
def test_merging_with_oneself_changes_nothing(budget: Budget) -> None:
    assert merge_budgets(budget, budget) == budget
