"""What DuckDB may do while it writes Parquet: touch its own folder, fetch nothing, hold little."""

import sys
from pathlib import Path

import duckdb
import pytest

from gitlab_hub.exports import parquet
from gitlab_hub.exports.columns import COLUMNS
from gitlab_hub.exports.model import Dataset
from tests.functional.exports.export_hub import ExportHub


def test_it_reads_and_writes_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    _, connection = parquet._workshop()
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for statement in (
        f"FROM read_csv('{secret}')",
        f"COPY (SELECT 1) TO '{tmp_path}/x.parquet' (FORMAT parquet)",
        "INSTALL httpfs",
        "SELECT * FROM read_csv('https://example.com/x.csv')",
        "SET enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)


def test_it_holds_little_and_leaves_nothing_behind() -> None:
    folder, connection = parquet._workshop()
    (limit,) = connection.execute("SELECT current_setting('memory_limit')").fetchone() or ()
    assert limit == "244.1 MiB"
    assert b"".join(parquet.parquet_of(COLUMNS[Dataset.ACCOUNTS], b'{"id": 1}\n')).startswith(b"PAR1")
    assert list(Path(folder.name).glob("rows.*")) == []


def test_an_exporter_without_its_layer_says_so_and_makes_other_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ExportHub()
    monkeypatch.setattr(parquet, "_workshop", parquet._workshop.__wrapped__)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    export = hub.made("accounts", "parquet")
    assert (export["status"], export["error"]["code"]) == ("failed", "parquet_unavailable")
    assert hub.made("accounts", "csv")["status"] == "done"
