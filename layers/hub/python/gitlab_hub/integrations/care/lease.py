"""Who may use up a single-use token now, and how often that was tried.

The row outlives the lease: a call that was sent and never answered must be known to whoever comes next.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from gitlab_hub.integrations import rows
from gitlab_hub.storage.table import ABSENT, Condition, ConditionFailed, Item, Table

LEASE_SECONDS = 30
LONGEST_PAUSE = 300
KEPT_SECONDS = 180 * 86_400
_IMPLAUSIBLE_SECONDS = 2 * LONGEST_PAUSE
"""A lease that ends later than this was written by a clock that went wrong."""


class LeaseLost(Exception):
    """Somebody else has taken over; nothing may be used up any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to use up the token of a credential until a moment (unix seconds).

    `calls` counts the calls that were about to go out for the token of `generation` and of which it is not known that
    they had no effect; `sent_at` is the last one's moment.
    """

    integration_id: str
    credential_id: str
    owner: str
    until: int
    generation: int = 0
    calls: int = 0
    sent_at: int = 0

    def calls_of(self, generation: int) -> int:
        """How many calls may have used up the token of that generation."""
        return self.calls if self.generation == generation else 0


class Leases:
    """The leases of all credentials."""

    def __init__(
        self, table: Table, now: Callable[[], float], new_owner: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self._table, self._now, self._new_owner = table, now, new_owner

    def get(self, integration_id: str, credential_id: str) -> Lease | None:
        """The lease as it is stored, ended or not."""
        item = self._table.get(*_key(integration_id, credential_id))
        return None if item is None else _lease(integration_id, credential_id, item)

    def is_held(self, integration_id: str, credential_id: str) -> bool:
        """Whether somebody may be using up the token at this moment."""
        stored = self.get(integration_id, credential_id)
        return stored is not None and self._holds(stored)

    def take(self, integration_id: str, credential_id: str) -> Lease | None:
        """Take the lease; None where somebody has it."""
        stored = self.get(integration_id, credential_id)
        if stored is not None and self._holds(stored):
            return None
        before = stored or Lease(integration_id=integration_id, credential_id=credential_id, owner="", until=0)
        taken = replace(before, owner=self._new_owner(), until=int(self._now()) + LEASE_SECONDS)
        try:
            self._table.put(self._item(taken), ABSENT if stored is None else _unchanged(stored))
        except ConditionFailed:
            return None
        return taken

    def sent(self, lease: Lease, generation: int) -> Lease:
        """Note that a call is about to go out. Raises LeaseLost."""
        now = int(self._now())
        noted = replace(
            lease, until=now + LEASE_SECONDS, generation=generation, calls=lease.calls_of(generation) + 1, sent_at=now
        )
        try:
            self._table.put(self._item(noted), _unchanged(lease))
        except ConditionFailed:
            raise LeaseLost from None
        return noted

    def end(self, lease: Lease, *, calls: int | None = None, pause: int = 0) -> None:
        """Give the lease back, after a pause of so many seconds; `calls` where the last one had no effect."""
        until = int(self._now()) + min(pause, LONGEST_PAUSE) if pause else 0
        ended = replace(lease, until=until, calls=lease.calls if calls is None else calls)
        try:
            self._table.put(self._item(ended), _unchanged(lease))
        except ConditionFailed:
            return  # It had run out, and somebody else has it.

    def _holds(self, lease: Lease) -> bool:
        return 0 < lease.until - self._now() <= _IMPLAUSIBLE_SECONDS

    def _item(self, lease: Lease) -> Item:
        pk, sk = _key(lease.integration_id, lease.credential_id)
        values = asdict(lease)
        del values["integration_id"], values["credential_id"]
        kept_until = int(self._now()) + KEPT_SECONDS
        return {"pk": pk, "sk": sk, "schema_version": rows.SCHEMA_VERSION, **values, "expires_at": kept_until}


def _unchanged(lease: Lease) -> Condition:
    return Condition(equals={"owner": lease.owner, "until": lease.until, "calls": lease.calls})


def _key(integration_id: str, credential_id: str) -> tuple[str, str]:
    return rows.partition(integration_id), rows.LEASE + credential_id


def _lease(integration_id: str, credential_id: str, item: Item) -> Lease:
    known: dict[str, Any] = {name: item[name] for name in Lease.__dataclass_fields__ if name in item}
    return Lease(**known, integration_id=integration_id, credential_id=credential_id)
