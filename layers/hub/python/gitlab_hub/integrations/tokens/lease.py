"""Who may use up a single-use token now, and how often that was tried.

The row outlives the lease: a call that was sent and never answered must be known to whoever comes next.
"""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from gitlab_hub.integrations import rows
from gitlab_hub.storage.ports import ABSENT, Condition, Item, Table
from gitlab_hub.storage.rows import is_written

LEASE_SECONDS = 30
FIRST_PAUSE, LONGEST_PAUSE = 5, 300
"""Between two tries of one token, in seconds: each pause is twice as long as the one before."""

KEPT_SECONDS = 180 * 86_400
_IMPLAUSIBLE_SECONDS = 2 * LONGEST_PAUSE
"""A lease that ends later than this was written by a clock that went wrong."""


class LeaseLost(Exception):
    """Somebody else has taken over; nothing may be used up any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to use up the token of a credential until a moment (unix seconds).

    `calls` counts the calls that were about to go out for the token of `generation` and of which it is not known that
    they had no effect; `sent_at` is the last one's moment. `failures` counts its failed renewals in a row, and
    `trouble` is the last one's code; until `paused_until` nobody tries again, unless the secrets of the integration
    are others than at `secret_version`: somebody may just have mended them.
    """

    integration_id: str
    credential_id: str
    owner: str
    until: int
    generation: int = 0
    calls: int = 0
    sent_at: int = 0
    failures: int = 0
    trouble: str = ""
    paused_until: int = 0
    secret_version: str = ""

    def calls_of(self, generation: int) -> int:
        """How many calls may have used up the token of that generation."""
        return self.calls if self.generation == generation else 0

    def failures_of(self, generation: int) -> int:
        """How many renewals of the token of that generation have failed."""
        return self.failures if self.generation == generation else 0

    def pause_left(self, generation: int, secret_version: str, now: float) -> int:
        """How many seconds the token of that generation is still left alone."""
        if self.generation != generation or self.secret_version != secret_version:
            return 0
        left = self.paused_until - int(now)
        return left if 0 < left <= _IMPLAUSIBLE_SECONDS else 0


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
        return self.take_over(integration_id, credential_id, self.get(integration_id, credential_id))

    def take_over(self, integration_id: str, credential_id: str, stored: Lease | None) -> Lease | None:
        """Take the lease that was `stored` when it was read; None where somebody has it, or has had it since."""
        if stored is not None and self._holds(stored):
            return None
        before = stored or Lease(integration_id=integration_id, credential_id=credential_id, owner="", until=0)
        taken = replace(before, owner=self._new_owner(), until=int(self._now()) + LEASE_SECONDS)
        as_read = ABSENT if stored is None else _unchanged(stored)
        return taken if is_written(self._table.put, self._item(taken), as_read) else None

    def sent(self, lease: Lease, generation: int) -> Lease:
        """Note that a call is about to go out. Raises LeaseLost."""
        now = int(self._now())
        noted = replace(
            lease,
            until=now + LEASE_SECONDS,
            generation=generation,
            calls=lease.calls_of(generation) + 1,
            failures=lease.failures_of(generation),
            sent_at=now,
        )
        if not is_written(self._table.put, self._item(noted), _unchanged(lease)):
            raise LeaseLost
        return noted

    def end(self, lease: Lease, *, calls: int | None = None) -> None:
        """Give the lease back; `calls` where the last one had no effect."""
        self._give_back(replace(lease, calls=lease.calls if calls is None else calls), lease)

    def schedule_retry(self, lease: Lease, trouble: str, secret_version: str, *, calls: int, asked: int | None) -> int:
        """Give the lease back after a failed call, with a pause of so many seconds (at least what GitLab `asked`)."""
        failures = lease.failures + 1
        pause = pause_after(failures, asked)
        noted = replace(
            lease,
            calls=calls,
            failures=failures,
            trouble=trouble,
            paused_until=int(self._now()) + pause,
            secret_version=secret_version,
        )
        self._give_back(noted, lease)
        return pause

    def _give_back(self, ended: Lease, lease: Lease) -> None:
        # Where this is not written it had run out, and somebody else has it.
        is_written(self._table.put, self._item(replace(ended, until=0)), _unchanged(lease))

    def _holds(self, lease: Lease) -> bool:
        return 0 < lease.until - self._now() <= _IMPLAUSIBLE_SECONDS

    def _item(self, lease: Lease) -> Item:
        pk, sk = _key(lease.integration_id, lease.credential_id)
        values = asdict(lease)
        del values["integration_id"], values["credential_id"]
        kept_until = int(self._now()) + KEPT_SECONDS
        return {"pk": pk, "sk": sk, "schema_version": rows.SCHEMA_VERSION, **values, "expires_at": kept_until}


def pause_after(failures: int, asked: int | None) -> int:
    """Seconds to wait after so many failures in a row: growing, at least what GitLab asked for, never above a bound."""
    own = FIRST_PAUSE << min(failures - 1, 10)
    return min(max(own, asked or 0), LONGEST_PAUSE)


def _unchanged(lease: Lease) -> Condition:
    return Condition(equals={"owner": lease.owner, "until": lease.until, "calls": lease.calls})


def _key(integration_id: str, credential_id: str) -> tuple[str, str]:
    return rows.partition(integration_id), rows.LEASE + credential_id


def _lease(integration_id: str, credential_id: str, item: Item) -> Lease:
    known: dict[str, Any] = {name: item[name] for name in Lease.__dataclass_fields__ if name in item}
    return Lease(**known, integration_id=integration_id, credential_id=credential_id)
