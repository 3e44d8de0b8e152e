"""What needs a person: one row for each open incident, in the order of their integrations.

Whoever finds that something needs a person opens an incident, whoever finds it over closes it. So the list of
incidents costs what it shows, however many integrations are healthy.

That an announced incident opened or closed is noted in the same transaction, until whoever publishes it has told it:
so each is told at least once, whatever dies in between.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gitlab_hub.storage.ports import ABSENT, PRESENT, Check, ConditionFailed, Delete, Item, Key, Put, Table
from gitlab_hub.storage.rows import is_written, query_all, value_of

PARTITION = "INCIDENTS"
PREFIX = "INCIDENT#"
UNTOLD = "EVENT#"
KEPT_SECONDS = 400 * 86_400
PAGE = 200
TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that needs a person. Times are unix seconds.

    `subject` is the id of what it is about, `at` since when it is known, `hint` what to do; `details` holds what a row
    can hold (no floats, no secrets). `revision` is for whoever opened it: what it last said about its subject.
    `announced`: whether others are told when it opens and when it closes.
    """

    kind: str
    integration_id: str
    subject: str
    at: int
    hint: str
    details: dict[str, Any] = field(default_factory=dict)
    revision: str = ""
    announced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """That an announced incident opened, or closed, as of `at_ms` (unix milliseconds)."""

    incident: Incident
    is_open: bool
    at_ms: int

    @property
    def id(self) -> str:
        """The same however often it is told."""
        about = self.incident
        state = "opened" if self.is_open else "closed"
        return f"{about.integration_id}-{about.kind}-{about.subject}-{self.at_ms}-{state}"


class IncidentStore:
    """The open incidents of all integrations."""

    def __init__(self, table: Table, now: Callable[[], float], is_live: Callable[[str], Check]) -> None:
        """`is_live`: what must hold of the integration with this id for an incident of it to be kept."""
        self._table, self._now, self._is_live = table, now, is_live

    def get(self, kind: str, integration_id: str, subject: str) -> Incident | None:
        """One incident, where it is open."""
        item = self._table.get(*key_of(kind, integration_id, subject))
        return None if item is None else _incident(item)

    def open(self, incident: Incident) -> None:
        """Keep an incident, or what is new about one that is open: that one keeps its `at`. Unchanged costs a read.

        Of a removed integration nothing is kept: whoever was still at work on it would bring back what its removal
        has cleared.
        """
        for _ in range(TRIES):
            before = self.get(incident.kind, incident.integration_id, incident.subject)
            known = incident if before is None else replace(incident, at=before.at)
            if known == before or is_written(self._table.transact, self._opening(known, before)):
                return

    def close(self, kind: str, integration_id: str, subject: str) -> None:
        """Drop an incident that is over. Where there is none, that costs a read."""
        known, key = self.get(kind, integration_id, subject), key_of(kind, integration_id, subject)
        if known is None:
            return
        if not known.announced:
            self._table.delete(*key)
            return
        with suppress(ConditionFailed):
            self._table.transact([Delete(key, PRESENT), Put(self._turned(known, is_open=False))])

    def of(self, integration_id: str) -> Iterator[Incident]:
        """The open incidents of one integration."""
        return (incident for _, incident in self.after(None, integration_id))

    def after(
        self, position: str | None, integration_id: str | None = None, *, page: int = PAGE
    ) -> Iterator[tuple[str, Incident]]:
        """Open incidents behind a position, each with its own, of one integration or of all; read page by page."""
        prefix = PREFIX if integration_id is None else f"{PREFIX}{integration_id}#"
        items = query_all(self._table, PARTITION, prefix=prefix, after=position, limit=page)
        return ((item["sk"], _incident(item)) for item in items)

    def delete(self, integration_id: str) -> None:
        """Drop all incidents of an integration."""
        mine = list(self.after(None, integration_id))
        for _, incident in mine:
            if incident.announced:
                self.close(incident.kind, integration_id, incident.subject)
        self._table.write(deletes=[(PARTITION, position) for position, _ in mine])

    def untold(self) -> Iterator[Turn]:
        """What has turned and was not told yet, the earliest first; read page by page."""
        for item in query_all(self._table, PARTITION, prefix=UNTOLD, limit=PAGE):
            yield Turn(incident=value_of(Incident, item["incident"]), is_open=item["is_open"], at_ms=item["at_ms"])

    def told(self, turn: Turn) -> None:
        """Drop the note of a turn, which others now know of."""
        self._table.delete(PARTITION, _position(turn))

    def _opening(self, known: Incident, before: Incident | None) -> list[Check | Put]:
        kept = Put(row(known, now=int(self._now())))
        if known.announced:
            # Whoever opens or closes it meanwhile notes that: what is written on top would hide one of the two.
            kept = replace(kept, condition=ABSENT if before is None else PRESENT)
        is_new = known.announced and not (before is not None and before.announced)
        noted = [Put(self._turned(known, is_open=True))] if is_new else []
        return [self._is_live(known.integration_id), kept, *noted]

    def _turned(self, incident: Incident, *, is_open: bool) -> Item:
        turn = Turn(incident=incident, is_open=is_open, at_ms=int(self._now() * 1000))
        return {"pk": PARTITION, "sk": _position(turn), "schema_version": 1, **asdict(turn)}


def position_before(integration_id: str) -> str:
    """A position in the list right before the incidents of an integration."""
    return f"{PREFIX}{integration_id}"


def row(incident: Incident, *, now: int) -> Item:
    """Spell an open incident, for whoever opens it together with what it is about."""
    pk, sk = key_of(incident.kind, incident.integration_id, incident.subject)
    times = {"updated_at": now, "expires_at": now + KEPT_SECONDS}
    return {"pk": pk, "sk": sk, "schema_version": 2, **asdict(incident), **times}


def key_of(kind: str, integration_id: str, subject: str) -> Key:
    """Where an incident is kept while it is open."""
    return PARTITION, f"{PREFIX}{integration_id}#{kind}#{subject}"


def _position(turn: Turn) -> str:
    return f"{UNTOLD}{turn.at_ms:013d}#{turn.id}"


def _incident(item: Item) -> Incident:
    if "subject" not in item:
        return _of_first_schema(item)
    return value_of(Incident, item)


def _of_first_schema(item: Item) -> Incident:
    """Read a row of schema 1, which knew incidents of credentials only."""
    details = {"expires_at": item["token_expires_at"], "days": item["days"]}
    hint = "Look at this credential: it is lost, or expires soon."
    return Incident(
        kind=item["kind"],
        integration_id=item["integration_id"],
        subject=item["credential_id"],
        at=item["first_at"],
        hint=hint,
        details=details,
        revision=item["token_version"],
    )
