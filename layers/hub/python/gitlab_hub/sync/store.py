"""Runs and their journals in the integrations table."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from gitlab_hub.storage.due import DueRows
from gitlab_hub.storage.ports import Item, Put, Table
from gitlab_hub.storage.rows import at_version, query_all
from gitlab_hub.sync.due import due_row, due_runs
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.history import History, history_item
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import LONGEST_RUN_SECONDS, Checkpoint, Run, RunStatus
from gitlab_hub.sync.scope_list import ListedScope, ScopeList
from gitlab_hub.sync.scope_notes import ScopeNotes, partition

JOURNAL_TTL_SECONDS = LONGEST_RUN_SECONDS + 86_400
"""From a row's writing. None goes earlier (DynamoDB developer guide, "Using time to live (TTL)"), so a run that may be
carried on has its whole journal; the day is for the length of a slice and for clocks that differ."""
SCHEMA_VERSION = 1
PACKED_FROM = 1_000
"""Characters from which a checkpoint is compressed: it is written every few seconds, and each kilobyte costs."""
_RUN = frozenset(field.name for field in fields(Run))
_CHECKPOINT = frozenset(field.name for field in fields(Checkpoint))


class RunStore:
    """The runs of all integrations; every change is a compare-and-set on the run's version."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, integration_id: str, kind: Kind) -> Run:
        """The run of a kind; a fresh one at rest where there was none. Raises UnreadableRun."""
        item = self._table.get(partition(integration_id), f"RUN#{kind}")
        return _run_of(item) if item else Run(integration_id=integration_id, kind=kind)

    def load_many(self, integration_ids: Sequence[str], kind: Kind) -> dict[str, Run | UnreadableRun]:
        """The runs of a kind of many integrations, read together; one that cannot be read is the reason why not."""
        items = self._table.get_many([(partition(one), f"RUN#{kind}") for one in integration_ids])
        stored = {str(item["pk"]): item for item in items}
        return {one: _run_or_reason(stored.get(partition(one)), one, kind) for one in integration_ids}

    def save(self, run: Run) -> Run:
        """Write the next version of a run and return it. Raises ConditionFailed where it changed meanwhile."""
        following = replace(run, version=run.version + 1)
        self._table.put(_item_of(following), at_version(run.version))
        return following

    def save_all(self, runs: list[Run]) -> list[Run]:
        """Write the next version of several runs that are under way, all or none, and when a tick has to look at them.

        For those that need a look earlier than before: queued ones, and those left to the tick. Raises ConditionFailed.
        """
        following = [replace(run, version=run.version + 1) for run in runs]
        changes = [Put(_item_of(run), at_version(run.version - 1)) for run in following]
        next_checks = [Put(due_runs(self._table, run.kind).item(due_row(run))) for run in following]
        self._table.transact([*changes, *next_checks])
        return following

    def due(self, kind: Kind) -> DueRows:
        """Which runs of a kind are to be looked at, and when."""
        return due_runs(self._table, kind)

    def end(self, run: Run) -> Run:
        """Write the end of a run, and keep it among those that have ended. Raises ConditionFailed."""
        ended = replace(run, version=run.version + 1)
        self._table.transact([Put(_item_of(ended), at_version(run.version)), Put(history_item(ended))])
        return ended

    def delete(self, integration_id: str) -> None:
        """Remove all runs of an integration with their notes; workers lose their lease at the next step."""
        rows = list(query_all(self._table, partition(integration_id), prefix="RUN#"))
        for prefix in ("RUN#", "SCOPE#"):
            self._drop(partition(integration_id), prefix)
        for item in rows:
            self._drop(f"JOURNAL#{integration_id}#{item['kind']}#{item['sync_id']}")

    def clear_away(self, run: Run) -> None:
        """Remove what a worker noted after its run was deleted; where another worker has the run, nothing."""
        if self.load(run.integration_id, run.kind).sync_id == run.sync_id:
            return
        notes = query_all(self._table, partition(run.integration_id), prefix=f"SCOPE#{run.kind}#")
        self._table.write(deletes=[(row["pk"], row["sk"]) for row in notes if row["sync_id"] == run.sync_id])
        self.journal_drop(run)

    @property
    def history(self) -> History:
        """The runs that have ended."""
        return History(self._table)

    def notes(self, run: Run) -> ScopeNotes:
        """What is noted of the scopes of a run."""
        return ScopeNotes(self._table, run)

    def scopes(
        self, integration_id: str, *, kind: Kind | None, status: str | None, after: str | None, limit: int
    ) -> tuple[list[ListedScope], str | None]:
        """A page of the scopes that are not complete, and where to go on."""
        pk = partition(integration_id)
        return ScopeList(self._table).page(pk, kind=kind, status=status, after=after, limit=limit)

    def journal_append(self, run: Run, number: int, entries: dict[str, list[Any]], *, now: int) -> None:
        """Add one chunk to the run's journal; a worker without a lease cannot overwrite its successor's chunk."""
        packed = zlib.compress(json.dumps(entries, separators=(",", ":")).encode())
        row: Item = {
            "pk": _journal(run),
            "sk": f"{number:08d}#{run.worker}",
            "entries": packed,
            "schema_version": SCHEMA_VERSION,
        }
        self._table.put({**row, "expires_at": now + JOURNAL_TTL_SECONDS})

    def journal(self, run: Run) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """The chunks of the run's journal in order, with their numbers."""
        for item in query_all(self._table, _journal(run)):
            yield int(item["sk"].partition("#")[0]), json.loads(zlib.decompress(item["entries"]))

    def journal_drop(self, run: Run) -> None:
        """Remove the run's journal."""
        self._drop(_journal(run))

    def _drop(self, pk: str, prefix: str = "") -> None:
        self._table.write(deletes=[(item["pk"], item["sk"]) for item in query_all(self._table, pk, prefix=prefix)])


