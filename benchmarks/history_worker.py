"""Keeps the history of a large estate (that of `effective_worker`): `python -m benchmarks.history_worker STEP FOLDER`.

The bucket is a folder. The step `store` writes the estate and names the folder, the others print what they took.
"""

import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.effective_worker import ONE, Estate
from benchmarks.quiet import logging_to_nowhere
from gitlab_hub.access.history.capture import SnapshotJob
from gitlab_hub.access.history.files import FileJob
from gitlab_hub.access.history.population import population_csv
from gitlab_hub.access.history.reader import File, FileStore, HistoryReader
from gitlab_hub.access.history.store import SnapshotStore
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import is_live
from gitlab_hub.storage.dynamodb import DynamoTable
from gitlab_hub.storage.ports import Written
from gitlab_hub.sync.due import due_snapshots
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore

NOW = 1_790_000_000.0
GROUP = 1


class FolderObjects:
    """A bucket that is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, key: str, parts: Iterable[bytes], *, media: str) -> Written:  # noqa: ARG002 - a file has none
        """Write a file."""
        path, size, digest = self._folder / key, 0, hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            for part in parts:
                size += out.write(part)
                digest.update(part)
        return Written(size, digest.hexdigest())

    def read(self, key: str) -> Iterator[bytes]:
        """Read a file."""
        with (self._folder / key).open("rb") as content:
            while part := content.read(256_000):
                yield part

    def keys(self, prefix: str, *, limit: int = 1_000, after: str = "") -> list[str]:
        """The files of a folder."""
        found = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())
        return sorted(key for key in found if key.startswith(prefix) and key > after)[:limit]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files."""
        for key in keys:
            (self._folder / key).unlink(missing_ok=True)

    def link(self, key: str, *, filename: str, seconds: int) -> str:
        """Nobody asks."""
        raise NotImplementedError


def store(share: float) -> str:
    """Store the estate, and a run that has ended well."""
    DynamoTable("access").write(Estate(share).items())
    ended = Run(integration_id=ONE, kind=Kind.ACCESS, sync_id="s1", status=RunStatus.IDLE, finished_at=int(NOW))
    RunStore(DynamoTable("integrations")).save(ended)
    return tempfile.mkdtemp()


def steps(folder: Path) -> dict[str, Callable[[], tuple[float, int]]]:
    """What can be measured: each gives how many bytes it wrote, and how many rows."""
    table, state, objects = DynamoTable("access"), DynamoTable("integrations"), FolderObjects(folder)
    reader, files = HistoryReader(table, objects, now=lambda: NOW), FileStore(table)

    def snapshot() -> tuple[float, int]:
        SnapshotJob(
            table=table,
            runs=RunStore(state),
            scopes=ScopeList(state),
            objects=objects,
            due=due_snapshots(state),
            incidents=IncidentStore(state, lambda: NOW, is_live),
            exists=lambda _: True,
            now=lambda: NOW,
            new_id=lambda: "w1",
        ).handle({"snapshot": ONE, "at": 0, "mark": "s1"}, remaining=lambda: 300.0)
        kept = SnapshotStore(table).newest(ONE)
        assert kept is not None
        return kept.size, sum(kept.rows.values())

    def review(group_id: int | None) -> tuple[float, int]:
        wanted = reader.wanted(ONE, None, group_id)
        files.put(wanted, File(asked_at=int(NOW)))
        job = FileJob(reader=reader, files=files, objects=objects, exists=lambda _: True, now=lambda: NOW)
        job.handle({"file": asdict(wanted)}, remaining=lambda: 300.0)
        made = files.get(wanted)
        assert made is not None
        with (folder / wanted.key).open("rb") as written:
            return made.size, sum(1 for _ in written) - 1

    def population() -> tuple[float, int]:
        text = population_csv(ONE, reader.snapshot(ONE, None))
        return len(text), text.count("\n") - 1

    return {
        "snapshot": snapshot,
        "access-review.csv": lambda: review(None),
        "one group": lambda: review(GROUP),
        "population.csv": population,
    }


def main(step: str, given: str) -> Any:
    """Do one step."""
    if step == "store":
        return store(float(given))
    measured, before, start, used = steps(Path(given))[step], _memory(), time.perf_counter(), time.process_time()
    size, rows = measured()
    taken = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - used}
    return {**taken, "mb": size / 1e6, "peak": _memory() - before, "rows": rows}


def _memory() -> float:
    """The most that this process has held so far, in MB (Linux counts in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


if __name__ == "__main__":
    with logging_to_nowhere():
        answer = main(sys.argv[1], sys.argv[2])
    print(json.dumps(answer))
