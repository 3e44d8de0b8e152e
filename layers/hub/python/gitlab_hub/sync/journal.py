"""Sharing a run's notes out over rows that a table takes; pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST_BYTES = 300_000
"""Of one row, before it is compressed; an item may have 400 KB. One entry is never larger than half of this."""


def chunked(entries: Mapping[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Share entries out, in their order."""
    chunk: dict[str, list[Any]] = {}
    left = MOST_BYTES
    for name, noted in entries.items():
        for entry in noted:
            size = len(json.dumps(entry)) + len(name)
            if chunk and size > left:
                yield chunk
                chunk, left = {}, MOST_BYTES
            chunk.setdefault(name, []).append(entry)
            left -= size
    if chunk:
        yield chunk
