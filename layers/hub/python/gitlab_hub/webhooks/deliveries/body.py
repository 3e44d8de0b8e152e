"""Bodies as they are kept: what is needed of them, compressed, and small enough for one row; pure."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.gitlab.webhooks.kept_fields import kept

MAX_PACKED_BYTES = 250_000
"""A row has 400 KB at most. Beside the body, ids of builds are in it: two for each of a thousand triggers at most."""

MAX_BODY_BYTES = 6 * 1024 * 1024
"""Lambda takes no larger event, so no larger body ever arrives."""

_FILE_LISTS = frozenset({"added", "modified", "removed"})
_GZIP = 16 + zlib.MAX_WBITS
_LONGEST_TEXT = 1_000
_LONGEST_LIST = 20
_DEEPEST = 4
_MOST_FIELDS = 40
_LARGE = 200_000
_LARGEST_NUMBER = 2**63


@dataclass(frozen=True, slots=True)
class CompressedBody:
    """A body as it is kept. `truncated`: parts of it were left out."""

    data: bytes = field(repr=False)
    truncated: bool


def compress_body(kind: str, body: Mapping[str, Any]) -> CompressedBody:
    """Compress what is kept of a body of this kind of event, and leave out more and more of it until it fits."""
    whole = kept(kind, body)
    data = _compressed(_dumped(whole))
    if len(data) <= MAX_PACKED_BYTES:
        return CompressedBody(data, truncated=False)
    for smaller in _smaller(whole):
        data = _compressed(_dumped(smaller))
        if len(data) <= MAX_PACKED_BYTES:
            break
    return CompressedBody(data, truncated=True)


def decompress_body(data: bytes) -> dict[str, Any]:
    """Read a kept body. Raises ValueError where it is no object, RecursionError where it is nested without end."""
    text = zlib.decompressobj(wbits=_GZIP).decompress(data, MAX_BODY_BYTES)
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("A kept body is a JSON object.")  # noqa: TRY004 to the reader it is bad data like any other
    return body


def _smaller(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Ever less of a body: no lists of files; no commits; nothing that is long; nothing but plain short fields."""
    commits = body.get("commits")
    if isinstance(commits, list):
        yield body | {"commits": [_without_files(commit) for commit in commits]}
        # The count stays, so that everybody can see that commits are missing.
        body |= {"commits": [], "total_commits_count": body.get("total_commits_count") or len(commits)}
        yield body
    cut = _cut(body, _DEEPEST)
    yield cut
    objects = {name: _plain(value) for name, value in cut.items() if isinstance(value, dict)}
    yield _plain(cut) | dict(list(objects.items())[:_DEEPEST])


def _without_files(commit: Any) -> Any:
    if not isinstance(commit, dict):
        return commit
    return {name: value for name, value in commit.items() if name not in _FILE_LISTS}


def _cut(value: Any, depth: int) -> Any:
    """Keep short texts, the first rows of lists, and few levels: ids and names of a real event survive it."""
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    if isinstance(value, list):
        return [_cut(one, depth - 1) for one in value[:_LONGEST_LIST]] if depth else []
    if isinstance(value, dict):
        return {name[:_LONGEST_TEXT]: _cut(one, depth - 1) for name, one in value.items()} if depth else {}
    return value if not isinstance(value, int) or abs(value) < _LARGEST_NUMBER else None


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    plain = [(name, value) for name, value in body.items() if not isinstance(value, dict | list)]
    return dict(plain[:_MOST_FIELDS])


def _dumped(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _compressed(data: bytes) -> bytes:
    # GitLab waits: what is large is compressed fast rather than well.
    return gzip.compress(data, compresslevel=6 if len(data) < _LARGE else 1, mtime=0)
