import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import (
    day,
    first_id,
    first_moment,
    first_text,
    is_below,
    is_within,
    iso,
    midnight,
    millis,
    number,
    part,
    rows_in,
    seconds,
    strict_number,
    strict_rows,
    strict_text,
    text,
    texts_in,
)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2012-05-23T08:00:58Z", 1337760058),
        ("2012-05-23T08:00:58.123Z", 1337760058),
        ("2012-05-23T10:00:58+02:00", 1337760058),
        ("2012-05-23T08:00:58", 1337760058),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1337760058, None),
    ],
)
def test_a_time_becomes_unix_seconds(value: object, moment: int | None) -> None:
    assert seconds(value) == moment


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2024-01-26", 1706227200), ("2024-01-26T15:00:00Z", 1706227200), ("2024-02-31", None), (None, None)],
)
def test_an_access_ends_when_its_last_day_begins(value: object, seconds: int | None) -> None:
    assert midnight(value) == seconds


@pytest.mark.parametrize(("value", "kept"), [("2012-05-23", "2012-05-23"), ("2012-13-23", None), (7, None)])
def test_a_day_stays_a_day(value: object, kept: str | None) -> None:
    assert day(value) == kept


@pytest.mark.parametrize("value", [None, "7", 7.0, True, -1, 10**12])
def test_a_row_without_a_usable_id_is_not_read_at_all(value: object) -> None:
    assert number(value) is None
    with pytest.raises(UnexpectedResponse):
        strict_number({"id": value}, "id")


@pytest.mark.parametrize("value", [None, "", 7])
def test_a_row_without_a_path_is_not_read_at_all(value: object) -> None:
    with pytest.raises(UnexpectedResponse):
        strict_text({"full_path": value}, "full_path")


def test_texts_stay_small_and_storable() -> None:
    assert text("x" * 5_000) == "x" * 1_000
    assert text("half \ud800 of one") == "half ? of one"
    assert text(7) is None


def test_what_should_be_an_object_and_is_not_counts_as_empty() -> None:
    assert part({"namespace": {"id": 1}}, "namespace") == {"id": 1}
    assert part({"namespace": "acme"}, "namespace") == {}
    assert part({}, "namespace") == {}


@pytest.mark.parametrize("value", ["none", [1], [{}] * 1_001])
def test_a_list_that_no_item_could_hold_is_not_read(value: object) -> None:
    with pytest.raises(UnexpectedResponse):
        strict_rows({"shared_with_groups": value}, "shared_with_groups")


@pytest.mark.parametrize(
    ("value", "moment"),
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
def test_times_are_read_exactly_or_not_at_all(value: object, moment: int | None) -> None:
    assert millis(value) == moment
    assert seconds(value) == (None if moment is None else moment // 1000)


@given(st.integers(0, 4_102_444_800_000))
def test_what_is_asked_for_is_what_was_seen(moment: int) -> None:
    assert millis(iso(moment)) == moment


@pytest.mark.parametrize(
    "value", ["2016-08-12 15:26:12 UTC", "2016-08-12 17:26:12 +0200", "2016-08-12T15:26:12Z", "2016-08-12T15:26:12.9Z"]
)
def test_every_spelling_of_a_time_that_gitlab_has_is_read(value: str) -> None:
    assert seconds(value) == first_moment({"none": None, "at": value}, "none", "at") == 1471015572


@pytest.mark.parametrize("value", [None, "", 7, ["7"]])
def test_the_first_field_that_says_something_counts(value: object) -> None:
    assert first_text({"a": value, "b": "x"}, "a", "b") == "x"
    assert first_text({"a": value}, "a", "b") is None


@pytest.mark.parametrize(("value", "found"), [(0, None), (True, None), ("7", None), (2**63, None), (2**63 - 1,) * 2])
def test_an_id_is_a_positive_number_that_gitlab_could_store(value: object, found: int | None) -> None:
    assert first_id({"id": value}, "id") == found


def test_of_a_list_only_what_fits_is_read() -> None:
    assert rows_in([{"id": 1}, 7, None, {}]) == [{"id": 1}, {}]
    assert rows_in({"id": 1}) == rows_in(None) == []
    assert list(texts_in(["a", "", 7, "half \ud800"])) == ["a", "half ?"]
    assert list(texts_in("abc")) == []


@pytest.mark.parametrize(
    ("path", "group", "inside"),
    [
        ("acme/p3", "acme", True),
        ("ACME/sub/p3", "acme", True),
        ("acme", "acme", True),
        ("acme-other/p3", "acme", False),
        ("x/acme/p3", "acme", False),
    ],
)
def test_a_group_holds_what_is_below_it(path: str, group: str, *, inside: bool) -> None:
    assert is_within(path, group) is inside
    assert is_below(path, group) is (inside and path.lower() != group.lower())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("acme", True),
        ("Acme", True),
        ("acme/store", True),
        ("acme/teams/wiki", True),
        ("acme-labs", False),
        ("acme-labs/store", False),
        ("others/acme/store", False),
    ],
)
def test_a_path_is_inside_a_group_by_whole_names(path: str, *, expected: bool) -> None:
    assert is_within(path, "ACME") is expected