def _journal(run: Run) -> str:
    return f"JOURNAL#{run.integration_id}#{run.kind}#{run.sync_id}"


def _attributes(value: Run | Checkpoint) -> Item:
    # Not `asdict`: it copies what is within, and a run is written after every few pages.
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _item_of(run: Run) -> Item:
    state = _attributes(run)
    state["kind"], state["status"] = str(run.kind), str(run.status)
    state["checkpoint"] = _packed(_attributes(run.checkpoint))
    return {"pk": partition(run.integration_id), "sk": f"RUN#{run.kind}", "schema_version": SCHEMA_VERSION, **state}


def _packed(checkpoint: Mapping[str, Any]) -> str | bytes:
    # Cursors and payloads are any JSON, floats included, so the checkpoint travels as text.
    text = json.dumps(checkpoint, separators=(",", ":"))
    return text if len(text) < PACKED_FROM else zlib.compress(text.encode())


def _unpacked(stored: str | bytes) -> Any:
    return json.loads(stored if isinstance(stored, str) else zlib.decompress(stored))


def _run_of(item: Item) -> Run:
    try:
        return _read(item)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRun("A later release of the hub wrote this state; deploy it again, or a newer one.") from error


def _run_or_reason(item: Item | None, integration_id: str, kind: Kind) -> Run | UnreadableRun:
    if item is None:
        return Run(integration_id=integration_id, kind=kind)
    try:
        return _run_of(item)
    except UnreadableRun as error:
        return error


def _read(item: Item) -> Run:
    # A row that another release wrote has fields that this one does not know, or lacks some.
    state = {name: value for name, value in item.items() if name in _RUN}
    state["kind"], state["status"] = Kind(item["kind"]), RunStatus(item["status"])
    kept = _unpacked(item["checkpoint"])
    state["checkpoint"] = Checkpoint(**{name: value for name, value in kept.items() if name in _CHECKPOINT})
    return Run(**state)


# The journal of a run, in rows; pure.

MOST_JOURNAL_BYTES = 300_000
"""Of one row, before it is compressed; an item may have 400 KB. One entry is never larger than half of this."""


def chunked(entries: Mapping[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Share entries of a run's journal out over rows that a table takes, in their order."""
    chunk: dict[str, list[Any]] = {}
    left = MOST_JOURNAL_BYTES
    for name, noted in entries.items():
        for entry in noted:
            size = len(json.dumps(entry)) + len(name)
            if chunk and size > left:
                yield chunk
                chunk, left = {}, MOST_JOURNAL_BYTES
            chunk.setdefault(name, []).append(entry)
            left -= size
    if chunk:
        yield chunk
