"""Who did what: rows that are only ever added, and how they are read back.

A line is written before its effect, so that nothing happens that is not in the log. Lines lie by the year (UTC) that
they are of, so a reader who goes back through all that is kept asks for three partitions at most.
"""

import secrets
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Protocol

from gitlab_hub.audit.model import AuditAction, AuditFilter, Entry
from gitlab_hub.storage.ports import ABSENT, Item, Table
from gitlab_hub.storage.rows import Range, query_all

KEPT_SECONDS = 400 * 86_400
MAX_SCANNED = 1_000
"""Lines that one request looks at; a rare match behind them is found by the pages that follow."""
BATCH = 100

Position = str
"""Where a list goes on: the last line that was looked at."""

_request: ContextVar[str | None] = ContextVar("request_id", default=None)
_TARGETS = ("target", "credential_id", "trigger_id", "build_id")


def begin_request(request_id: str) -> None:
    """Note the HTTP request that is answered from now on: its lines carry its id. On a schedule there is none."""
    _request.set(request_id)


class Audit(Protocol):
    """Where lines are added."""

    def record(self, action: AuditAction, *, actor: str, integration_id: str | None, **details: Any) -> str:
        """Add a line about something that is about to be done, and give its id."""


class AuditLog:
    """Adds lines to the log. Details are names, ids and settings; no value of a secret is ever passed here."""

    def __init__(
        self, table: Table, now: Callable[[], float], unique: Callable[[], str] = lambda: secrets.token_hex(4)
    ) -> None:
        self._table, self._now, self._unique = table, now, unique

    def record(self, action: AuditAction, *, actor: str, integration_id: str | None, **details: Any) -> str:
        """Add a line about something that is about to be done, and give its id.

        Of the details, `target` is the id of what it is done to (where that is not the integration itself), `before`
        and `after` are the values that change, and `gitlab_request_id` is GitLab's name for the request that did it.
        `integration_id` None: it concerns the whole hub.
        """
        now = self._now()
        line = {
            "pk": _partition(_year(now)),
            "sk": f"{int(now * 1000):013d}#{self._unique()}",
            "schema_version": 2,
            "at": int(now),
            "action": action.value,
            "actor": actor,
            "integration_id": integration_id,
            "details": details,
            "request_id": _request.get(),
            "expires_at": int(now) + KEPT_SECONDS,
        }
        self._table.put(line, ABSENT)
        return _id(line)


class AuditReader:
    """Reads lines, newest first."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def page(self, filters: AuditFilter, *, limit: int, after: Position | None) -> tuple[list[Entry], Position | None]:
        """A page of lines, and where to go on; None at the end. A page may be short and still have a next one."""
        newest = self._now() if after is None else int(after.partition("#")[0]) / 1000
        oldest = max(self._now() - KEPT_SECONDS, filters.since or 0)
        found: list[Entry] = []
        scanned = 0
        for year in range(_year(newest), _year(oldest) - 1, -1):
            for entry, place in self._lines(year, after, filters.since, limit + 1):
                if len(found) == limit or scanned == MAX_SCANNED:
                    return found, after
                after, scanned = place, scanned + 1
                if filters.matches(entry):
                    found.append(entry)
        return found, None

    def _lines(self, year: int, after: str | None, since: int | None, most: int) -> Iterator[tuple[Entry, str]]:
        until = None if since is None else f"{since * 1000:013d}"
        bounds = Range(after=after, until=until, limit=min(most, BATCH), forward=False)
        return ((_entry(item), item["sk"]) for item in query_all(self._table, _partition(year), **bounds))


def _year(moment: float) -> int:
    return datetime.fromtimestamp(moment, UTC).year


def _partition(year: int) -> str:
    return f"AUDIT#{year}"


def _id(item: Item) -> str:
    return f"aud_{item['sk'].replace('#', '_')}"


def _entry(item: Item) -> Entry:
    """Read a line; those of schema 1 know no request, and name their target among the details."""
    details = dict(item["details"])
    targets = [details.pop(name) for name in _TARGETS if name in details]
    before, after = details.pop("before", None), details.pop("after", None)
    gitlab_request_id = details.pop("gitlab_request_id", None)
    return Entry(
        id=_id(item),
        at=item["at"],
        actor=item["actor"],
        action=item["action"],
        target=targets[0] if targets else item["integration_id"],
        integration_id=item["integration_id"],
        before=before,
        after=after if after is not None else details or None,
        request_id=item.get("request_id"),
        gitlab_request_id=gitlab_request_id,
    )
