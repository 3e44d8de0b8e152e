import math
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.pipelines.model import bridge_of, job_of, pipeline_of
from gitlab_hub.storage.ports import Item
from gitlab_hub.storage.rows import content_hash

DETAIL = {"id": 5, "status": "success", "tag": True, "coverage": "90.1", "duration": 3, "project_id": 99, "secret": 1}


def test_a_pipeline_keeps_the_named_fields_only_and_the_project_it_was_read_from() -> None:
    kept = pipeline_of(DETAIL, 7)
    assert (kept["id"], kept["project_id"], kept["tag"], kept["coverage"], kept["duration"]) == (5, 7, True, "90.1", 3)
    assert "secret" not in kept


@pytest.mark.parametrize("body", [None, [], "x", {}, {"id": "5"}, {"id": 0}, {"id": 10**12}, {"id": None}])
def test_what_is_no_pipeline_is_no_answer(body: Any) -> None:
    with pytest.raises(UnexpectedResponse):
        pipeline_of(body, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("duration", math.inf), ("duration", True), ("name", 5), ("name", {"a": 1}), ("allow_failure", 1), ("user", "x")],
)
def test_a_field_of_another_type_counts_as_missing(name: str, value: Any) -> None:
    assert job_of({"id": 1, name: value})[name] is None


def test_texts_are_bounded_and_can_be_stored() -> None:
    kept = job_of({"id": 1, "name": "x" * 5000, "stage": "\ud800", "tag_list": ["a", 1, "b"] * 40})
    assert (len(kept["name"]), kept["stage"], len(kept["tag_list"])) == (1024, "?", 33)
    assert content_hash(kept)


@pytest.mark.parametrize(
    ("started", "kept"),
    [
        ({"id": 2, "project_id": 3, "status": "success", "token": "t"}, (2, 3)),
        ({"id": 2, "status": "success"}, None),
        (None, None),
        ("2", None),
    ],
)
def test_a_bridge_keeps_the_pipeline_it_started_if_that_can_be_found(started: Any, kept: Any) -> None:
    found: Item | None = bridge_of({"id": 1, "downstream_pipeline": started})["downstream_pipeline"]
    assert (None if found is None else (found["id"], found["project_id"])) == kept
    assert found is None or "token" not in found
