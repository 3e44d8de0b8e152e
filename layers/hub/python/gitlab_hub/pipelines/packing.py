"""Many small rows as few items: compressed JSON, in chunks that a table takes and a reader can bound."""

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from gitlab_hub.storage.table import Item

MAX_CHUNK = 300_000
"""Compressed bytes of a chunk; an item of the table may have 400 KB."""

MAX_RAW = 1_000_000
"""Bytes of a chunk before compression, so that reading one back has a known cost."""


def pack(rows: Sequence[Item]) -> list[bytes]:
    """Pack rows in their order; no rows make no chunk."""
    return [chunk for group in _groups(rows) for chunk in _compressed(group)]


def pack_one(row: Item) -> bytes:
    """Pack a single row."""
    return zlib.compress(_text(row))


def unpack(chunk: bytes) -> Any:
    """Unpack a chunk, refusing one that would unfold to more than was ever packed."""
    inflater = zlib.decompressobj()
    raw = inflater.decompress(chunk, MAX_RAW + 2)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ValueError("a packed chunk is damaged or larger than any chunk written here")
    return json.loads(raw)


def _text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _groups(rows: Sequence[Item]) -> Iterator[list[Item]]:
    group: list[Item] = []
    room = MAX_RAW
    for row in rows:
        size = len(_text(row)) + 1
        if group and size > room:
            yield group
            group, room = [], MAX_RAW
        group.append(row)
        room -= size
    if group:
        yield group


def _compressed(group: list[Item]) -> list[bytes]:
    chunk = zlib.compress(_text(group))
    if len(chunk) <= MAX_CHUNK or len(group) == 1:
        return [chunk]
    half = len(group) // 2
    return _compressed(group[:half]) + _compressed(group[half:])
