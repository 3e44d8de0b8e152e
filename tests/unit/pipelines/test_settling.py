"""When a listed pipeline is read again."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.fields import millis
from gitlab_hub.pipelines.freshness import LATE_MS, StoredPipeline, must_read
from gitlab_hub.pipelines.model import UNKNOWN, identity

AT = 1_800_000_000_000
LISTED = "2026-11-29T10:00:00.123Z"


def known(**changes: Any) -> StoredPipeline:
    told: dict[str, Any] = {
        "status": "success", "updated_at": LISTED, "settled": True, "digest": "", "changed_at": 1,
        "first_terminal_status": None, "first_terminal_at": None, "deleted_at_source": None, "job_chunks": 0,
        "bridge_chunks": 0,
    }  # fmt: skip
    return StoredPipeline(**told | changes)


@pytest.mark.parametrize(
    "spelled",
    [LISTED, "2026-11-29T10:00:00.123+00:00", "2026-11-29T11:00:00.123+01:00", "2026-11-29T10:00:00.123456Z"],
)
def test_another_spelling_of_the_same_moment_is_no_change(spelled: str) -> None:
    assert not must_read({"updated_at": spelled, "status": "success"}, known(), at=AT)


@pytest.mark.parametrize("moment", ["2026-11-29T10:00:00.124Z", None, "soon", 7])
def test_another_moment_or_none_is_a_change(moment: Any) -> None:
    assert must_read({"updated_at": moment, "status": "success"}, known(), at=AT)


@pytest.mark.parametrize(
    ("listed", "stored", "written", "is_read"),
    [
        ("10:00:00Z", "10:00:00Z", 0, False),
        ("10:00:00Z", "10:00:01Z", 0, True),
        # GraphQL has told it, long after that second.
        ("10:00:00.700Z", "10:00:00Z", 0, False),
        # REST has told it: within that second, perhaps, or surely after it.
        ("10:00:00Z", "10:00:00.300Z", 0, True),
        ("10:00:00Z", "10:00:00.300Z", LATE_MS - 1, True),
        ("10:00:00Z", "10:00:00.300Z", LATE_MS, False),
        ("10:00:00Z", "10:00:00.300Z", None, True),
        ("10:00:00.700Z", "10:00:00.300Z", LATE_MS, True),
        ("10:00:00.700Z", "10:00:00.000Z", LATE_MS, True),
        ("10:00:01Z", "10:00:00.300Z", LATE_MS, True),
    ],
)
def test_within_a_second_a_pipeline_may_have_changed_once_more(
    listed: str, stored: str, written: int | None, *, is_read: bool
) -> None:
    day, at = "2026-01-01T", millis(f"2026-01-01T{stored}")
    assert at is not None
    row = {"updated_at": day + listed, "status": "success"}
    before = known(updated_at=day + stored, written_at=None if written is None else at + written)
    assert must_read(row, before, at=AT) is is_read


def test_a_row_without_a_status_is_unknown_and_not_another_each_time() -> None:
    assert not must_read({"updated_at": LISTED, "status": None}, known(status=UNKNOWN), at=AT)
    assert must_read({"updated_at": LISTED, "status": "running"}, known(status=UNKNOWN), at=AT)


@pytest.mark.parametrize("value", [True, "7", 7.0, 0, -1, None, [7]])
def test_what_is_no_whole_number_is_no_id(value: Any) -> None:
    with pytest.raises(UnexpectedResponse):
        identity({"id": value})
