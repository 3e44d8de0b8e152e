"""What makes exports: started when one is asked for, and by a tick for those that were left.

A worker takes an export for as long as it may live itself, and writes it slice by slice: objects, then what is known of
them, then how far it is. One that dies leaves its last slice to the next worker, which writes the same objects anew.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from gitlab_hub.errors import HubError
from gitlab_hub.exports.keys import prefix_of
from gitlab_hub.exports.model import (
    DAY,
    GAVE_UP,
    HINTS,
    MOST_FILES,
    NO_PARQUET,
    TOO_LARGE,
    Dataset,
    Export,
    Status,
    advanced,
    claimed,
    failed,
    finished,
    manifest_key,
    released,
)
from gitlab_hub.exports.parquet import ParquetUnavailable
from gitlab_hub.exports.ports import Source
from gitlab_hub.exports.slices import LEAST_SECONDS, read_slice, write_slice
from gitlab_hub.exports.store import ExportStore, subject_of, subject_parts
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import Objects, UnknownSchema

MOST_AT_ONCE = 2
"""Exports that are made at the same time in the whole hub: a fresh account runs ten functions at once."""

MOST_TRIES = 5
GIVEN_UP_AFTER_SECONDS = DAY
LONGEST_SECONDS = 900
"""How long Lambda lets any function run."""

MARGIN_SECONDS = 30
"""What a worker is believed to live longer than it says: its reserve, and clocks that differ."""

INCIDENT = "export_failed"
_PAGE = 1_000


class Exporter:
    """Makes exports, one after the other. All calls block."""

    def __init__(
        self,
        *,
        store: ExportStore,
        sources: Mapping[Dataset, Source],
        objects: Objects,
        incidents: IncidentStore,
        exists: Callable[[str], bool],
        now: Callable[[], float],
    ) -> None:
        self._store, self._sources, self._objects = store, sources, objects
        self._incidents, self._exists, self._now = incidents, exists, now

    def tick(self, remaining: Callable[[], float]) -> dict[str, int]:
        """Make what is waiting, within `remaining()` seconds; called too often it has no further effect."""
        taken = 0
        while remaining() > LEAST_SECONDS and (export := self._take(remaining)) is not None:
            taken += 1
            try:
                self._carry_on(export, remaining)
            except Exception as error:
                # Whatever it is, the next try need not wait until this worker cannot be alive.
                will_pass = isinstance(error, HubError) and error.retryable
                self._give_back(export, is_clean=False, counts=not will_pass)
                raise
        return {"exports": taken}

    def _take(self, remaining: Callable[[], float]) -> Export | None:
        """Take the export that has waited longest; None where there is none, or enough are being made."""
        now, waiting, held = int(self._now()), dict[str, Export](), set[str]()
        for due, export in self._known():
            integration_id, export_id = subject_parts(due.subject)
            if export is None or not self._exists(integration_id):
                self._sweep(due, integration_id, export_id)
            elif export.status.is_final:
                self._end(export)  # Who wrote that it is over may not have come to tell of it.
            elif export.is_held(now):
                held.add(export.id)
            else:
                waiting[export.id] = export
        for export in sorted(waiting.values(), key=lambda one: (one.created_at, one.id)):
            if len(held) >= MOST_AT_ONCE:
                return None
            if export.tries >= MOST_TRIES or now - export.created_at > GIVEN_UP_AFTER_SECONDS:
                self._fail(export, GAVE_UP)
                continue
            until = now + int(min(remaining(), LONGEST_SECONDS)) + MARGIN_SECONDS
            taken = claimed(export, until=until)
            # Before it is taken: whatever becomes of this worker, a later tick finds it.
            self._store.due.add([Due(subject_of(export), until, export.id)])
            if self._store.save(taken):
                return taken
            held.add(export.id)
        return None

    def _known(self) -> Iterator[tuple[Due, Export | None]]:
        for due in list(self._store.due.every()):
            with suppress(UnknownSchema):  # It waits for the release that knows it.
                yield due, self._store.due_for(due)

    def _carry_on(self, export: Export, remaining: Callable[[], float]) -> None:
        source = self._sources[export.asked.dataset]
        if export.slices == 0 and export.total is None:
            export = replace(export, total=source.total(export.asked))
        while remaining() > LEAST_SECONDS:
            following = self._write_next(export, source, remaining)
            if following is None:
                return
            export = following
        self._give_back(export, is_clean=True, counts=False)

    def _write_next(self, export: Export, source: Source, remaining: Callable[[], float]) -> Export | None:
        """Write one slice; None where that was the last one, or nothing more is to be done."""
        if not self._exists(export.asked.integration_id):
            return None  # Its removal takes the rows and the objects along.
        found = read_slice(export, source, remaining)
        if export.files + len(found.parts) > MOST_FILES:
            self._fail(export, TOO_LARGE)
            return None
        try:
            files = list(write_slice(export, found, self._objects))
        except ParquetUnavailable:
            self._fail(export, NO_PARQUET)
            return None
        self._store.put_files(export, files)
        following = advanced(export, files, place=found.place, done=found.projects)
        if not self._store.save(following):
            return None  # Another worker has it: this one was thought to be dead.
        if not found.is_last:
            return following
        self._finish(following)
        return None

    def _finish(self, export: Export) -> None:
        """Write the list of the files, and that everything is there."""
        if export.was_interrupted:
            self._clear(export)
        written = self._objects.write(manifest_key(export), self._manifest(export), media="application/json")
        done = finished(export, at=int(self._now()), manifest_size=written.size, manifest_sha256=written.sha256)
        if self._store.save(done):
            self._end(done)

    def _manifest(self, export: Export) -> Iterator[bytes]:
        """The list of the files, as JSON; `path` is relative to the list itself."""
        head = {
            "dataset": export.asked.dataset,
            "format": export.asked.format,
            "rows": export.rows,
            "export": export.id,
        }
        yield f'{json.dumps(head)[:-1]}, "files": ['.encode()
        prefix = prefix_of(export.asked.integration_id, export.id)
        for number, file in enumerate(self._store.files(export)):
            told: dict[str, Any] = {"path": file.key.removeprefix(prefix), "rows": file.rows, "bytes": file.size}
            yield (",\n" if number else "\n").encode() + json.dumps({**told, "sha256": file.sha256}).encode()
        yield b"\n]}\n"

    def _clear(self, export: Export) -> None:
        """Remove what workers that died have left and no slice has written again."""
        self._remove(export.asked.integration_id, export.id, but={file.key for file in self._store.files(export)})

    def _sweep(self, due: Due, integration_id: str, export_id: str) -> None:
        """Remove what a worker wrote while the export went away, once that worker cannot be alive any more."""
        if due.at > self._now():
            return
        self._remove(integration_id, export_id)
        self._store.delete_files(integration_id, export_id)
        self._store.due.drop([due])

    def _remove(self, integration_id: str, export_id: str, *, but: Collection[str] = ()) -> None:
        prefix, after = prefix_of(integration_id, export_id), ""
        while keys := self._objects.keys(prefix, limit=_PAGE, after=after):
            self._objects.delete([key for key in keys if key not in but])
            after = keys[-1]

    def _fail(self, export: Export, code: str) -> None:
        """Write that it will not be done, and have a person look."""
        over = failed(export, code, at=int(self._now()))
        if self._store.save(over):
            self._end(over)

    def _end(self, export: Export) -> None:
        """Tell of an export that is over, and have nobody look at it any more; done again it has no other effect.

        One that failed is for a person to look at; one that is done ends the incident about those that were not.
        """
        asked = export.asked
        if export.status is Status.DONE:
            self._incidents.close(INCIDENT, asked.integration_id, str(asked.dataset))
        else:
            self._incidents.open(_incident(export))
        subject = subject_of(export)
        self._store.due.drop([due for due in self._store.due.every() if due.subject == subject])

    def _give_back(self, export: Export, *, is_clean: bool, counts: bool) -> None:
        """Let another worker go on soon; where that cannot be written, one does when this one cannot be alive."""
        with suppress(HubError):
            current = self._store.get(export.asked.integration_id, export.id)
            if current is not None and current.leased_until == export.leased_until and not current.status.is_final:
                self._store.due.add([Due(subject_of(export), int(self._now()), export.id)])
                self._store.save(released(current, is_clean=is_clean, counts=counts))


def _incident(export: Export) -> Incident:
    asked, code = export.asked, export.error or GAVE_UP
    return Incident(
        kind=INCIDENT,
        integration_id=asked.integration_id,
        subject=str(asked.dataset),
        at=export.finished_at or export.created_at,
        hint=HINTS.get(code, ""),
        details={"code": code, "dataset": str(asked.dataset), "format": str(asked.format)},
        revision=export.id,
    )
