"""One-time links that sign in whoever opens them, as the hub token that they were made with."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gitlab_hub.storage.ports import ABSENT, PRESENT, ConditionFailed, Key, Table
from gitlab_hub.storage.rows import is_written

PARTITION = "CONSOLE_LINK#"
LIFE_SECONDS = 600
_SK = "LINK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that nobody has used yet: whose it is, and until when it is good (unix seconds)."""

    token_id: str
    ends_at: int


class LinkStore:
    """The links that are not used up. Only their hashes are kept."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def add(self, ticket: str, token_id: str) -> Link:
        """Keep a link; made a second time, it is the first one still."""
        link = Link(token_id=token_id, ends_at=int(self._now()) + LIFE_SECONDS)
        pk, sk = _key(ticket)
        row = {"pk": pk, "sk": sk, "schema_version": 1, "token_id": token_id, "expires_at": link.ends_at}
        if is_written(self._table.put, row, ABSENT):
            return link
        return self.find(ticket) or link

    def find(self, ticket: str) -> Link | None:
        """Look at a link without using it up."""
        row = self._table.get(*_key(ticket))
        # The table drops what is over days later, so its end is looked at here.
        if row is None or row["expires_at"] <= self._now():
            return None
        return Link(token_id=row["token_id"], ends_at=row["expires_at"])

    def use(self, ticket: str) -> Link | None:
        """Use a link up. Of several who do so at once, one gets it."""
        link = self.find(ticket)
        if link is None:
            return None
        try:
            self._table.delete(*_key(ticket), PRESENT)
        except ConditionFailed:
            return None
        return link


def _key(ticket: str) -> Key:
    return f"{PARTITION}{hashlib.sha256(ticket.encode(errors='surrogatepass')).hexdigest()}", _SK
