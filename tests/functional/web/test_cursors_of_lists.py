"""Cursors as a caller may hold them: right, of another list, tampered with."""

import base64

import pytest

from gitlab_hub.web.pagination import Cursors
from tests.functional.web.sample import Sample

NOTES = "/v1/integrations/i1/notes"


@pytest.fixture
def cursor(sample: Sample) -> str:
    for integration in ("i1", "i2"):
        for text in "abc":
            sample.call("POST", f"/v1/integrations/{integration}/notes", {"text": text})
    given: str = sample.call("GET", NOTES, query={"limit": 2})[1]["next_cursor"]
    return given


def test_pages_follow_each_other(sample: Sample, cursor: str) -> None:
    _, page = sample.call("GET", NOTES, query={"limit": 2, "cursor": cursor})
    assert [note["text"] for note in page["notes"]] == ["c"]
    assert page["next_cursor"] is None


def test_a_cursor_of_another_list_is_refused(sample: Sample, cursor: str) -> None:
    assert_refused(sample, "/v1/integrations/i2/notes", {"cursor": cursor})
    assert_refused(sample, NOTES, {"cursor": cursor, "tag": "other"})


def test_a_cursor_of_another_hub_is_refused(sample: Sample, cursor: str) -> None:
    assert_refused(sample, NOTES, {"cursor": Cursors(lambda: b"x" * 32).seal("notes/i1/None", 2)})


def test_no_character_of_a_cursor_can_be_changed(sample: Sample, cursor: str) -> None:
    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        assert_refused(sample, NOTES, {"cursor": cursor[:place] + other + cursor[place + 1 :]})


def test_a_cursor_has_one_spelling(sample: Sample, cursor: str) -> None:
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if last != cursor[-1]:
            assert_refused(sample, NOTES, {"cursor": cursor[:-1] + last})
    assert_refused(sample, NOTES, {"cursor": cursor + "="})


@pytest.mark.parametrize("text", ["", "x", "=", "é", "....", "A" * 200, base64.urlsafe_b64encode(b"0" * 40).decode()])
def test_what_is_no_cursor_is_refused(sample: Sample, text: str) -> None:
    assert_refused(sample, NOTES, {"cursor": text})


def assert_refused(sample: Sample, path: str, query: dict[str, str]) -> None:
    status, body = sample.call("GET", path, query=query)
    assert (status, body["code"]) == (400, "invalid_cursor")
    assert "notes" not in body
