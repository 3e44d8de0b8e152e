"""Exports of a deployed hub: asked for, made by the exporter, downloaded by their links, read by DuckDB."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pytest

from tests.end_to_end.hub_client import Hub, until

SQL = """
SELECT count(*),
       count(*) FILTER (first_terminal_status = 'success'), count(*) FILTER (first_terminal_status = 'failed'),
       quantile_cont(duration, 0.95) FILTER (status IN ('success', 'failed', 'canceled', 'skipped'))
FROM read_parquet(?, hive_partitioning = true)
"""
READERS = {
    "csv": "read_csv(?, header = true)",
    "jsonl": "read_json(?, format = 'newline_delimited')",
    "parquet": "read_parquet(?)",
}


def exported(hub: Hub, one: str, dataset: str, how: str, **more: Any) -> dict[str, Any]:
    """Ask for an export, and give it once it is done."""
    answer = hub.call("POST", f"{one}/exports", {"dataset": dataset, "format": how, **more})
    assert answer.status == 202, answer
    path = f"{one}/exports/{answer.body['export']['id']}"
    until(lambda: hub.get(path)["export"]["status"] in {"done", "failed"}, pause=0.3)
    export: dict[str, Any] = hub.get(path)["export"]
    assert export["status"] == "done", export
    return export


def downloaded(hub: Hub, one: str, export: dict[str, Any], folder: Path) -> list[str]:
    """Every file of an export, in the folders that their paths name.

    The functions of these tests reach the emulator by way of a recorder, and a link is good for the address alone that
    it was signed for; `make local` has no recorder, and `tests/integration/storage/test_objects.py` follows a link.
    """
    bucket, prefix = hub.stack.resources["ExportsBucket"], f"exports/{one.rpartition('/')[2]}/{export['id']}/"
    found = []
    for file in export["files"]:
        assert f"{bucket}/{prefix}" in unquote(file["url"])
        assert "X-Amz-Expires=900" in file["url"]
        content = hub.stack.client("s3").get_object(Bucket=bucket, Key=prefix + file["path"])["Body"].read()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
        target = folder / file["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        found.append(str(target))
    return found


def test_sql_over_pipelines_in_parquet_says_what_the_figures_say(hub: Hub, one: str, tmp_path: Path) -> None:
    export = exported(hub, one, "pipelines", "parquet")
    pipelines = hub.rows(f"{one}/pipelines")
    moments = [row["created_at"] for row in pipelines]
    first = max(min(moments), max(moments) - 399 * 86_400)
    files = downloaded(hub, one, export, tmp_path)
    with duckdb.connect(":memory:") as connection:
        (everything, *_) = connection.execute(SQL, [files]).fetchone() or ()
        assert everything == export["rows"] == len(pipelines)
        within = SQL + f"WHERE epoch(day::DATE) >= {first // 86_400 * 86_400}"  # the range's whole days
        count, succeeded, failed, p95 = connection.execute(within, [files]).fetchone() or ()
    summary = hub.get(f"{one}/analytics/summary", **{"from": first, "to": max(moments) + 1})
    assert summary["pipelines"] == count
    assert (summary["by_status"]["success"], summary["by_status"]["failed"]) == (succeeded, failed)
    assert summary["duration"]["p95"] == pytest.approx(p95, rel=0.01)


@pytest.mark.parametrize(
    ("dataset", "how", "what"),
    [
        ("jobs", "jsonl", "jobs"),
        ("accounts", "csv", "accounts"),
        ("grants", "parquet", "grants"),
        ("changes", "csv", "changes"),
        ("gitlab_credentials", "csv", "gitlab-credentials"),
    ],
)
def test_an_export_has_as_many_rows_as_the_list(
    hub: Hub, one: str, dataset: str, how: str, what: str, tmp_path: Path
) -> None:
    export = exported(hub, one, dataset, how)
    for file, path in zip(export["files"], downloaded(hub, one, export, tmp_path), strict=True):
        with duckdb.connect(":memory:") as connection:
            (rows,) = connection.execute(f"SELECT count(*) FROM {READERS[how]}", [path]).fetchone() or ()  # noqa: S608
        assert rows == file["rows"]
    assert export["rows"] == len(listed(hub, f"{one}/{what}", dataset))


def listed(hub: Hub, path: str, plural: str) -> list[Any]:
    """All rows of a list."""
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = hub.get(path, **query)
        found += page[plural]
        if page["next_cursor"] is None:
            return found
        query = {"limit": 200, "cursor": page["next_cursor"]}


def test_exports_are_listed_and_none_is_anybody_elses(hub: Hub, one: str) -> None:
    exports = listed(hub, f"{one}/exports", "exports")
    assert exports
    assert hub.call("GET", f"/v1/integrations/int_unknown/exports/{exports[0]['id']}").refusal == (404, "not_found")
