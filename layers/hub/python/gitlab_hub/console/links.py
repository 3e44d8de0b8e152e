"""One-time links that sign in whoever opens them, as the hub token that they were made with."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gitlab_hub.console.forms import is_same
from gitlab_hub.storage.ports import ABSENT, Condition, Item, Key, Table
from gitlab_hub.storage.rows import is_written
from gitlab_hub.web.idempotency import KEPT_SECONDS
from gitlab_hub.web.tokens import KnownToken, secret_hash

PARTITION = "CONSOLE_LINK#"
LIFE_SECONDS = 600
_SK = "LINK"
_UNUSED = Condition(exists=True, lacks=("used_by",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link: whose it is, and until when it is good (unix seconds). `fingerprint`: of the token that made it."""

    token_id: str
    fingerprint: str
    ends_at: int

    def is_of(self, token: KnownToken) -> bool:
        """Say whether this very token made it; one that has its id by now did not."""
        return is_same(token.binding, self.fingerprint)


class LinkStore:
    """The links that were made. Only their hashes are kept; for as long as a repeated call makes the same one again."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def add(self, ticket: str, token: KnownToken) -> Link:
        """Keep a link; made a second time, it is the first one still, used up or over as that may be."""
        link = Link(
            token_id=token.principal.token_id,
            fingerprint=token.binding,
            ends_at=int(self._now()) + LIFE_SECONDS,
        )
        pk, sk = _key(ticket)
        row = {
            "pk": pk,
            "sk": sk,
            "schema_version": 1,
            "token_id": link.token_id,
            "fingerprint": link.fingerprint,
            "ends_at": link.ends_at,
            "expires_at": link.ends_at + KEPT_SECONDS,
        }
        if is_written(self._table.put, row, ABSENT):
            return link
        before = self._table.get(pk, sk)
        return link if before is None else _link(before)

    def find(self, ticket: str) -> Link | None:
        """Look at a link that is good without using it up."""
        row = self._row(ticket)
        return None if row is None else _link(row)

    def use(self, ticket: str) -> Link | None:
        """Use a link up. Of several who do so at once, one gets it."""
        row = self._row(ticket)
        # Each writes a row of its own: a table takes the same one twice for the same write.
        if row is None or not is_written(self._table.put, {**row, "used_by": secrets.token_hex(16)}, _UNUSED):
            return None
        return _link(row)

    def _row(self, ticket: str) -> Item | None:
        row = self._table.get(*_key(ticket))
        return None if row is None or "used_by" in row or row["ends_at"] <= self._now() else row


def _link(row: Item) -> Link:
    return Link(token_id=row["token_id"], fingerprint=row["fingerprint"], ends_at=row["ends_at"])


def _key(ticket: str) -> Key:
    return f"{PARTITION}{secret_hash(ticket)}", _SK
