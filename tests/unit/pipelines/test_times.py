import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.pipelines.times import iso, millis, seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:01.234Z", 1234),
        ("1970-01-01T02:00:01.234+02:00", 1234),
        ("1970-01-01T00:00:01.234999Z", 1234),
        ("1970-01-01T00:00:01", 1000),
        (None, None),
        ("", None),
        ("yesterday", None),
        (12, None),
    ],
)
def test_times_are_read_exactly_or_not_at_all(text: object, moment: int | None) -> None:
    assert millis(text) == moment
    assert seconds(text) == (None if moment is None else moment // 1000)


@given(st.integers(0, 4_102_444_800_000))
def test_what_is_asked_for_is_what_was_seen(moment: int) -> None:
    assert millis(iso(moment)) == moment
