"""What a file holds: the same rows give the same bytes, and no text breaks a file."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gitlab_hub.exports.columns import COLUMNS, Column, Type
from gitlab_hub.exports.model import Dataset, Format
from gitlab_hub.exports.writers import PARTS

COLUMN = (Column("id", Type.WHOLE, ""), Column("name", Type.TEXT, ""), Column("tags", Type.JSON, ""))
HALF = {"id": 1, "name": "half \ud83d of a pair", "tags": ["\udc00"]}


def written(how: Format, *rows: dict[str, Any], columns: tuple[Column, ...] = COLUMN) -> bytes:
    part = PARTS[how](columns)
    for row in rows:
        part.add(row)
    assert part.rows == len(rows)
    return b"".join(part.finish())


def of_parquet(content: bytes, folder: Path) -> tuple[object, ...]:
    path = folder / "x.parquet"
    path.write_bytes(content)
    with duckdb.connect(":memory:") as connection:
        return connection.execute("FROM read_parquet(?)", [str(path)]).fetchone() or ()


def test_half_of_a_surrogate_pair_costs_a_letter_and_not_the_file(tmp_path: Path) -> None:
    assert written(Format.CSV, HALF).splitlines()[1] == b'1,half ? of a pair,"[""?""]"'
    assert gzip.decompress(written(Format.JSONL, HALF)) == b'{"id":1,"name":"half ? of a pair","tags":["?"]}\n'
    assert of_parquet(written(Format.PARQUET, HALF), tmp_path) == (1, "half ? of a pair", '["?"]')


@pytest.mark.parametrize("how", [Format.CSV, Format.JSONL, Format.PARQUET])
def test_the_same_rows_give_the_same_bytes(how: Format) -> None:
    rows = [{"id": number, "name": "x", "tags": None} for number in range(100)]
    assert written(how, *rows) == written(how, *rows)


def test_ids_and_times_stay_whole_numbers_however_large(tmp_path: Path) -> None:
    row = {"id": 2**53 + 1, "name": None, "tags": None}
    assert of_parquet(written(Format.PARQUET, row), tmp_path) == (2**53 + 1, None, None)
    assert b"9007199254740993,," in written(Format.CSV, row)


@pytest.mark.parametrize(
    ("value", "wanted"), [("2026-11-30T00:00:00.9Z", 1_795_996_800), (5, 5), (None, None), ("x", None)]
)
def test_a_time_is_unix_seconds_however_it_is_stored(value: object, wanted: int | None) -> None:
    read: Callable[[dict[str, Any]], object] = Column("created_at", Type.TIME, "").value
    assert read({"created_at": value}) == wanted


@pytest.mark.parametrize("dataset", list(Dataset))
def test_no_column_is_named_twice_or_needs_quotes(dataset: Dataset) -> None:
    names = [column.name for column in COLUMNS[dataset]]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() and column.meaning
               for name, column in zip(names, COLUMNS[dataset], strict=True))  # fmt: skip
