"""Which days a page is about, whatever stands in its address."""

from datetime import date
from urllib.parse import urlencode

import pytest

from gitlab_hub.console.ranges import DayRange, range_of

NOW = 1_796_083_200.0
TODAY = date(2026, 12, 1)


@pytest.mark.parametrize(("days", "first"), [("7", date(2026, 11, 25)), ("1", TODAY), ("", date(2026, 11, 2))])
def test_the_last_days_end_with_today_and_stay_the_last_ones_in_the_address(days: str, first: date) -> None:
    found = range_of({"days": days}, NOW)
    assert (found.first, found.last, found.query) == (first, TODAY, {"days": days or "30"})
    assert found.bounds == {"from": first.isoformat(), "to": "2026-12-01"}


def test_a_pinned_range_is_the_same_days_after_midnight() -> None:
    found = range_of({"days": "7"}, NOW)
    assert found.pinned == {"days": "7", "to": "2026-12-01"}
    for later in (0, 86_400, 5 * 86_400):
        again = range_of(found.pinned, NOW + later)
        assert (again.seconds, again.query, again.pinned) == (found.seconds, {"days": "7"}, found.pinned)


@pytest.mark.parametrize("to", ["2026-12-02", "1970-01-01", "soon", ""])
def test_a_number_of_days_up_to_a_day_that_is_none_ends_today(to: str) -> None:
    assert range_of({"days": "7", "to": to}, NOW).last == TODAY


def test_days_that_are_named_win_over_a_number_of_them() -> None:
    found = range_of({"from": "2026-11-01", "to": "2026-11-30", "days": "7"}, NOW)
    assert (found.days, found.chosen, found.query) == (30, None, {"from": "2026-11-01", "to": "2026-11-30"})
    assert range_of({"from": "2026-11-30"}, NOW).last == TODAY
    assert urlencode(found.query) == "from=2026-11-01&to=2026-11-30"


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-12-02"}, {"from": "2026-11-30", "to": "2026-11-29"}, {"from": "1969-12-31", "to": "1970-01-02"},
        {"from": "2025-10-01"}, {"from": "x"}, {"from": "9999-12-31", "to": "9999-12-31"}, {"days": "0"},
        {"days": "401"}, {"days": "²"}, {"days": "-1"}, {"to": "2026-01-01"},
        {"from": "0001-01-01", "to": "0001-01-02"},
    ],
)  # fmt: skip
def test_what_is_no_range_is_the_usual_one(query: dict[str, str]) -> None:
    found = range_of(query, NOW)
    assert (found.first, found.last, found.chosen) == (date(2026, 11, 2), TODAY, 30)


def test_the_days_before_are_as_many_and_right_before() -> None:
    before = range_of({"days": "7"}, NOW).before()
    assert before == DayRange(date(2026, 11, 18), date(2026, 11, 24))
    assert DayRange(date(1, 1, 3), date(1, 1, 5)).before() is None


def test_a_range_has_all_seconds_of_its_days() -> None:
    first, last = range_of({"days": "1"}, NOW).seconds
    assert (first, last - first) == (int(NOW) // 86_400 * 86_400, 86_399)
