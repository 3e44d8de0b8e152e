"""Rows as the bytes of one file, in each format; what is held is bytes, and no more of them than a slice has."""

import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from gitlab_hub.csv_lines import csv_line
from gitlab_hub.exports.columns import Column, Row, Type
from gitlab_hub.exports.model import Format
from gitlab_hub.exports.parquet import parquet_of

_GZIP = zlib.MAX_WBITS | 16
_CHUNK = 256_000


class Part(ABC):
    """One file that is being written: rows are added, and at the end its bytes are taken."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self.rows = 0

    @property
    @abstractmethod
    def held(self) -> int:
        """How many bytes are held."""

    def add(self, row: Row) -> None:
        """Add a row."""
        self._take([column.value(row) for column in self._columns])
        self.rows += 1

    @abstractmethod
    def finish(self) -> Iterator[bytes]:
        """Give the file, in parts. Nothing can be added any more."""

    @abstractmethod
    def _take(self, values: Sequence[Any]) -> None: ...


class CsvPart(Part):
    """CSV by RFC 4180 with a line of names, safe to be opened in a spreadsheet."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._text = bytearray(csv_line(column.name for column in columns).encode())

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return len(self._text)

    def finish(self) -> Iterator[bytes]:
        """Give the file."""
        yield from _chunks(self._text)

    def _take(self, values: Sequence[Any]) -> None:
        shown = (
            _json(value) if column.type is Type.JSON and value is not None else value
            for column, value in zip(self._columns, values, strict=True)
        )
        self._text += _encoded(csv_line(shown))


class JsonlPart(Part):
    """One JSON object a line, compressed by gzip; the same rows give the same bytes."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._packer, self._packed = zlib.compressobj(wbits=_GZIP), bytearray()

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return len(self._packed)

    def finish(self) -> Iterator[bytes]:
        """Give the file."""
        self._packed += self._packer.flush()
        yield from _chunks(self._packed)

    def _take(self, values: Sequence[Any]) -> None:
        named = {column.name: value for column, value in zip(self._columns, values, strict=True)}
        self._packed += self._packer.compress(_encoded(f"{_json(named)}\n"))


class ParquetPart(Part):
    """Parquet. The rows wait as lines of JSON, which DuckDB makes the file of."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._lines = bytearray()

    @property
    def held(self) -> int:
        """How many bytes are held."""
        return len(self._lines)

    def finish(self) -> Iterator[bytes]:
        """Give the file. Raises ParquetUnavailable where DuckDB is not there."""
        yield from parquet_of(self._columns, self._lines)

    def _take(self, values: Sequence[Any]) -> None:
        shown = {
            column.name: _json(value) if column.type is Type.JSON and value is not None else value
            for column, value in zip(self._columns, values, strict=True)
        }
        self._lines += _encoded(f"{_json(shown)}\n")


PARTS: dict[Format, type[Part]] = {Format.CSV: CsvPart, Format.JSONL: JsonlPart, Format.PARQUET: ParquetPart}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _encoded(text: str) -> bytes:
    # Half of a surrogate pair has no UTF-8; what is stored has none, and one row must not cost the file.
    return text.encode("utf-8", "replace")


def _chunks(content: bytearray) -> Iterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        yield bytes(content[start : start + _CHUNK])
