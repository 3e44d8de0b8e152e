"""Looking after every integration's tokens when it is time, so that nobody has to think of them.

A tick reads the integrations of which something is due: a token ages, an expiry comes nearer, the integration has
changed, or a day has gone by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.integrations.errors import RotationInProgress, RotationNotPermitted
from gitlab_hub.integrations.model import Credential, CredentialKind, CredentialStatus, Integration
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.alerts import TokenAlerts
from gitlab_hub.integrations.tokens.due import (
    RETRY_SECONDS,
    changed,
    daily,
    due_token_checks,
    due_warning,
    next_check,
    rotation_due,
)
from gitlab_hub.integrations.tokens.incidents import EXPIRING, LOST, REJECTED, expiring, refused
from gitlab_hub.integrations.tokens.refresh import LEAST_SECONDS, Refresher, TokenNeed
from gitlab_hub.integrations.tokens.revocation_queue import RevocationQueue
from gitlab_hub.integrations.tokens.rotation import TokenRotator
from gitlab_hub.integrations.tokens.vault import TokenSet
from gitlab_hub.storage.due import Due
from gitlab_hub.storage.ports import StorageRefused, Table

Opened = dict[tuple[str, str], Incident]


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What a tick came to: integrations that were due and looked after, those with trouble, whether all had a turn."""

    seen: int
    failed: int
    complete: bool


class TokenMonitor:
    """The jobs of a tick over tokens. `rotate` = access tokens may be rotated before they expire."""

    def __init__(
        self,
        *,
        table: Table,
        store: IntegrationStore,
        refresher: Refresher,
        rotator: TokenRotator,
        revocation_queue: RevocationQueue,
        incidents: IncidentStore,
        alerts: TokenAlerts,
        rotate: bool,
        now: Callable[[], float],
    ) -> None:
        self._store, self._revocation_queue = store, revocation_queue
        self._refresher, self._rotator = refresher, rotator
        self._incidents, self._alerts, self._rotate, self._now = incidents, alerts, rotate, now
        self._due = due_token_checks(table)
        self._refusals: list[StorageRefused] = []

    def tick(self, remaining: Callable[[], float]) -> TickReport:
        """Look after what is due, what waits longest first, as far as there is time.

        Raises StorageRefused at its end where AWS refuses something of an integration: it holds up no other one.
        """
        self._refusals.clear()
        report = self._tick(remaining)
        if self._refusals:
            raise self._refusals[0]
        return report

    def _tick(self, remaining: Callable[[], float]) -> TickReport:
        if remaining() < 2 * LEAST_SECONDS:
            return TickReport(seen=0, failed=0, complete=False)
        now, checked = int(self._now()), dict[str, bool]()
        self._due.walk(self._add_missing_due_rows, now)
        for page in self._due.pages(now):
            there = {one.id: one for one in self._store.many({one.subject for one in page})}
            for one in page:
                if remaining() < 2 * LEAST_SECONDS:
                    return _report(checked, complete=False)
                if one.subject not in there or one.subject in checked:
                    self._due.drop([one])
                    continue
                # Moved before it is checked: one that ends the process is not the first of the next tick too.
                again = Due(one.subject, now + RETRY_SECONDS, "again")
                self._due.add([again])
                self._due.drop([one])
                checked[one.subject] = self._checked(there[one.subject], again)
        return _report(checked, complete=True)

    def _add_missing_due_rows(self, after: str | None) -> str | None:
        """Have a page of integrations looked at once a day, whatever was noted of them."""
        page, last = self._store.page(after)
        self._due.add_missing(daily(one.id, int(self._now())) for one in page)
        return last

    def _checked(self, integration: Integration, again: Due) -> bool:
        """Whether an integration was looked after without trouble; its trouble is not the others'.

        It is looked at `again` where there was trouble, else when there will be something to do.
        """
        tokens: dict[str, TokenSet] = {}
        waiting: set[str] = set()
        try:
            good = self._renewed(integration, tokens, waiting)
            after = self._store.holding(integration.id)
            opened: Opened = {(one.kind, one.subject): one for one in self._incidents.of(integration.id)}
            for credential in after.credentials:
                if credential.live:
                    self._warn(credential, opened)
            next_try = self._revocation_queue.revoke_due(after.integration)
        except NotFound:
            self._due.drop([again])
            return True
        except HubError as error:
            self._failed(integration, error)
            return False
        if good and not waiting:
            now = int(self._now())
            looks = [next_check(one, tokens.get(one.id), now) for one in after.credentials if one.live]
            self._schedule_next(after.integration, [one for one in (*looks, next_try) if one is not None], again)
        return good

    def _schedule_next(self, integration: Integration, moments: list[int], again: Due) -> None:
        # What this look itself has changed needs no other one.
        self._due.drop([changed(integration)])
        if moments and min(moments) <= self._now():
            return  # As of a token that GitLab does not renew just now: it waits as trouble does.
        self._due.add(Due(integration.id, one, f"integration {integration.version}") for one in sorted(moments)[:1])
        self._due.drop([again])

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
                self._failed(integration, error)
                good = False
        return good

    def _failed(self, integration: Integration, error: HubError) -> None:
        self._alerts.failed(integration.id, error.code)
        if isinstance(error, StorageRefused):
            self._refusals.append(error)

    def _renew(self, integration: Integration, credential: Credential, tokens: dict[str, TokenSet]) -> None:
        if credential.kind == CredentialKind.OAUTH:
            if credential.status != CredentialStatus.REFRESH_FAILED:
                loaded = self._refresher.get_credential(integration.id, credential.id, TokenNeed(early=True))
                tokens[credential.id] = loaded.tokens
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
            self._alerts.expiring(credential.integration_id, credential.id, days)
            self._incidents.open(expiring(credential, days, at=now))

    def _note_refusal(self, credential: Credential, opened: Opened) -> None:
        """Bring in order what a release before has left: incidents used to be written apart from their credentials."""
        found = refused(credential, at=int(self._now()))
        if found is not None and (found.kind, credential.id) not in opened:
            self._incidents.open(found)
        for kind in (LOST, REJECTED):
            if (kind, credential.id) in opened and (found is None or kind != found.kind):
                self._incidents.close(kind, credential.integration_id, credential.id)


def _report(checked: Mapping[str, bool], *, complete: bool) -> TickReport:
    return TickReport(seen=len(checked), failed=list(checked.values()).count(False), complete=complete)
