"""What is kept per GitLab, whatever integrations lead to it: who may write there now, and what of the limits is spent.

One worker at a time changes anything in a GitLab. It decides each step by what it reads there at that moment, so no
other worker of the hub can change in between what it has read: of two plans that each remove one of the last two
owners, the second is decided when the first is done.

A lease lasts longer than its worker may live (Lambda ends a function at its timeout, and tells it how long that is), so
it is never renewed, and whoever still runs still holds it.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict

from gitlab_hub.provisioning.limits import Spent
from gitlab_hub.storage.ports import ABSENT, Condition, ConditionFailed, Item, Put, Table
from gitlab_hub.storage.rows import at_version, is_written, value_of

WORKER_SECONDS = 300
"""The timeout of the function (template.yaml)."""

MARGIN_SECONDS = 30
"""Beyond the end of the worker: what it sent last may still be taking effect, and clocks differ."""

LEASE_SECONDS = WORKER_SECONDS + MARGIN_SECONDS
_KEPT_SECONDS = 3 * 86_400


class Ledger:
    """The rows of all GitLabs; `gitlab` is a base URL. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, gitlab: str, *, owner: str, now: int, lives: float = WORKER_SECONDS) -> bool:
        """Take the right to write for as long as the worker `lives` at most (seconds); False where somebody has it."""
        pk, stored = _partition(gitlab), self._table.get(_partition(gitlab), "lease")
        # A lease that ends later than any does was written by a clock that went wrong.
        if stored is not None and now < stored["until"] <= now + 2 * LEASE_SECONDS:
            return False
        lasts = min(math.ceil(lives), WORKER_SECONDS) + MARGIN_SECONDS
        lease = {"pk": pk, "sk": "lease", "owner": owner, "until": now + lasts, "schema_version": 1}
        as_read = ABSENT if stored is None else Condition(equals={"owner": stored["owner"], "until": stored["until"]})
        return is_written(self._table.put, {**lease, "expires_at": now + _KEPT_SECONDS}, as_read)

    def end(self, gitlab: str, *, owner: str) -> None:
        """Give the right back; no effect where somebody else has it by now."""
        try:
            self._table.delete(_partition(gitlab), "lease", Condition(equals={"owner": owner}))
        except ConditionFailed:
            return

    def spent(self, gitlab: str) -> tuple[list[Spent], int]:
        """What was spent, and the version of the row for `spend`."""
        row = self._table.get(_partition(gitlab), "spent")
        return ([], 0) if row is None else ([value_of(Spent, one) for one in row["entries"]], row["version"])

    def spend(self, gitlab: str, entries: Sequence[Spent], *, version: int, now: int) -> Put:
        """The write of what is spent from now on, where nobody has spent anything since it was read."""
        row: Item = {
            "pk": _partition(gitlab),
            "sk": "spent",
            "schema_version": 1,
            "version": version + 1,
            "entries": [asdict(one) for one in entries],
            "expires_at": now + _KEPT_SECONDS,
        }
        return Put(row, at_version(version))


def _partition(gitlab: str) -> str:
    return f"PROVISIONING#{hashlib.sha256(gitlab.lower().encode()).hexdigest()[:32]}"
