"""Parquet files, by DuckDB: the one module that knows it, loaded by the exporter alone.

DuckDB is told to fetch nothing, to read and write in one folder only, and to hold 256 MB at most; what it needs besides
it lays down in that folder. It is opened once per process: that takes longer than a small file does.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gitlab_hub.exports.columns import Column, Type

if TYPE_CHECKING:
    import duckdb

_CHUNK = 256_000
_MEMORY = "256MB"
_LONGEST_LINE = 16_000_000
"""Bytes of a row as JSON; an item of the table, unpacked, has a tenth of that."""

TYPES = {
    Type.TEXT: "VARCHAR",
    Type.WHOLE: "BIGINT",
    Type.NUMBER: "DOUBLE",
    Type.FLAG: "BOOLEAN",
    Type.TIME: "BIGINT",
    Type.JSON: "VARCHAR",
}
"""What DuckDB, and Parquet, call the types of columns."""


class ParquetUnavailable(Exception):
    """The function has no DuckDB in its layers."""


def parquet_of(columns: Sequence[Column], lines: bytes | bytearray) -> Iterator[bytes]:
    """The bytes of a Parquet file with the rows that are given as lines of JSON. Raises ParquetUnavailable.

    One file at a time: it is to be taken whole before the next one is asked for.
    """
    folder, connection = _workshop()
    source, target = Path(folder.name, "rows.jsonl"), Path(folder.name, "rows.parquet")
    try:
        source.write_bytes(lines)
        named = {column.name: TYPES[column.type] for column in columns}
        rows = connection.read_json(
            str(source), format="newline_delimited", maximum_object_size=_LONGEST_LINE, columns=named
        )
        rows.write_parquet(str(target), compression="zstd")
        with target.open("rb") as written:
            while chunk := written.read(_CHUNK):
                yield chunk
    finally:
        source.unlink(missing_ok=True)
        target.unlink(missing_ok=True)


@cache
def _workshop() -> "tuple[TemporaryDirectory[str], duckdb.DuckDBPyConnection]":
    """A folder, and a DuckDB that reaches nothing else."""
    try:
        import duckdb  # noqa: PLC0415 - 60 MB that only Parquet needs
    except ImportError:
        raise ParquetUnavailable from None
    folder = TemporaryDirectory(prefix="export-")
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": 1,
        "temp_directory": folder.name,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": True,
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET allowed_directories = [?]", [folder.name])
    connection.execute("SET enable_external_access = false")
    return folder, connection
