"""What the hub itself is changing in GitLab, so that the feed says so of what the sync then finds.

`<integration>#own_changes` holds a row per direct membership or share for a day: the audit line about it, and what the
account, or the invited group, is to have; and per account whose own state is changed, one for that state and one for
its end. It is written before the request goes out, as a webhook may have the change
read before GitLab's answer is here. A change counts as the hub's own where the level or state that is found is the one
that was to be.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gitlab_hub.access.changes.model import Change, ChangeKind
from gitlab_hub.access.keys import OWN_CHANGES, grants_scope
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all

KEPT_SECONDS = 86_400
"""By then a sync has found it, or nobody changed anything."""

FRESH_SECONDS = 10
"""How long a reader trusts what it has read: a run tells hundreds of changes in a row."""

_ACCOUNTS = frozenset({ChangeKind.ACCOUNT_ADDED, ChangeKind.ACCOUNT_CHANGED, ChangeKind.ACCOUNT_REMOVED})
_GRANTS = frozenset({ChangeKind.GRANT_ADDED, ChangeKind.GRANT_CHANGED, ChangeKind.GRANT_REMOVED})
_SHARES = frozenset({ChangeKind.SHARE_ADDED, ChangeKind.SHARE_CHANGED, ChangeKind.SHARE_REMOVED})


class OwnChanges:
    """Notes what is about to be changed. All calls block."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def note(
        self,
        integration_id: str,
        kind: ResourceType,
        number: int,
        holder: int,
        *,
        is_group: bool = False,
        level: int | None,
        audit_id: str,
    ) -> None:
        """An account, or an invited group, is about to have a level in a group or project, None for nothing."""
        now, sk = int(self._now()), _sk(kind, number, holder, is_group=is_group)
        key = {"pk": partition(integration_id, OWN_CHANGES), "sk": sk, "schema_version": 1}
        self._table.put({**key, "audit_id": audit_id, "level": level, "at": now, "expires_at": now + KEPT_SECONDS})

    def note_account(self, integration_id: str, account: int | str, *, state: str | None, audit_id: str) -> None:
        """An account, by its id or its new username, is about to be in a state, None for gone."""
        now, sk = int(self._now()), _account_sk(account, state)
        key = {"pk": partition(integration_id, OWN_CHANGES), "sk": sk, "schema_version": 1}
        self._table.put({**key, "audit_id": audit_id, "state": state, "at": now, "expires_at": now + KEPT_SECONDS})

    def drop_account(self, integration_id: str, account: int | str, *, state: str | None) -> None:
        """It did not become so."""
        self._table.delete(partition(integration_id, OWN_CHANGES), _account_sk(account, state))

    def drop(
        self, integration_id: str, kind: ResourceType, number: int, holder: int, *, is_group: bool = False
    ) -> None:
        """Nothing was changed."""
        self._table.delete(partition(integration_id, OWN_CHANGES), _sk(kind, number, holder, is_group=is_group))


class OwnChangeReader:
    """Finds the hub's own among the changes of one integration. All calls block."""

    def __init__(self, table: Table, integration_id: str, now: Callable[[], float]) -> None:
        self._table, self._pk, self._now = table, partition(integration_id, OWN_CHANGES), now
        self._read_at = 0.0
        self._rows: dict[str, Item] = {}

    def attributed(self, changes: Sequence[Change]) -> list[Change]:
        """The changes, with the audit line of those that the hub itself has made."""
        if not any(change.kind in _ACCOUNTS | _GRANTS | _SHARES for change in changes):
            return list(changes)
        now = self._now()
        if not self._read_at <= now < self._read_at + FRESH_SECONDS:
            rows = query_all(self._table, self._pk)
            self._rows, self._read_at = {row["sk"]: row for row in rows if now < row["expires_at"]}, now
        return [replace(change, audit_id=self._line_of(change)) for change in changes]

    def _line_of(self, change: Change) -> str | None:
        """The audit line of what the hub has made of a grant, a share or an account; of anything else there is none."""
        if change.kind in _ACCOUNTS:
            return self._line_of_account(change)
        key = _key_of(change)
        row = None if key is None else self._rows.get(key)
        if row is None:
            return None
        found = None if change.after is None else change.after["access_level"]
        return str(row["audit_id"]) if row["level"] == found else None

    def _line_of_account(self, change: Change) -> str | None:
        before, after = change.before or {}, change.after or {}
        state = after.get("state")
        if state == before.get("state") or change.account_id is None:
            return None
        is_new = change.kind is ChangeKind.ACCOUNT_ADDED
        row = self._rows.get(_account_sk(str(after.get("username")) if is_new else change.account_id, state))
        return str(row["audit_id"]) if row is not None and row["state"] == state else None


def _account_sk(account: int | str, state: str | None) -> str:
    # Who is deleted is blocked before, and a sync may come in between: it has a row of its own.
    named = f"@{account.lower()}" if isinstance(account, str) else padded(account)
    return f"account#{named}{'#gone' if state is None else ''}"


def _key_of(change: Change) -> str | None:
    if change.resource is None:
        return None
    place = change.resource["type"], change.resource["id"]
    if change.kind in _GRANTS and change.account_id is not None:
        return _sk(*place, change.account_id)
    state = change.after or change.before
    return _sk(*place, state["group_id"], is_group=True) if change.kind in _SHARES and state is not None else None


def _sk(kind: ResourceType, number: int, holder: int, *, is_group: bool = False) -> str:
    return f"{grants_scope(kind, padded(number))}#{'group#' if is_group else ''}{padded(holder)}"
