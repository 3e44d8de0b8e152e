"""When a listed pipeline is read again."""

from typing import Any

import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.pipelines.freshness import StoredPipeline, must_read
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


def test_a_row_without_a_status_is_unknown_and_not_another_each_time() -> None:
    assert not must_read({"updated_at": LISTED, "status": None}, known(status=UNKNOWN), at=AT)
    assert must_read({"updated_at": LISTED, "status": "running"}, known(status=UNKNOWN), at=AT)


@pytest.mark.parametrize("value", [True, "7", 7.0, 0, -1, None, [7]])
def test_what_is_no_whole_number_is_no_id(value: Any) -> None:
    with pytest.raises(UnexpectedResponse):
        identity({"id": value})
