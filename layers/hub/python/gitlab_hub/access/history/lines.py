"""A state of access as lines of JSON, compressed: written and read row by row, whatever its size. Pure.

The first line says what the state is of. Each section begins with a line that names it and its fields, and has a line
of values for each row. The last line counts the rows, so that a state without it is not whole.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitlab_hub.access.history.model import SECTIONS
from gitlab_hub.storage.ports import Item, StorageRefused

SCHEMA = 1
MEDIA = "application/gzip"
_GZIP = zlib.MAX_WBITS | 16
_CHUNK = 64_000

DAMAGED = "A snapshot of the access history cannot be read to its end: look at its object in the bucket of exports."


class Writing:
    """Spells one state; how many rows each section has, and their SHA-256, is known at the end."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.hashes: dict[str, str] = {}

    def parts(self, about: Mapping[str, Any], sections: Iterable[tuple[str, Iterable[Item]]]) -> Iterator[bytes]:
        """The compressed bytes, in parts as the rows come; the same state gives the same bytes."""
        packer = zlib.compressobj(wbits=_GZIP)
        for line in self._lines(about, sections):
            if packed := packer.compress(line):
                yield packed
        yield packer.flush()

    def _lines(self, about: Mapping[str, Any], sections: Iterable[tuple[str, Iterable[Item]]]) -> Iterator[bytes]:
        yield _line({"schema": SCHEMA, **about})
        for name, items in sections:
            yield _line({"section": name, "fields": SECTIONS[name]})
            count, digest = 0, hashlib.sha256()
            for item in items:
                line = _line([item.get(field) for field in SECTIONS[name]])
                count += 1
                digest.update(line)
                yield line
            self.rows[name], self.hashes[name] = count, digest.hexdigest()
        yield _line({"end": self.rows})


class Reading:
    """Reads one state back: `about` it first, then its rows."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        """Read the first line. Raises StorageRefused where there is none that this release understands."""
        self._lines = _unpacked(parts)
        self.about: dict[str, Any] = next(self._lines, {})
        if self.about.get("schema") != SCHEMA:
            raise StorageRefused(DAMAGED)

    def rows(self) -> Iterator[tuple[str, Item]]:
        """Every row with its section's name; what is None, or was not kept, is left out.

        Raises StorageRefused at the end of a state that is not whole.
        """
        name, fields, counted, end = "", list[str](), dict[str, int](), None
        for line in self._lines:
            if isinstance(line, list):
                counted[name] += 1
                yield name, {field: value for field, value in zip(fields, line, strict=True) if value is not None}
            elif "section" in line:
                name, fields = line["section"], line["fields"]
                counted[name] = 0
            else:
                end = line["end"]
        if end is None or end != counted:
            raise StorageRefused(DAMAGED)


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _unpacked(parts: Iterable[bytes]) -> Iterator[Any]:
    packer, waiting = zlib.decompressobj(wbits=_GZIP), b""
    try:
        for part in parts:
            left = part
            while left:
                *lines, waiting = (waiting + packer.decompress(left, _CHUNK)).split(b"\n")
                left = packer.unconsumed_tail
                yield from map(json.loads, lines)
        *lines, waiting = (waiting + packer.flush()).split(b"\n")
        yield from map(json.loads, lines)
    except (zlib.error, ValueError):
        raise StorageRefused(DAMAGED) from None
    if not packer.eof or waiting:
        raise StorageRefused(DAMAGED)
