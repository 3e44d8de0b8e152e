"""Looking after every integration's tokens now and then, so that nobody has to think of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.care.credential_incidents import EXPIRING, LOST, REJECTED, expiring, refused
from gitlab_hub.integrations.care.refresh import LEAST_SECONDS, Refresher, Wanted
from gitlab_hub.integrations.care.rotation import Rotator
from gitlab_hub.integrations.care.signals import Signals
from gitlab_hub.integrations.care.warnings import due_warning, rotation_due
from gitlab_hub.integrations.errors import RotationInProgress, RotationNotPermitted
from gitlab_hub.integrations.model import Credential, CredentialKind, CredentialStatus, Holding, Integration
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.storage.table import Table

_POSITION = ("CARE", "POSITION")
_QUIET = (RotationInProgress, RotationNotPermitted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What a tick came to: integrations looked at, those with trouble, and whether all had their turn."""

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
        incidents: IncidentStore,
        signals: Signals,
        rotate: bool,
        now: Callable[[], float],
    ) -> None:
        self._table, self._store, self._refresher, self._rotator = table, store, refresher, rotator
        self._incidents, self._signals, self._rotate, self._now = incidents, signals, rotate, now

    def tick(self, remaining: Callable[[], float]) -> Tended:
        """Look after as many integrations as there is time for, beginning behind the one that was last."""
        seen = failed = 0
        for integration in self._in_turn():
            if remaining() < 2 * LEAST_SECONDS:
                return Tended(seen=seen, failed=failed, complete=False)
            # Noted before it is tended: one that ends the process is not the first of the next tick too.
            self._table.put({"pk": _POSITION[0], "sk": _POSITION[1], "schema_version": 1, "after": integration.id})
            seen += 1
            failed += not self._tended(integration)
        return Tended(seen=seen, failed=failed, complete=True)

    def _in_turn(self) -> Iterator[Integration]:
        stored = self._table.get(*_POSITION)
        last = str(stored["after"]) if stored else ""
        yield from self._store.after(last or None)
        if last:
            yield from (one for one in self._store.after(None) if one.id <= last)

    def _tended(self, integration: Integration) -> bool:
        """Whether an integration was looked after without trouble; its trouble is not the others'."""
        try:
            holding = self._store.holding(integration.id)
        except NotFound:
            return True
        except HubError as error:
            self._signals.failed(integration.id, error.code)
            return False
        done = [self._one(holding, credential) for credential in holding.credentials if credential.live]
        return all(done)

    def _one(self, holding: Holding, credential: Credential) -> bool:
        good = True
        try:
            self._renew(holding.integration, credential)
        except _QUIET:
            pass
        except HubError as error:
            self._signals.failed(holding.integration.id, error.code)
            good = False
        try:
            self._warn(holding.integration.id, credential.id)
        except HubError as error:
            self._signals.failed(holding.integration.id, error.code)
            good = False
        return good

    def _renew(self, integration: Integration, credential: Credential) -> None:
        if credential.kind == CredentialKind.OAUTH:
            if credential.status != CredentialStatus.REFRESH_FAILED:
                self._refresher.fresh(integration.id, credential.id, Wanted(early=True))
            return
        self._rotator.settle(integration.id, credential.id)
        works = credential.status == CredentialStatus.VALID
        if self._rotate and works and rotation_due(credential.token_expires_at, int(self._now())):
            self._rotator.rotate(integration.id, credential.id)

    def _warn(self, integration_id: str, credential_id: str) -> None:
        """Tell of an expiry that comes nearer, once for each distance; of a loss, as long as it lasts."""
        credential = self._store.holding(integration_id).credential(credential_id)
        if credential is None:
            return
        self._note_loss(credential)
        told = self._incidents.get(EXPIRING, integration_id, credential_id)
        same = told is not None and told.revision == credential.token_version
        last = told.details["days"] if told is not None and same else None
        days = due_warning(credential.token_expires_at, int(self._now()), told=last)
        if days is not None:
            self._signals.expiring(integration_id, credential_id, days)
            if told is not None and not same:
                self._incidents.close(EXPIRING, integration_id, credential_id)
            self._incidents.open(expiring(credential, days, at=int(self._now())))
        elif told is not None and not same:
            self._incidents.close(EXPIRING, integration_id, credential_id)

    def _note_loss(self, credential: Credential) -> None:
        found = refused(credential, at=int(self._now()))
        if found is not None:
            self._incidents.open(found)
        for kind in (LOST, REJECTED):
            if found is None or kind != found.kind:
                self._incidents.close(kind, credential.integration_id, credential.id)
