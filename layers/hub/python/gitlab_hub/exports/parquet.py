"""Parquet files, by DuckDB: the one module that knows it, loaded by the exporter alone.

DuckDB is told to fetch nothing, to read and write in one folder only, and to hold 256 MB at most; what it needs besides
it lays down in that folder.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gitlab_hub.exports.columns import Column, Type

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
    """The bytes of a Parquet file with the rows that are given as lines of JSON. Raises ParquetUnavailable."""
    try:
        import duckdb  # noqa: PLC0415 - 60 MB that only Parquet needs
    except ImportError:
        raise ParquetUnavailable from None
    with TemporaryDirectory(prefix="export-") as folder:
        source, target = Path(folder, "rows.jsonl"), Path(folder, "rows.parquet")
        source.write_bytes(lines)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "threads": 1,
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        }
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute("SET allowed_directories = [?]", [folder])
            connection.execute("SET enable_external_access = false")
            connection.execute(_copy(columns, source, target))
        with target.open("rb") as written:
            while chunk := written.read(_CHUNK):
                yield chunk


def _copy(columns: Sequence[Column], source: Path, target: Path) -> str:
    """The statement; the names of columns and of the folder are ours, and have nothing in them that ends a quote."""
    named = ", ".join(f"'{column.name}': '{TYPES[column.type]}'" for column in columns)
    read = (
        f"read_json('{source}', format='newline_delimited', maximum_object_size={_LONGEST_LINE}, columns={{{named}}})"
    )
    return f"COPY (SELECT * FROM {read}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608 - see above
