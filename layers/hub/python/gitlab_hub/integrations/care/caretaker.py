"""Looking after every integration's tokens when it is time, so that nobody has to think of them.

A tick lists the integrations and what was noted of them, a page at a time, and reads further only where something is
due: a token ages, an expiry comes nearer, the integration has changed since, or a day has gone by.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.integrations.care.credential_incidents import EXPIRING, LOST, REJECTED, expiring, refused
from gitlab_hub.integrations.care.due import LONGEST, DueBook, next_look
from gitlab_hub.integrations.care.refresh import LEAST_SECONDS, Refresher, Wanted
from gitlab_hub.integrations.care.revoking import Revoking
from gitlab_hub.integrations.care.rotation import Rotator
from gitlab_hub.integrations.care.signals import Signals
from gitlab_hub.integrations.care.warnings import due_warning, rotation_due
from gitlab_hub.integrations.errors import RotationInProgress, RotationNotPermitted
from gitlab_hub.integrations.model import Credential, CredentialKind, CredentialStatus, Integration
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.vault import TokenSet
from gitlab_hub.storage.table import Table

_POSITION = ("CARE", "POSITION")
Opened = dict[tuple[str, str], Incident]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What a tick came to: integrations that were due and looked after, those with trouble, whether all had a turn."""

    seen: int
    failed: int
    complete: bool


class Care:
    """The chores of the caretaker. `rotate` = access tokens may be rotated before they expire."""

    def __init__(
        self,
        *,
        table: Table,
        store: IntegrationStore,
        refresher: Refresher,
        rotator: Rotator,
        revoking: Revoking,
        incidents: IncidentStore,
        signals: Signals,
        rotate: bool,
        now: Callable[[], float],
    ) -> None:
        self._table, self._store, self._revoking = table, store, revoking
        self._refresher, self._rotator = refresher, rotator
        self._incidents, self._signals, self._rotate, self._now = incidents, signals, rotate, now
        self._book = DueBook(table)

    def tick(self, remaining: Callable[[], float]) -> Tended:
        """Look after what is due, as far as there is time, beginning behind the one that was last."""
        seen = failed = 0
        if remaining() < 2 * LEAST_SECONDS:
            return Tended(seen=seen, failed=failed, complete=False)
        noted = self._book.noted()
        gone = set(noted.known)
        for integration in self._in_turn():
            gone.discard(integration.id)
            if remaining() < 2 * LEAST_SECONDS:
                return Tended(seen=seen, failed=failed, complete=False)
            if not noted.is_due(integration, self._now()):
                continue
            # Noted before it is tended: one that ends the process is not the first of the next tick too.
            self._table.put({"pk": _POSITION[0], "sk": _POSITION[1], "schema_version": 1, "after": integration.id})
            seen += 1
            failed += not self._tended(integration)
        self._book.forget(gone)
        return Tended(seen=seen, failed=failed, complete=True)

    def _in_turn(self) -> Iterator[Integration]:
        stored = self._table.get(*_POSITION)
        last = str(stored["after"]) if stored else ""
        yield from self._store.after(last or None)
        if last:
            yield from (one for one in self._store.after(None) if one.id <= last)

    def _tended(self, integration: Integration) -> bool:
        """Whether an integration was looked after without trouble; its trouble is not the others'."""
        tokens: dict[str, TokenSet] = {}
        waiting: set[str] = set()
        try:
            good = self._renewed(integration, tokens, waiting)
            after = self._store.holding(integration.id)
            opened: Opened = {(one.kind, one.subject): one for one in self._incidents.of(integration.id)}
            for credential in after.credentials:
                if credential.live:
                    self._warn(credential, opened)
            next_try = self._revoking.look_after(after.integration)
        except NotFound:
            return True
        except HubError as error:
            self._signals.failed(integration.id, error.code)
            return False
        if good and not waiting:
            now = int(self._now())
            looks = [next_look(one, tokens.get(one.id), now) for one in after.credentials if one.live]
            looks += [] if next_try is None else [next_try]
            self._book.note(after.integration, min(looks, default=now + LONGEST))
        return good

    def _renewed(self, integration: Integration, tokens: dict[str, TokenSet], waiting: set[str]) -> bool:
        """Renew what is to be renewed, and collect the pairs. The trouble of one credential is not the others'.

        `waiting` gets those of which it is too early to say what became of a rotation.
        """
        good = True
        for credential in self._store.holding(integration.id).credentials:
            try:
                if credential.live:
                    self._renew(integration, credential, tokens)
            except RotationNotPermitted:
                continue
            except RotationInProgress:
                waiting.add(credential.id)
            except HubError as error:
                self._signals.failed(integration.id, error.code)
                good = False
        return good

    def _renew(self, integration: Integration, credential: Credential, tokens: dict[str, TokenSet]) -> None:
        if credential.kind == CredentialKind.OAUTH:
            if credential.status != CredentialStatus.REFRESH_FAILED:
                held = self._refresher.fresh(integration.id, credential.id, Wanted(early=True))
                tokens[credential.id] = held.tokens
            return
        self._rotator.settle(integration.id, credential.id)
        works = credential.status == CredentialStatus.VALID
        if self._rotate and works and rotation_due(credential.token_expires_at, int(self._now())):
            self._rotator.rotate(integration.id, credential.id)

    def _warn(self, credential: Credential, opened: Opened) -> None:
        """Tell of an expiry that comes nearer, once for each distance; of what needs a person, as long as it does."""
        now, told = int(self._now()), opened.get((EXPIRING, credential.id))
        self._note_refusal(credential, opened)
        same = told is not None and told.revision == credential.token_version
        last = told.details["days"] if told is not None and same else None
        days = due_warning(credential.token_expires_at, now, told=last)
        if told is not None and not same:
            self._incidents.close(EXPIRING, credential.integration_id, credential.id)
        if days is not None:
            self._signals.expiring(credential.integration_id, credential.id, days)
            self._incidents.open(expiring(credential, days, at=now))

    def _note_refusal(self, credential: Credential, opened: Opened) -> None:
        """Bring in order what a release before has left: incidents used to be written apart from their credentials."""
        found = refused(credential, at=int(self._now()))
        if found is not None and (found.kind, credential.id) not in opened:
            self._incidents.open(found)
        for kind in (LOST, REJECTED):
            if (kind, credential.id) in opened and (found is None or kind != found.kind):
                self._incidents.close(kind, credential.integration_id, credential.id)
