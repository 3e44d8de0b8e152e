"""Sketches: close to every value, and the same however they are put together."""

import random

import pytest

from gitlab_hub.pipelines.figures.sketch import (
    RELATIVE_ERROR,
    Sums,
    add,
    exact_quantile,
    mean,
    quantiles,
    sketch_of,
)


@pytest.mark.parametrize("share", [0, 0.5, 0.75, 0.9, 0.95, 0.99, 1])
@pytest.mark.parametrize("largest", [0.5, 90.0, 86_400.0, 1e7])
def test_a_percentile_is_within_half_a_percent(share: float, largest: float) -> None:
    draw = random.Random(int(largest))  # noqa: S311 - test data
    values = sorted(0.002 + draw.random() ** 4 * largest for _ in range(999))
    expected = exact_quantile(values, share)
    (found,) = quantiles(sketch_of(values), [share])
    assert found == pytest.approx(expected, rel=RELATIVE_ERROR * 1.01, abs=0.0015)


def test_days_add_up_to_what_their_values_would_have_made_at_once() -> None:
    draw = random.Random(1)  # noqa: S311 - test data
    days = [[draw.expovariate(1 / 300) for _ in range(50)] for _ in range(7)]
    month: Sums = {}
    for day in reversed(days):
        add(month, sketch_of(day))
    assert month == sketch_of(value for day in days for value in day)


def test_what_is_added_stays_as_it_is() -> None:
    one, other = sketch_of([1.0]), sketch_of([2.0])
    before = dict(other["b"])
    add(one, other)
    add(one, other)
    assert (other["b"], other["n"], one["n"]) == (before, 1, 3)


def test_the_mean_is_exact() -> None:
    assert mean(sketch_of([0.1, 0.2, 0.3])) == 0.2


def test_nothing_has_no_percentiles() -> None:
    assert (quantiles({}, [0.5, 0.9]), mean({}), exact_quantile([], 0.5)) == ([None, None], None, None)


def test_what_took_no_time_is_zero_and_what_is_negative_is_no_duration() -> None:
    sketch = sketch_of([0, 0, -5])
    assert (sketch["n"], quantiles(sketch, [0.5]), mean(sketch)) == (2, [0.0], 0.0)
