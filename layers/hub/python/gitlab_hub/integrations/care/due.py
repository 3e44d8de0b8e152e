"""When an integration's tokens are to be looked after next: one small row each, all in one partition.

So a tick reads them by the thousand, and reads nothing further of integrations that are not due.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitlab_hub.integrations.care.held import PROACTIVE_SHARE
from gitlab_hub.integrations.care.warnings import DAY, WARN_DAYS
from gitlab_hub.integrations.model import Credential, CredentialKind, Integration
from gitlab_hub.integrations.vault import TokenSet
from gitlab_hub.storage.table import Table

PARTITION, PREFIX = "CARE", "DUE#"
LONGEST = DAY
"""Everything is looked at once a day, whatever was noted."""

KEPT_SECONDS = 7 * DAY


@dataclass(frozen=True, slots=True)
class Note:
    """Until when an integration may be left alone (unix seconds), as long as it is at that version."""

    due_at: int
    version: int


@dataclass(frozen=True, slots=True)
class Notes:
    """What was noted of all integrations."""

    known: Mapping[str, Note] = field(default_factory=dict)

    def is_due(self, integration: Integration, now: float) -> bool:
        """Whether it is time; what has changed since, or was never looked at, always is."""
        note = self.known.get(integration.id)
        # One that is far ahead was written by a clock that went wrong.
        return note is None or note.version != integration.version or not now < note.due_at <= now + LONGEST


class DueBook:
    """The notes in the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def noted(self) -> Notes:
        """Read all of them, some thousands a page."""
        known: dict[str, Note] = {}
        after: str | None = None
        while True:
            page = self._table.query(PARTITION, prefix=PREFIX, after=after)
            for item in page.items:
                known[item["sk"].removeprefix(PREFIX)] = Note(item["due_at"], item["version"])
            if page.last is None:
                return Notes(known)
            after = page.last[1]

    def note(self, integration: Integration, due_at: int) -> None:
        """Leave an integration alone until then."""
        key = {"pk": PARTITION, "sk": PREFIX + integration.id, "schema_version": 1}
        times = {"due_at": due_at, "version": integration.version, "expires_at": due_at + KEPT_SECONDS}
        self._table.put(key | times)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the notes of integrations that are gone."""
        self._table.write(deletes=[(PARTITION, PREFIX + one) for one in ids])


def next_look(credential: Credential, tokens: TokenSet | None, now: int) -> int:
    """The moment at which there will be something to do for a credential (`tokens` = its pair), a day from now at most.

    A pair is renewed at three quarters of its life; an expiry is told of at each of its distances.
    """
    moments = [now + LONGEST]
    if tokens is not None and tokens.issued_at is not None and tokens.expires_at is not None:
        moments.append(tokens.issued_at + int(PROACTIVE_SHARE * (tokens.expires_at - tokens.issued_at)))
    if credential.kind != CredentialKind.OAUTH and credential.token_expires_at is not None:
        # The last week is also the one in which it may be rotated. Those that are over were told.
        ahead = (credential.token_expires_at - days * DAY for days in WARN_DAYS)
        moments += [moment for moment in ahead if moment > now]
    return min(moments)
