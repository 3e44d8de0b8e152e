from datetime import UTC, datetime
from typing import Any

import pytest

from gitlab_hub.gitlab.fields import iso
from gitlab_hub.pipelines import window as windows
from gitlab_hub.pipelines.freshness import StoredPipeline
from gitlab_hub.pipelines.graphql.queries import Detail, Newest
from gitlab_hub.pipelines.graphql.told import Told
from gitlab_hub.pipelines.window import Stream, Window

AT = datetime(2026, 1, 2, tzinfo=UTC)
SINCE = 1_767_225_600_000
"""The first of January."""
BEGINNING = dict.fromkeys(Stream)


def row(number: int, *, seconds: int = 60, **more: Any) -> dict[str, Any]:
    return {"id": number, "status": "success", "updated_at": iso(SINCE + 1000 * seconds), "source": "push", **more}


def told(*rows: dict[str, Any], **more: Any) -> Told:
    newest = {Stream.DEFAULT: Newest((9, 8, 3), whole=False), Stream.CHILD: Newest((), whole=True)}
    fields = {"rows": {Stream.DEFAULT: rows, Stream.CHILD: ()}, "newest": newest, "since": dict.fromkeys(Stream, SINCE)}
    known = {Stream.DEFAULT: 8, Stream.CHILD: None}
    return Told(project_id=1, asked_at=SINCE, answered_at=AT, **{"known_newest": known, **fields, **more})


def window(stream: Stream = Stream.DEFAULT, lo: int | None = SINCE) -> Window:
    return Window(stream, lo)


def ids(page: Any) -> list[int] | None:
    return None if page is None else [one["id"] for one in page.rows]


def test_a_seek_shows_what_has_changed_from_its_beginning_on() -> None:
    answer = told(row(8, seconds=10), row(9))
    page = answer.page(windows.seek_params(window()))
    assert page is not None
    assert (ids(page), page.next, page.total, page.server_time) == ([8, 9], None, None, AT)
    assert ids(answer.page(windows.seek_params(window(lo=SINCE + 60_000)))) == [9]
    # A seek from within a second shows those of the whole second: their times have no parts.
    assert ids(answer.page(windows.seek_params(window(lo=SINCE + 60_400)))) == [9]


@pytest.mark.parametrize(
    "answer",
    [
        told(row(9), since=dict.fromkeys(Stream, SINCE + 1)),
        told(row(9), rows={Stream.CHILD: ()}),
    ],
    ids=["looked back less far", "not whole"],
)
def test_a_seek_of_which_not_all_is_told_is_rests(answer: Told) -> None:
    assert answer.page(windows.seek_params(window())) is None


def test_what_looks_back_to_the_beginning_tells_how_many_there_are() -> None:
    page = told(row(8), row(9), since=BEGINNING).page(windows.seek_params(window(lo=None)))
    assert page is not None
    assert (ids(page), page.total) == ([8, 9], 2)
    assert told(row(9)).page(windows.seek_params(window(lo=None))) is None
    children = told().page(windows.seek_params(window(Stream.CHILD, lo=None)))
    assert children is not None
    assert (children.rows, children.total) == ([], 0)


def test_the_newest_are_told_where_each_new_one_was_seen() -> None:
    assert ids(told(row(9)).page(windows.newest_params(window()))) == [9, 8, 3]
    # It has no date, or an old one.
    assert told().page(windows.newest_params(window())) is None


@pytest.mark.parametrize("known", [None, 2])
def test_where_more_may_be_new_rest_goes_on(known: int | None) -> None:
    rows = (row(9), row(8), row(3))
    assert told(*rows, known_newest={Stream.DEFAULT: known}).page(windows.newest_params(window())) is None


def test_counts_are_rests_where_they_were_not_asked_for() -> None:
    assert told().page(windows.undated_params(window())) is None
    for dated in (True, False):
        page = told(counts={Stream.DEFAULT: (3, dated)}).page(windows.undated_params(window()))
        assert page is not None
        assert (page.total, windows.is_dated(page.rows)) == (3, dated)
    assert told(counts={Stream.DEFAULT: (3, True)}).page(windows.undated_params(window(Stream.CHILD))) is None


def test_all_other_lists_are_rests() -> None:
    assert told(since=BEGINNING).page(windows.walk_params(window())) is None
    assert told(since=BEGINNING).page(windows.same_timestamp_params(window())) is None
    assert told(since=BEGINNING).page({"order_by": "updated_at", "sort": "asc", "sha": "a1"}) is None


def test_what_was_stored_since_is_not_taken() -> None:
    details = {number: Detail({"id": number}, frozenset(), has_bridges=False) for number in range(5)}
    answer = told(details=details)
    answer.drop_written({
        1: stored(SINCE - 60_001), 2: stored(SINCE - 60_000 + 1), 3: stored(SINCE + 1), 4: stored(None),
    })  # fmt: skip
    assert set(answer.details) == {0, 1}


def stored(written_at: int | None) -> StoredPipeline:
    return StoredPipeline(
        status="success", updated_at=None, settled=True, digest="d", changed_at=1, first_terminal_status=None,
        first_terminal_at=None, deleted_at_source=None, job_chunks=0, bridge_chunks=0, written_at=written_at,
    )  # fmt: skip
