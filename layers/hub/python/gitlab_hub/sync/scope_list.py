"""What the syncs could not read, scope by scope, read back for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.scope_notes import partition

DISABLED = "disabled"
STATUSES = ("forbidden", "gone", "failed", "partial", DISABLED)
"""Of a scope that is not complete: refused, not there, in trouble however often it was tried, or read in part; and of
one where there is nothing to read."""

MAX_READ = 2_000
"""Rows read for one page; a filter that finds little gives a short page and goes on with the next."""

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedScope:
    """A scope that is not complete, and why. `resource` is what it is about: `type`, `id` and `full_path`, or None."""

    kind: str
    stage: str
    key: str
    status: str
    code: str
    reason: str = ""
    at: int | None = None
    resource: dict[str, Any] | None = None


class ScopeList:
    """The notes of integrations, in pages."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def incomplete(
        self, integration_id: str, kind: Kind, scopes: Sequence[tuple[str, str]] | None
    ) -> set[tuple[str, str]]:
        """Those of some scopes (stage, key), or of all where None, that the sync could not read completely.

        Where there is nothing to read (`disabled`), nothing is missing.
        """
        pk, prefix = partition(integration_id), f"SCOPE#{kind}#"
        if scopes is None:
            rows = query_all(self._table, pk, prefix=prefix, attributes=("sk", "status"))
        else:
            rows = iter(
                self._table.get_many(
                    [(pk, f"{prefix}{stage}#{key}") for stage, key in scopes], attributes=("sk", "status")
                )
            )
        stages_and_keys = (
            str(row["sk"]).removeprefix(prefix).split("#", 1) for row in rows if row["status"] != DISABLED
        )
        return {(stage, key) for stage, key in stages_and_keys}

    def of_stage(self, integration_id: str, kind: Kind, stage: str) -> list[ListedScope]:
        """Everything of one stage that the sync could not read completely; for a stage with few scopes."""
        prefix = f"SCOPE#{kind}#{stage}#"
        return [_listed(row) for row in query_all(self._table, partition(integration_id), prefix=prefix)]

    def counted(self, integration_id: str, kind: Kind) -> dict[str, int]:
        """How many scopes the sync could not read completely, by status."""
        rows = query_all(self._table, partition(integration_id), prefix=f"SCOPE#{kind}#", attributes=("status",))
        return dict(Counter(str(row["status"]) for row in rows))

    def page(
        self, pk: str, *, kind: Kind | None, status: str | None, after: str | None, limit: int
    ) -> tuple[list[ListedScope], str | None]:
        """Notes behind a sort key, and the sort key to go on behind; None at the end."""
        prefix = "SCOPE#" if kind is None else f"SCOPE#{kind}#"
        found: list[ListedScope] = []
        left = MAX_READ
        while True:
            rows = self._table.query(pk, prefix=prefix, after=after, limit=min(_CHUNK, left))
            for number, item in enumerate(rows.items, 1):
                if status in (None, item["status"]):
                    found.append(_listed(item))
                if len(found) == limit:
                    is_last = number == len(rows.items) and rows.last is None
                    return found, None if is_last else str(item["sk"])
            left -= len(rows.items)
            after = None if rows.last is None else rows.last[1]
            if after is None or left <= 0:
                return found, after


def _listed(item: Item) -> ListedScope:
    """Read a note; rows of earlier releases say less."""
    _, kind, stage, key = str(item["sk"]).split("#", 3)
    return ListedScope(
        kind=kind,
        stage=stage,
        key=key,
        status=item["status"],
        code=item["code"],
        reason=item.get("hint", ""),
        at=item.get("at"),
        resource=item.get("resource"),
    )
