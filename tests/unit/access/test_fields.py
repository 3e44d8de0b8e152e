import pytest

from gitlab_hub.access.fields import day, midnight, moment, number, part, parts, required, text, whole
from gitlab_hub.gitlab.errors import UnexpectedResponse


@pytest.mark.parametrize(
    ("value", "seconds"),
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
def test_a_time_becomes_unix_seconds(value: object, seconds: int | None) -> None:
    assert moment(value) == seconds


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
        whole({"id": value}, "id")


@pytest.mark.parametrize("value", [None, "", 7])
def test_a_row_without_a_path_is_not_read_at_all(value: object) -> None:
    with pytest.raises(UnexpectedResponse):
        required({"full_path": value}, "full_path")


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
        parts({"shared_with_groups": value}, "shared_with_groups")
