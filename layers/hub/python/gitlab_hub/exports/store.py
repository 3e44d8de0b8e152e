"""Exports and their files in the table of integrations.

`EXPORTS#<integration>` has a row for each export, `EXPORT_FILES#<integration>` its files under `<export>#<number>`.
Files are written before the export's row, which makes them visible: only as many as it counts. What is not done yet
also has a row among what is due, so that a tick finds it whatever becomes of its worker.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from gitlab_hub.exports.keys import due_exports, exports_pk, files_pk
from gitlab_hub.exports.model import Asked, Dataset, Export, File, Format, Place, Status
from gitlab_hub.storage.due import AT_ONCE, Due
from gitlab_hub.storage.ports import ABSENT, Check, Item, Put, Table, UnknownSchema
from gitlab_hub.storage.rows import at_version, is_written, item_of, member_of, query_all, value_of

_SCHEMA = 1
_FILES_PAGE = 500


class ExportStore:
    """The exports of every integration. All calls block; a row of a release to come raises UnknownSchema."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.due = due_exports(table)

    def get(self, integration_id: str, export_id: str) -> Export | None:
        """Read one export."""
        row = self._table.get(exports_pk(integration_id), export_id)
        return None if row is None else _export(integration_id, row)

    def of(self, integration_id: str) -> Iterator[Export]:
        """All exports of an integration that are kept, the newest first."""
        rows = query_all(self._table, exports_pk(integration_id), forward=False)
        return (_export(integration_id, row) for row in rows)

    def page(self, integration_id: str, *, after: str | None, limit: int) -> tuple[list[Export], str | None]:
        """List exports, newest first, behind an id; the answer is where to go on, None at the end."""
        rows = self._table.query(exports_pk(integration_id), after=after, limit=limit, forward=False)
        return [_export(integration_id, row) for row in rows.items], rows.last[1] if rows.last else None

    def add(self, export: Export, only_if: Check) -> bool:
        """Write a new export and that it is due; False where it is there already, or `only_if` does not hold."""
        due = self.due.item(Due(subject_of(export), AT_ONCE, export.id))
        return is_written(self._table.transact, [only_if, Put(_row(export), ABSENT), Put(due)])

    def save(self, export: Export) -> bool:
        """Write the next version of an export; False where it is not as it was read."""
        return is_written(self._table.put, _row(export), at_version(export.version - 1))

    def due_for(self, due: Due) -> Export | None:
        """Read what is due; None where it is gone."""
        return self.get(*subject_parts(due.subject))

    def put_files(self, export: Export, files: Iterable[File]) -> None:
        """Write files behind those that the export counts; they show once it counts them too."""
        self._table.write(puts=[_file_row(export, number, file) for number, file in enumerate(files, export.files)])

    def files(self, export: Export, *, first: int = 0, limit: int | None = None) -> Iterator[File]:
        """The files that an export counts, from a number on."""
        last = export.files if limit is None else min(export.files, first + limit)
        if first >= last:
            return
        rows = query_all(
            self._table,
            files_pk(export.asked.integration_id),
            after=_number(export.id, first - 1),
            until=_number(export.id, last - 1),
            limit=_FILES_PAGE,
        )
        yield from (value_of(File, row) for row in rows)

    def delete_files(self, integration_id: str, export_id: str) -> None:
        """Remove what is written of the files of an export, counted or not."""
        rows = query_all(self._table, files_pk(integration_id), prefix=f"{export_id}#", attributes=("pk", "sk"))
        self._table.write(deletes=[(row["pk"], row["sk"]) for row in rows])


def subject_of(export: Export) -> str:
    """The name of an export among what is due."""
    return f"{export.asked.integration_id}#{export.id}"


def subject_parts(subject: str) -> tuple[str, str]:
    """The integration and the export of such a name."""
    integration_id, _, export_id = subject.partition("#")
    return integration_id, export_id


def _row(export: Export) -> Item:
    values = {name: value for name, value in item_of(export).items() if name not in {"id", "asked"}}
    asked = item_of(export.asked)
    asked.pop("integration_id")
    key = {"pk": exports_pk(export.asked.integration_id), "sk": export.id, "schema_version": _SCHEMA}
    return {**key, **values, "asked": asked, "place": asdict(export.place)}


def _export(integration_id: str, row: Item) -> Export:
    if row["schema_version"] > _SCHEMA:
        raise UnknownSchema("This version does not know this export.")
    asked: dict[str, Any] = row["asked"]
    named = {
        "dataset": member_of(Dataset, asked["dataset"]),
        "format": member_of(Format, asked["format"]),
        "integration_id": integration_id,
    }
    export: Export = value_of(Export, {**row, "id": row["sk"], "asked": value_of(Asked, {**asked, **named})})
    return replace(export, status=member_of(Status, row["status"]), place=value_of(Place, row["place"]))


def _file_row(export: Export, number: int, file: File) -> Item:
    key = {"pk": files_pk(export.asked.integration_id), "sk": _number(export.id, number), "schema_version": _SCHEMA}
    return {**key, **asdict(file), "expires_at": export.expires_at}


def _number(export_id: str, number: int) -> str:
    # Nothing lies between an export's id and its first file: it is what the one "before the first" is called.
    return f"{export_id}#{number:06d}" if number >= 0 else f"{export_id}#"
