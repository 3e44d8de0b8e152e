"""Charts as geometry: whatever the numbers are, what is drawn stays in its frame and adds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.console.charts import HEIGHT, WIDTH, ceiling, columns, line, share

KINDS = ("success", "failed")


def points(piece: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, _, y in (point.partition(",") for point in piece.split())]


def test_a_line_goes_from_0_at_the_bottom_to_the_largest_value_at_the_top() -> None:
    assert line([0, 5, 10]) == ["0,100 50,50 100,0"]
    assert line([0.5, 1.0], top=2.0) == ["0,75 100,50"]


def test_a_line_is_broken_where_there_is_no_value_and_one_value_is_a_dot() -> None:
    assert line([1, 1, None, 1]) == ["0,0 33.33,0", "100,0 100.01,0"]
    assert line([None, 3.0, None]) == ["50,0 50.01,0"]
    assert line([4.0]) == ["50,0 50.01,0"]
    assert (line([]), line([None])) == ([], [])


def test_a_line_of_nothing_but_zeros_lies_at_the_bottom() -> None:
    assert line([0, 0]) == ["0,100 100,100"]


@given(st.lists(st.none() | st.floats(0, 1e12), max_size=400), st.none() | st.floats(0.1, 10))
def test_a_line_stays_in_its_frame(values: list[float | None], top: float | None) -> None:
    found = [point for piece in line(values, top=top) for point in points(piece)]
    assert all(0 <= x <= WIDTH + 0.01 and 0 <= y <= HEIGHT for x, y in found)
    assert len(found) >= len([value for value in values if value is not None])


def test_columns_are_stacked_from_the_bottom_in_the_order_of_their_kinds() -> None:
    chart = columns([("mon", {"success": 3, "failed": 2}), ("tue", {})], KINDS)
    [monday, tuesday] = chart.columns
    assert (chart.top, [one.key for one in chart.columns]) == (5, ["mon", "tue"])
    assert [(one.kind, one.y, one.height) for one in monday.segments] == [
        ("success", 40.0, 60.0),
        ("failed", 0.0, 40.0),
    ]
    assert (monday.left, monday.room, tuesday.left, tuesday.segments) == (0.0, 50.0, 50.0, [])
    assert monday.left < monday.x < monday.x + monday.width < tuesday.x


@given(st.lists(st.tuples(st.text(max_size=3), st.dictionaries(st.sampled_from(KINDS), st.integers(0, 10**9)))))
def test_columns_stay_in_their_frame_and_do_not_overlap(rows: list[tuple[str, dict[str, int]]]) -> None:
    chart = columns(rows, KINDS)
    for one, (_, counts) in zip(chart.columns, rows, strict=True):
        assert one.left <= one.x <= one.x + one.width <= one.left + one.room + 0.05 <= WIDTH + 0.1
        total = sum(counts.values())
        assert sum(part.height for part in one.segments) == pytest.approx(total * HEIGHT / chart.top, abs=0.02)
        assert all(part.y >= -0.01 for part in one.segments)


@pytest.mark.parametrize(
    ("count", "round_number"),
    [
        (0, 1),
        (1, 1),
        (2, 2),
        (3, 5),
        (5, 5),
        (6, 10),
        (10, 10),
        (11, 20),
        (14, 20),
        (99, 100),
        (1000, 1000),
        (1001, 2000),
    ],
)
def test_an_axis_ends_with_a_round_number(count: int, round_number: int) -> None:
    assert ceiling(count) == round_number


def test_a_bar_is_as_long_as_its_share_and_can_be_seen() -> None:
    assert [share(*of) for of in ((1, 4), (0, 4), (None, 4), (1, 0), (1, None), (5, 4), (1, 10_000))] == [
        25.0, 0.0, 0.0, 0.0, 0.0, 100.0, 0.5
    ]  # fmt: skip
