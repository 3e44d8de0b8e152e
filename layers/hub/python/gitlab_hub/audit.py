"""Who did what: rows that are only ever added, and how they are read back.

A line is written before its effect, so that nothing happens that is not in the log. Lines lie by the day (UTC) that
they are of, so a reader who goes back in time asks for one day after the other.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, Protocol

from gitlab_hub import request_id
from gitlab_hub.storage.table import ABSENT, Item, Table

KEPT_SECONDS = 400 * 86_400
MAX_DAYS = 31
"""Days that one request for lines looks into; older ones are found by the pages that follow."""
MAX_SCANNED = 1_000
"""Lines that one request looks at; a rare match behind them is found by the pages that follow."""
BATCH = 100

Action = Literal[
    "build_approved", "build_canceled", "build_requested", "build_rerun", "credential.create", "credential.delete",
    "credential.update", "gitlab_token.replace", "gitlab_token.rotate", "hook.create", "hook.delete", "hook.repair",
    "hook.rotate", "integration.change", "integration.connect", "integration.remove", "integration.start_oauth",
    "oauth.begin", "oauth.finish", "signing_secret_made", "token.create", "token.revoke", "trigger.change",
    "trigger.create", "trigger.remove",
]  # fmt: skip
"""What can be done; the codes stay."""

Position = tuple[str, str]
"""Where a list goes on: the day, and the last line of it that was looked at ("" = none yet)."""

_TARGETS = ("target", "credential_id", "trigger_id", "build_id")


class Audit(Protocol):
    """Where lines are added."""

    def record(self, action: str, *, actor: str, integration_id: str | None, **details: Any) -> None:
        """Add a line about something that is about to be done."""


class AuditLog:
    """Adds lines to the log. Details are names, ids and settings; no value of a secret is ever passed here."""

    def __init__(
        self, table: Table, now: Callable[[], float], unique: Callable[[], str] = lambda: secrets.token_hex(4)
    ) -> None:
        self._table, self._now, self._unique = table, now, unique

    def record(self, action: str, *, actor: str, integration_id: str | None, **details: Any) -> None:
        """Add a line about something that is about to be done.

        Of the details, `target` is the id of what it is done to (where that is not the integration itself), `before`
        and `after` are the values that change. `integration_id` None: it concerns the whole hub.
        """
        now = self._now()
        line = {
            "pk": _partition(datetime.fromtimestamp(now, UTC).date()),
            "sk": f"{int(now * 1000):013d}#{self._unique()}",
            "schema_version": 2,
            "at": int(now),
            "action": action,
            "actor": actor,
            "integration_id": integration_id,
            "details": details,
            "request_id": request_id.current(),
            "expires_at": int(now) + KEPT_SECONDS,
        }
        self._table.put(line, ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. `at` is unix seconds; `before` and `after` hold what changed, where that is known."""

    id: str
    at: int
    actor: str
    action: str
    target: str | None
    integration_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines to show. `since` is unix seconds; `visible` None = of all integrations and of the hub itself."""

    since: int | None = None
    actor: str | None = None
    action: str | None = None
    integration_id: str | None = None
    visible: frozenset[str] | None = None

    def takes(self, entry: Entry) -> bool:
        """Say whether a line is wanted."""
        named = (
            (self.actor, entry.actor),
            (self.action, entry.action),
            (self.integration_id, entry.integration_id),
        )
        is_visible = self.visible is None or entry.integration_id in self.visible
        return (
            is_visible
            and entry.at >= (self.since or 0)
            and all(wanted is None or wanted == has for wanted, has in named)
        )


class AuditReader:
    """Reads lines, newest first."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def page(self, wanted: Wanted, *, limit: int, after: Position | None) -> tuple[list[Entry], Position | None]:
        """A page of lines, and where to go on; None at the end. A page may be short and still have a next one."""
        today = datetime.fromtimestamp(self._now(), UTC).date()
        oldest = max(self._now() - KEPT_SECONDS, wanted.since or 0)
        last = datetime.fromtimestamp(oldest, UTC).date()
        day, position = (today, "") if after is None else (date.fromisoformat(after[0]), after[1])
        found: list[Entry] = []
        scanned = 0
        for _ in range(MAX_DAYS):
            if day < last:
                return found, None
            for entry, place in self._lines(day, position, wanted.since, limit + 1):
                if len(found) == limit or scanned == MAX_SCANNED:
                    return found, (day.isoformat(), position)
                position, scanned = place, scanned + 1
                if wanted.takes(entry):
                    found.append(entry)
            day, position = day - timedelta(days=1), ""
        return found, (day.isoformat(), "") if day >= last else None

    def _lines(self, day: date, position: str, since: int | None, most: int) -> Iterator[tuple[Entry, str]]:
        until = None if since is None else f"{since * 1000:013d}"
        while True:
            rows = self._table.query(
                _partition(day), after=position or None, until=until, limit=min(most, BATCH), forward=False
            )
            yield from ((_entry(item), item["sk"]) for item in rows.items)
            if rows.last is None:
                return
            position = rows.last[1]


def _partition(day: date) -> str:
    return f"AUDIT#{day.isoformat()}"


def _entry(item: Item) -> Entry:
    """Read a line; those of schema 1 know no request, and name their target among the details."""
    details = dict(item["details"])
    targets = [details.pop(name) for name in _TARGETS if name in details]
    before, after = details.pop("before", None), details.pop("after", None)
    return Entry(
        id=f"aud_{item['sk'].replace('#', '_')}",
        at=item["at"],
        actor=item["actor"],
        action=item["action"],
        target=targets[0] if targets else item["integration_id"],
        integration_id=item["integration_id"],
        before=before,
        after=after if after is not None else details or None,
        request_id=item.get("request_id"),
    )
