"""Who did what to an integration: rows that are only ever added.

A line is written before its effect, so that nothing happens that is not in the log.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gitlab_hub.storage.table import ABSENT, Table

KEPT_SECONDS = 400 * 86_400


class AuditLog:
    """Adds lines to the log. Details are names and ids; no value of a secret is ever passed here."""

    def __init__(
        self, table: Table, now: Callable[[], float], unique: Callable[[], str] = lambda: secrets.token_hex(4)
    ) -> None:
        self._table, self._now, self._unique = table, now, unique

    def record(self, action: str, *, actor: str, integration_id: str, **details: Any) -> None:
        """Add a line about something that is about to be done."""
        now = self._now()
        line = {
            "pk": f"AUDIT#{datetime.fromtimestamp(now, UTC):%Y-%m-%d}",
            "sk": f"{int(now * 1000)}#{self._unique()}",
            "schema_version": 1,
            "at": int(now),
            "action": action,
            "actor": actor,
            "integration_id": integration_id,
            "details": details,
            "expires_at": int(now) + KEPT_SECONDS,
        }
        self._table.put(line, ABSENT)
