import json
from dataclasses import asdict
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import iso
from gitlab_hub.pipelines import window as windows
from gitlab_hub.pipelines.same_timestamp import SameTimestampPaging
from gitlab_hub.pipelines.window import MAX_PAGES, SeekStep, Stream, Window


def rows(*moments: int | None) -> list[dict[str, Any]]:
    return [{"id": n, "updated_at": None if m is None else iso(m)} for n, m in enumerate(moments, start=1)]


def window(lo: int | None = 1000, **fields: Any) -> Window:
    return Window(Stream.DEFAULT, lo, **fields)


def test_a_window_reaches_back_behind_its_watermark() -> None:
    assert Window.opened(Stream.DEFAULT, 500_000).lo == 320_000
    assert Window.opened(Stream.DEFAULT, None).lo is None


def test_a_checkpoint_brings_the_window_back() -> None:
    before = Window(
        Stream.CHILD, 1, hi=2, last=3, walk="page=4", children=True, same_timestamp=SameTimestampPaging("page=2", "x")
    )
    assert Window.from_json(json.loads(json.dumps(before.to_json()))) == before
    assert Window.from_json(window().to_json()) == window()


def test_a_checkpoint_holds_each_thing_once_and_that_of_the_release_before_is_read() -> None:
    before = window(same_timestamp=SameTimestampPaging("page=2", "x"))
    kept = before.to_json()
    assert kept["drain"] == asdict(SameTimestampPaging("page=2", "x"))
    assert "same_timestamp" not in kept
    assert Window.from_json({**kept, "same_timestamp": kept["drain"]}) == before


def test_a_seek_is_inclusive_ordered_and_never_an_offset() -> None:
    assert windows.seek_params(window(1234)) == {
        "updated_after": "1970-01-01T00:00:01.234Z",
        "order_by": "updated_at",
        "sort": "asc",
    }
    child = Window(Stream.CHILD, None)
    assert windows.seek_params(child) == {"source": "parent_pipeline", "order_by": "updated_at", "sort": "asc"}


def test_a_millisecond_has_an_order_without_ties_and_reaches_the_next_millisecond() -> None:
    assert windows.same_timestamp_params(window(1234)) == {
        "updated_after": "1970-01-01T00:00:01.234Z",
        "updated_before": "1970-01-01T00:00:01.235Z",
        "order_by": "id",
        "sort": "asc",
    }


@pytest.mark.parametrize(
    ("listed", "more", "step", "lo"),
    [
        (rows(1000, 1500), True, SeekStep.SEEK, 1500),
        (rows(1000, 1500), False, SeekStep.DONE, 1000),
        (rows(1000, 1000), True, SeekStep.SAME_TIMESTAMP, 1000),
        (rows(1500, 9001), True, SeekStep.SEEK, 9001),
        (rows(1500, 9000), True, SeekStep.SEEK, 9000),
        (rows(1500, None), True, SeekStep.SEEK, 1500),
        (rows(None), True, SeekStep.DONE, 1000),
        ([], False, SeekStep.DONE, 1000),
    ],
)
def test_what_follows_a_page(listed: list[dict[str, Any]], more: bool, step: SeekStep, lo: int) -> None:
    found, after = windows.next_step(window(hi=9000), listed, more=more)
    assert (found, after.lo) == (step, lo)


def test_the_first_page_of_all_seeks_on_even_if_it_shares_one_time() -> None:
    step, after = windows.next_step(window(None), rows(7, 7), more=True)
    assert (step, after.lo) == (SeekStep.SEEK, 7)


@pytest.mark.parametrize(
    ("listed", "fine"), [(rows(1000, 1000, 2000), True), (rows(999), False), (rows(2000, 1500), False), ([], True)]
)
def test_rows_show_whether_the_server_honours_filter_and_order(listed: list[dict[str, Any]], fine: bool) -> None:
    assert windows.is_seekable(window(), listed) is fine


@pytest.mark.parametrize(
    ("stream", "source", "fine"),
    [(Stream.CHILD, "parent_pipeline", True), (Stream.CHILD, "push", False), (Stream.DEFAULT, "push", True)],
)
def test_rows_show_whether_the_server_knows_children(stream: Stream, source: str, fine: bool) -> None:
    assert windows.has_right_source(Window(stream, None), [{"id": 1, "source": source}]) is fine


@pytest.mark.parametrize(("moment", "fine"), [(1000, True), (1001, True), (1002, False), (999, False)])
def test_rows_show_whether_all_are_of_one_millisecond(moment: int, fine: bool) -> None:
    assert windows.has_same_timestamp(window(), rows(moment)) is fine


@pytest.mark.parametrize(
    ("done", "moved"),
    [
        (window(hi=9000, last=5000), 9000),
        (window(hi=9000, last=None), 42),
        (window(hi=None, last=5000), 5000),
        (window(hi=10_000 + 300_001, last=5000), 5000),
        (window(hi=10_000 + 300_001, last=99_000_000), 10_000),
        (window(hi=None, last=99_000_000), 10_000),
    ],
)
def test_a_watermark_moves_only_as_far_as_can_be_vouched_for(done: Window, moved: int) -> None:
    assert windows.watermark(done, 42, now=10_000) == moved


def test_a_millisecond_is_read_when_two_readings_agree() -> None:
    same_timestamp: SameTimestampPaging | None = SameTimestampPaging()
    steps: list[tuple[list[int], str | None]] = [([1, 2], "2"), ([4], None), ([1, 2], "2"), ([3, 4], None)]
    for ids, following in [*steps, ([1, 2], "2")]:
        assert same_timestamp is not None
        same_timestamp = same_timestamp.after_page(ids, following)
    assert same_timestamp is not None
    assert same_timestamp.after_page([3, 4], None) is None


def test_the_reading_of_a_millisecond_has_a_bound() -> None:
    with pytest.raises(UnexpectedResponse):
        SameTimestampPaging(pages=MAX_PAGES).after_page([1], "next")
    with pytest.raises(UnexpectedResponse):
        SameTimestampPaging(readings=10, before="x").after_page([1], None)


def test_a_millisecond_that_is_read_is_left_behind() -> None:
    once = window(same_timestamp=SameTimestampPaging()).after_same_timestamp_page(rows(1000), None)
    assert (once.lo, once.same_timestamp is None) == (1000, False)
    twice = once.after_same_timestamp_page(rows(1000), None)
    assert (twice.lo, twice.same_timestamp) == (1001, None)


def test_a_window_has_a_bound_and_its_end_is_fixed_by_the_first_page() -> None:
    assert window().with_page(50).with_page(60).hi == 50
    with pytest.raises(UnexpectedResponse):
        window(pages=windows.MAX_PAGES).with_page(50)


def test_a_window_of_another_release_is_read_as_far_as_it_is_known() -> None:
    window = Window.opened(Stream.DEFAULT, 500_000)
    assert Window.from_json({**window.to_json(), "colour": "red"}) == window
