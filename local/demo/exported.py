"""An export in one line: asked for, downloaded by its link, and read as an analyst would."""

import hashlib
import time
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import httpx
from rich.console import Console

from local.demo.hub import Hub
from local.problems import Problem

PATIENCE_SECONDS = 60.0
_COUNTED = "SELECT role, count(*) AS many FROM read_parquet(?) GROUP BY role ORDER BY many DESC, role LIMIT 3"


def show_export(console: Console, hub: Hub, integration_id: str) -> None:
    """Export the direct grants as Parquet, read the files back, and say what is in them."""
    began, path = time.monotonic(), f"/v1/integrations/{integration_id}/exports"
    asked = hub.call("POST", path, {"dataset": "grants", "format": "parquet"}, expected=[HTTPStatus.ACCEPTED])["export"]
    export = _done(hub, f"{path}/{asked['id']}")
    with TemporaryDirectory() as folder:
        files = [_downloaded(file, Path(folder, f"{number}.parquet")) for number, file in enumerate(export["files"])]
        rows = duckdb.execute(_COUNTED, [[str(file) for file in files]]).fetchall()
    console.print(line(export, rows, time.monotonic() - began))


def line(export: dict[str, Any], rows: Iterable[tuple[str, int]], seconds: float) -> str:
    """What came back, in words."""
    found = ", ".join(f"{many} {role}" for role, many in rows)
    size = f"{export['rows']:,} {export['dataset']}, {export['bytes'] / 1000:.0f} KB of {export['format']}"
    return f"Exported in {seconds:.1f} s: {size}; SQL over it says {found}, …"


def _done(hub: Hub, path: str) -> dict[str, Any]:
    """Wait until an export is done. Raises Problem where it is not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        export: dict[str, Any] = hub.call("GET", path)["export"]
        if export["status"] == "failed":
            raise Problem(f"the export failed: {export['error']['hint']}")
        if export["status"] == "done":
            return export
        time.sleep(0.1)
    raise Problem(f"the export was not done within {PATIENCE_SECONDS:.0f} s")


def _downloaded(file: dict[str, Any], target: Path) -> Path:
    content = httpx.get(file["url"], trust_env=False).raise_for_status().content
    if hashlib.sha256(content).hexdigest() != file["sha256"]:
        raise Problem("a file of the export is not what the hub says it is")
    target.write_bytes(content)
    return target
