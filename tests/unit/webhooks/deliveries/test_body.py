import base64
import gzip
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.webhooks.deliveries.body import MAX_BODY_BYTES, MAX_PACKED_BYTES, compress_body, decompress_body

# Texts that do not compress, made the same every time.
_DICE = random.Random(1)  # noqa: S311 no secret


def noise(length: int) -> str:
    return base64.b64encode(_DICE.randbytes(length))[:length].decode()


BIG = noise(600_000)


def compressed(body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    found = compress_body(parse("", body).kind, body)
    assert len(found.data) <= MAX_PACKED_BYTES
    return decompress_body(found.data), found.truncated


def commit(number: int, **lists: list[str]) -> dict[str, Any]:
    return {"id": f"c{number}", "message": "m", **lists}


def push(**more: Any) -> dict[str, Any]:
    return {"object_kind": "push", "project_id": 1, "ref": "refs/heads/a", "checkout_sha": "c1", **more}


def test_a_body_that_fits_keeps_its_values() -> None:
    body = {"object_kind": "push", "ref": "refs/heads/\u00fc", "project_id": 1, "after": None}
    assert compressed(body) == (body, False)


def test_a_body_of_many_bytes_that_compresses_is_kept_whole() -> None:
    body = push(commits=[commit(1, added=["x" * 3_000_000], removed=[])])
    assert compressed(body) == (body, False)


def test_first_the_lists_of_files_go() -> None:
    body = push(commits=[commit(1, added=[noise(700_000)], modified=[], removed=[])], total_commits_count=1)
    kept, truncated = compressed(body)
    assert (kept["commits"], truncated) == ([commit(1)], True)
    event = parse("Push Hook", kept)
    assert [one.paths for one in event.commits] == [()]


@pytest.mark.parametrize("total", [{}, {"total_commits_count": 90}])
def test_then_the_commits_go_and_their_number_stays(total: dict[str, int]) -> None:
    body = push(commits=[{"id": "c1", "message": noise(700_000)}, "nonsense"], **total)
    kept, truncated = compressed(body)
    assert (kept["commits"], kept["total_commits_count"], truncated) == ([], 90 if total else 1, True)
    event = parse("Push Hook", kept)
    assert (event.ref, event.sha) == ("a", "c1")


def test_then_long_texts_are_cut() -> None:
    attributes = {"iid": 3, "title": noise(700_000), "source_branch": "a", "target_project_id": 1}
    kept, truncated = compressed(
        {"object_kind": "merge_request", "object_attributes": attributes, "labels": [{"title": "x"}]}
    )
    event = parse("Merge Request Hook", kept)
    assert truncated
    assert event.merge_request is not None
    assert (event.merge_request.iid, event.merge_request.labels, event.ref) == (3, ("x",), "a")


def test_at_last_only_plain_fields_are_left() -> None:
    labels = [{"title": noise(60_000)} for _ in range(20)]
    attributes = {"iid": 4, "labels": labels, "last_commit": {"id": "c1", "message": noise(600_000)}, "title": "t"}
    changes = {"labels": {"previous": labels, "current": labels}, "title": {"previous": noise(600_000)}}
    body = {"object_kind": "merge_request", "object_attributes": attributes, "project": {"id": 5}}
    kept, truncated = compressed(body | {"labels": labels, "changes": changes})
    event = parse("Merge Request Hook", kept)
    assert (truncated, event.kind, event.project_id) == (True, "merge_request", 5)
    assert event.merge_request is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["commits", "object_attributes", "project"]) | st.text(max_size=5)
BODIES = st.dictionaries(NAMES, JSON, max_size=5)


@settings(deadline=None, max_examples=50)
@given(body=BODIES)
def test_any_object_can_be_kept_and_read_again(body: dict[str, Any]) -> None:
    assert isinstance(compressed(body)[0], dict)


@settings(deadline=None, max_examples=8)
@given(body=BODIES)
def test_any_object_can_be_made_to_fit(body: dict[str, Any]) -> None:
    assert compressed(body | {"object_kind": "push", "ref": BIG})[1] is True


def test_what_is_kept_does_not_unpack_without_end() -> None:
    bomb = gzip.compress(b'{"a":"' + b"x" * (MAX_BODY_BYTES + 10) + b'"}')
    with pytest.raises(ValueError, match="Unterminated"):
        decompress_body(bomb)


def test_a_kept_body_is_an_object() -> None:
    with pytest.raises(ValueError, match="object"):
        decompress_body(gzip.compress(b"[]"))
