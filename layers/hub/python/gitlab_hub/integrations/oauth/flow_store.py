"""Authorizations under way, found by the hash of what comes back. Each can be taken out once."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gitlab_hub.integrations import rows
from gitlab_hub.integrations.oauth.keys import digest
from gitlab_hub.integrations.oauth.pending import PendingAuthorization, expired, overtaken
from gitlab_hub.storage.ports import ABSENT, PRESENT, Condition, ConditionFailed, Item, Put, Table
from gitlab_hub.storage.rows import is_written

KEPT_SECONDS = 3_600
"""Deletion by TTL is late; the age is checked by whoever takes a row out."""

BEGUN_SECONDS = 25 * 3_600
"""Longer than an `Idempotency-Key` is remembered (`web/idempotency.py`): after that a request is a new one."""


class FlowStore:
    """The authorizations of all integrations; only the newest one of each can be finished."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, pending: PendingAuthorization, *, state: str, ticket: str) -> PendingAuthorization:
        """Keep an authorization as the newest. A repeated request gets the one that was begun for it.

        Raises InvalidState where it has expired, or a newer one has taken its place since: it does not come back.
        """
        if (begun := self._begun_before(pending)) is not None:
            return begun
        first = [
            Put(_begun_item(pending), ABSENT),
            Put(_item("STATE", state, pending)),
            Put(_item("TICKET", ticket, pending)),
            Put(_newest_item(pending, state)),
        ]
        if is_written(self._table.transact, first):
            return pending
        # A transaction whose answer was lost fails when it is repeated, and so does one that a newer one came after.
        if (begun := self._begun_before(pending)) is not None:
            return begun
        raise expired() if self._newest(pending) is None else overtaken()

    def _begun_before(self, pending: PendingAuthorization) -> PendingAuthorization | None:
        """The authorization as it was begun for the same request, if it is still the newest one."""
        newest = self._newest(pending)
        if newest is None or newest["flow"] != pending.flow:
            return None
        return replace(pending, created_at=newest["created_at"])

    def _newest(self, pending: PendingAuthorization) -> Item | None:
        return self._table.get(*_newest_key(pending.integration_id))

    def open(self, ticket: str) -> PendingAuthorization | None:
        """Take a link out; None where it is not known or was opened before."""
        return self._take("TICKET", ticket)

    def rebind(self, pending: PendingAuthorization, *, state: str) -> bool:
        """Keep an authorization under a new state, and its first one is void; False where a newer one was begun."""
        same = Condition(equals={"flow": pending.flow})
        bound = [Put(_item("STATE", state, pending)), Put(_newest_item(pending, state), same)]
        return is_written(self._table.transact, bound)

    def take(self, state: str) -> PendingAuthorization | None:
        """Take an authorization out; None where it is not known or was taken before."""
        return self._take("STATE", state)

    def is_newest(self, pending: PendingAuthorization, *, state: str) -> bool:
        """Whether no newer authorization of the integration was begun, nor this one bound to a browser since."""
        newest = self._table.get(*_newest_key(pending.integration_id))
        return newest is not None and newest["state_hash"] == digest(state)

    def note_finished(self, integration_id: str, state: str, seed: str) -> None:
        """Remember the request that has finished the newest authorization."""
        key, state_hash = _newest_key(integration_id), digest(state)
        newest = self._table.get(*key)
        if newest is None or newest["state_hash"] != state_hash:
            return
        try:
            self._table.put(newest | {"finished_by": digest(seed)}, Condition(equals={"state_hash": state_hash}))
        except ConditionFailed:
            return  # A newer one was begun.

    def is_finished(self, integration_id: str, state: str, seed: str) -> bool:
        """Whether this very request has finished the newest authorization."""
        newest = self._table.get(*_newest_key(integration_id)) or {}
        return (newest.get("state_hash"), newest.get("finished_by")) == (digest(state), digest(seed))

    def _take(self, kind: str, secret: str) -> PendingAuthorization | None:
        key = _key(kind, secret)
        item = self._table.get(*key)
        return _pending(item) if item is not None and is_written(self._table.delete, *key, PRESENT) else None


def _key(kind: str, secret: str) -> tuple[str, str]:
    return f"OAUTH_{kind}#{digest(secret)}", kind


def _item(kind: str, secret: str, pending: PendingAuthorization) -> Item:
    pk, sk = _key(kind, secret)
    return {"pk": pk, "sk": sk, **_common(pending), **asdict(pending)}


def _newest_key(integration_id: str) -> tuple[str, str]:
    return rows.partition(integration_id), rows.FLOW


def _newest_item(pending: PendingAuthorization, state: str) -> Item:
    pk, sk = _newest_key(pending.integration_id)
    known = {"flow": pending.flow, "created_at": pending.created_at, "state_hash": digest(state)}
    return {"pk": pk, "sk": sk, **_common(pending), **known}


def _begun_item(pending: PendingAuthorization) -> Item:
    """What tells that an authorization was begun once, for as long as its request can be repeated."""
    pk, sk = _newest_key(pending.integration_id)
    ends = {"schema_version": rows.SCHEMA_VERSION, "expires_at": pending.created_at + BEGUN_SECONDS}
    return {"pk": pk, "sk": f"{sk}#{pending.flow}", **ends}


def _common(pending: PendingAuthorization) -> dict[str, Any]:
    return {"schema_version": rows.SCHEMA_VERSION, "expires_at": pending.created_at + KEPT_SECONDS}


def _pending(item: Mapping[str, Any]) -> PendingAuthorization:
    return PendingAuthorization(
        **{name: item[name] for name in PendingAuthorization.__dataclass_fields__ if name in item}
    )
