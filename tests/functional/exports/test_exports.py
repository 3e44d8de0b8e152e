import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.functional.exports.export_hub import NOW, ExportHub

FORMATS = pytest.mark.parametrize("how", ["csv", "jsonl", "parquet"])


@pytest.fixture
def hub() -> ExportHub:
    hub = ExportHub()
    for project in (15, 16):
        hub.project(project)
    hub.project(17)
    hub.pipeline(1, "2026-11-01T10:00:00Z")
    hub.pipeline(2, "2026-11-01T23:59:59.900Z", status="failed", coverage="98.5")
    hub.pipeline(3, "2026-11-02T00:00:00Z", jobs=0)
    hub.pipeline(4, None)
    hub.pipeline(5, "2026-11-02T08:00:00Z", 16, jobs=1)
    return hub


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["id"]) for row in rows]


@FORMATS
def test_pipelines_are_written_by_project_and_day(hub: ExportHub, how: str, tmp_path: Path) -> None:
    export = hub.made("pipelines", how)
    ending = {"csv": "csv", "jsonl": "jsonl.gz", "parquet": "parquet"}[how]
    assert [file["path"] for file in export["files"]] == [
        f"dataset=pipelines/project=15/day=2026-11-01/part-000000.{ending}",
        f"dataset=pipelines/project=15/day=2026-11-02/part-000000.{ending}",
        f"dataset=pipelines/project=15/day=undated/part-000000.{ending}",
        f"dataset=pipelines/project=16/day=2026-11-02/part-000000.{ending}",
    ]
    assert (export["status"], export["rows"], export["file_count"]) == ("done", 5, 4)
    assert export["progress"] == {"done": 3, "total": 3}
    rows = hub.read(export, tmp_path)
    assert ids(rows) == [1, 2, 3, 4, 5]
    assert [row["project_path"] for row in rows] == ["acme/p15"] * 4 + ["acme/p16"]


@FORMATS
def test_jobs_lie_with_their_pipelines(hub: ExportHub, how: str, tmp_path: Path) -> None:
    export = hub.made("jobs", how)
    assert ids(hub.read(export, tmp_path)) == [101, 100, 201, 200, 401, 400, 500]
    assert [file["rows"] for file in export["files"]] == [4, 2, 1]


@FORMATS
def test_files_are_told_of_as_they_are(hub: ExportHub, how: str, tmp_path: Path) -> None:
    export = hub.made("pipelines", how)
    for file in export["files"]:
        content = hub.content(export, file)
        assert (file["bytes"], file["sha256"]) == (len(content), sha256(content).hexdigest())
    assert export["bytes"] == sum(file["bytes"] for file in export["files"])
    key = f"exports/i1/{export['id']}/manifest.json"
    manifest = hub.bucket.dump()[key]
    assert (export["manifest"]["bytes"], export["manifest"]["sha256"]) == (len(manifest), sha256(manifest).hexdigest())
    told = json.loads(manifest)
    assert (told["dataset"], told["format"], told["rows"]) == ("pipelines", how, 5)
    shown = [{name: file[name] for name in ("path", "rows", "bytes", "sha256")} for file in export["files"]]
    assert told["files"] == shown


def test_it_is_queued_first_and_has_no_files_before_it_is_done(hub: ExportHub) -> None:
    export_id = hub.ask()
    assert hub.function.started == 1
    export = hub.show(export_id)
    assert (export["status"], export["files"], export["manifest"]) == ("queued", [], None)
    assert export["expires_at"] == NOW + 30 * 86_400


def test_fewer_days_hold_for_exports_that_are_there_as_they_do_for_their_objects(hub: ExportHub) -> None:
    made = hub.made("pipelines", "csv")
    hub.deploy(kept_days=7)
    hub.now = made["created_at"] + 7 * 86_400 - 60
    assert hub.show(made["id"])["expires_at"] == made["created_at"] + 7 * 86_400
    hub.deploy(kept_days=400)
    assert hub.show(made["id"])["expires_at"] == made["expires_at"], "its row ends then, whatever S3 keeps"
    hub.deploy(kept_days=7)
    hub.now += 60
    assert hub.call("GET", f"/{made['id']}")[0] == 404
    assert hub.call("GET", "")[1]["exports"] == []


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"from": "2026-11-02"}, [3, 5]),
        ({"to": "2026-11-01"}, [1, 2]),
        ({"from": "2026-11-01", "to": "2026-11-02"}, [1, 2, 3, 5]),
        ({"from": NOW - 29 * 86_400 + 36_001}, [2, 3, 5]),
        ({"from": "2026-11-01T10:00:01Z", "to": "2026-11-02T08:00:00Z"}, [2, 3]),
        ({"project_id": 16}, [5]),
        ({"project_id": 99}, []),
    ],
)
def test_what_is_asked_for_is_written(hub: ExportHub, more: Any, wanted: list[int], tmp_path: Path) -> None:
    assert ids(hub.read(hub.made("pipelines", "jsonl", **more), tmp_path)) == wanted


def test_late_rows_of_a_day_are_in_the_next_export_and_the_one_before_stays(hub: ExportHub, tmp_path: Path) -> None:
    first = hub.made("pipelines", "jsonl", project_id=16)
    hub.pipeline(6, "2026-11-02T07:00:00Z", 16)
    second = hub.made("pipelines", "jsonl", project_id=16)
    assert ids(hub.read(second, tmp_path)) == [5, 6]
    assert ids(hub.read(hub.show(first["id"]), tmp_path)) == [5]
    (file,) = hub.show(first["id"])["files"]
    assert file["sha256"] == sha256(hub.content(first, file)).hexdigest()


def test_jobs_outside_of_the_range_are_not_read(hub: ExportHub) -> None:
    def read(dataset: str) -> int:
        before = hub.pipelines.bill["items"]
        assert hub.made(dataset, "csv", **{"from": "2026-11-02", "to": "2026-11-02"})["rows"] > 0
        return hub.pipelines.bill["items"] - before

    # Of that day's pipelines one has jobs, in one chunk.
    assert read("jobs") == read("pipelines") + 1
