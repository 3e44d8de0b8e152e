"""Scopes that are not complete, each a row of its own: however many fail, no row grows with them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.storage.ports import Check, Condition, ConditionFailed, Delete, Item, Put, Table
from gitlab_hub.storage.rows import batches, query_all, query_pages
from gitlab_hub.sync.errors import LeaseLost
from gitlab_hub.sync.ports import Scope
from gitlab_hub.sync.run import Run

FAILED, PARTIAL = "failed", "partial"
MOST_TEXT = 500
MOST_ROWS = 20
"""So many rows that cannot be understood are named."""
MOST_ID = 20
_SHOWN = ("status", "code", "hint", "at", "rows")
PAGE = 100


def partition(integration_id: str) -> str:
    """The partition that holds everything small about one integration."""
    return f"INTEGRATION#{integration_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeNote:
    """Why a scope is not complete: `forbidden`, `gone`, `partial` or `failed`, which is tried again from its cursor."""

    stage: str
    key: str
    status: str
    code: str
    hint: str = ""
    rows: tuple[str, ...] = ()
    """Ids of rows that could not be understood; a note names those of the notes before it in this run, too."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    cursor: Any = None
    at: int | None = None
    """When it was found out (unix seconds)."""
    aside: bool = False
    """Whether the run counts as complete all the same; such a scope is not tried again in it."""

    @property
    def resource(self) -> dict[str, Any] | None:
        """What the scope is about, where that is one group or project."""
        if "type" not in self.payload:
            return None
        return {"type": self.payload["type"], "id": self.payload["id"], "full_path": self.payload.get("path")}

    @property
    def scope(self) -> Scope:
        """What to read again."""
        return Scope(self.key, self.payload)


class ScopeNotes:
    """The notes of one run, as its worker writes them: for as long as the run is this worker's. All calls block."""

    def __init__(self, table: Table, run: Run) -> None:
        self._table, self._run = table, run
        self._pk = partition(run.integration_id)

    def note(self, note: ScopeNote) -> None:
        """Remember a scope that is not complete, and why. Raises LeaseLost."""
        row: Item = {"pk": self._pk, "sk": self._sk(note.stage, note.key), "schema_version": 1}
        row |= {"status": note.status, "code": note.code, "hint": note.hint[:MOST_TEXT], "sync_id": self._run.sync_id}
        row |= {"at": note.at, "resource": note.resource, "rows": [name[:MOST_ID] for name in note.rows]}
        if note.status == FAILED and not note.aside:
            row["again"] = json.dumps([dict(note.payload), note.cursor], separators=(",", ":"))
        if note.status in {FAILED, PARTIAL}:
            row = _merged(self._mine(note.stage, note.key), row)
        self._as_worker([Put(row)])

    def drop_failure(self, stage: str, key: str) -> None:
        """Forget that a scope failed: a further try has read it, at least in part. Raises LeaseLost."""
        row = self._mine(stage, key)
        if self._again(row):
            kept = {name: value for name, value in row.items() if name not in {"again", PARTIAL}}
            partial = row.get(PARTIAL)
            self._as_worker([Put(kept | partial) if partial else Delete((row["pk"], row["sk"]))])

    def failed(self, stage: str, after: str | None) -> list[ScopeNote]:
        """Scopes of a stage that failed in this run, behind a key and in order of keys; none at the end."""
        prefix = self._sk(stage, "")
        position = None if after is None else self._sk(stage, after)
        pages = query_pages(self._table, self._pk, prefix=prefix, after=position, limit=PAGE)
        some = (
            [_failed(stage, row["sk"].removeprefix(prefix), row) for row in page if self._again(row)] for page in pages
        )
        return next(filter(None, some), [])

    def clear(self, *, kept: Collection[str] = ()) -> None:
        """Drop the notes of earlier runs: what is still not complete was noted again by this one. Raises LeaseLost.

        `kept`: stages that read nothing in this run, of which the earlier notes still hold.
        """
        others = [row for row in self._others() if str(row["sk"]).split("#", 3)[2] not in kept]
        for portion in batches(Delete((row["pk"], row["sk"])) for row in others):
            self._as_worker(portion)

    def _others(self) -> list[Item]:
        prefix, names = f"SCOPE#{self._run.kind}#", ("pk", "sk", "sync_id")
        rows = query_all(self._table, self._pk, prefix=prefix, attributes=names)
        return [row for row in rows if row["sync_id"] != self._run.sync_id]

    def _again(self, row: Item) -> bool:
        return self._is_mine(row) and _is_open(row)

    def _mine(self, stage: str, key: str) -> Item:
        row = self._table.get(self._pk, self._sk(stage, key)) or {}
        return row if self._is_mine(row) else {}

    def _is_mine(self, row: Item) -> bool:
        return bool(row.get("sync_id") == self._run.sync_id)

    def _sk(self, stage: str, key: str) -> str:
        return f"SCOPE#{self._run.kind}#{stage}#{key}"

    def _as_worker(self, actions: Sequence[Put | Delete]) -> None:
        mine = Condition(equals={"worker": self._run.worker, "sync_id": self._run.sync_id})
        try:
            self._table.transact([Check((self._pk, f"RUN#{self._run.kind}"), mine), *actions])
        except ConditionFailed:
            raise LeaseLost("the run was taken over or deleted") from None


def _is_open(row: Item) -> bool:
    return bool(row.get("status") == FAILED and "again" in row)


def _merged(stored: Item, row: Item) -> Item:
    """A note of a scope with what the one before it in this run says: that it failed, or that a part is unknown.

    It stays failed until a try has read it to its end, and such a try may begin behind the part that is unknown.
    """
    before = stored if stored.get("status") == PARTIAL else stored.get(PARTIAL)
    if row["status"] != PARTIAL:
        return {**row, PARTIAL: _shown(before)} if before else row
    row = _with_rows(row, before or {})
    return {**stored, PARTIAL: _shown(row)} if _is_open(stored) else row


def _shown(row: Item) -> Item:
    return {name: row[name] for name in _SHOWN if name in row}


def _with_rows(row: Item, before: Item) -> Item:
    """A note of a part that is not known, which names the rows of the note before it too, each once."""
    rows = list(dict.fromkeys([*before.get("rows", ()), *row["rows"]]))[: MOST_ROWS + 1]
    if not rows:
        return row
    named = ", ".join(rows[:MOST_ROWS]) + (", …" if rows[MOST_ROWS:] else "")
    reason = f"{row['hint']} Some rows of GitLab's answer could not be parsed and were not updated; their ids: {named}"
    return {**row, "rows": rows, "hint": reason.strip()}


def _failed(stage: str, key: str, row: Item) -> ScopeNote:
    payload, cursor = json.loads(row["again"])
    return ScopeNote(
        stage=stage, key=key, status=FAILED, code=row["code"], hint=row["hint"], payload=payload, cursor=cursor
    )
