"""An authorization from its beginning to a working integration."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import HubError, InvalidInput, NotFound
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.gitlab.oauth import Application, Grant, code_fields
from gitlab_hub.integrations.errors import AccountMismatch, DuplicateIntegration
from gitlab_hub.integrations.model import NOBODY, AuthMode, Integration, IntegrationStatus, IntegrationWithCredentials
from gitlab_hub.integrations.oauth.apply import (
    CONFIDENTIAL,
    accepted,
    asked_for,
    check_account,
    check_scopes,
    in_use,
)
from gitlab_hub.integrations.oauth.flow_store import FlowStore
from gitlab_hub.integrations.oauth.keys import FlowKeys, digest, encoded
from gitlab_hub.integrations.oauth.pending import (
    CallbackContext,
    PendingAuthorization,
    authorize_url,
    check,
    unknown_state,
)
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.tokens.gitlab_api import TokenEndpoint
from gitlab_hub.integrations.tokens.pair_revoker import PairRevoker
from gitlab_hub.integrations.tokens.refresh import token_pair
from gitlab_hub.integrations.tokens.revocation_queue import RevocationQueue
from gitlab_hub.integrations.tokens.vault import TokenSet
from gitlab_hub.integrations.verification.checks import Facts
from gitlab_hub.integrations.verification.outcome import shown_no_pipelines
from gitlab_hub.integrations.verification.refusals import refusal
from gitlab_hub.integrations.verification.verifier import Subject, Verifier
from gitlab_hub.storage.ports import SecretMissing
from gitlab_hub.web.errors import PermissionDenied
from gitlab_hub.web.principal import Principal, Role, is_from_gitlab


class Principals(Protocol):
    """The callers behind hub tokens."""

    def principal_by_id(self, token_id: str) -> Principal | None:
        """Who a token stands for now; None where it was revoked, has expired or is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationStarted:
    """What somebody needs to authorize an integration; both addresses are secrets until used."""

    authorize_url: str = field(repr=False)
    ticket: str = field(repr=False)
    ends_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserBound:
    """Where a browser goes, and the value that it must bring back."""

    authorize_url: str = field(repr=False)
    browser: str = field(repr=False)


class OAuthFlow:
    """Begins and finishes authorizations."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        flows: FlowStore,
        keys: FlowKeys,
        token_endpoint: TokenEndpoint,
        pair_revoker: PairRevoker,
        revocation_queue: RevocationQueue,
        verifier: Verifier,
        principals: Principals,
        audit: AuditLog,
        mark_deleting: Callable[[str], object],
        now: Callable[[], float],
        random: Callable[[], bytes] = lambda: secrets.token_bytes(32),
    ) -> None:
        self._store, self._flows, self._keys = store, flows, keys
        self._token_endpoint, self._pair_revoker, self._revocation_queue = (
            token_endpoint,
            pair_revoker,
            revocation_queue,
        )
        self._verifier, self._principals = verifier, principals
        self._audit, self._mark_deleting, self._now, self._random = audit, mark_deleting, now, random

    def begin(
        self,
        integration_id: str,
        *,
        redirect_uri: str,
        redirect_url: str | None,
        features: Mapping[str, bool],
        caller: Principal,
        seed: str,
    ) -> AuthorizationStarted:
        """Begin an authorization; every earlier one of the integration is void from now on.

        `features` are switched on or off when it is finished, and the scopes that they need are asked for.
        """
        integration = self._by_oauth(integration_id)
        self._application(integration)
        state, ticket = self._keys.state(seed), self._keys.ticket(seed)
        pending = PendingAuthorization(
            flow=self._keys.flow(seed),
            integration_id=integration_id,
            host_url=integration.host_url,
            redirect_uri=redirect_uri,
            redirect_url=redirect_url,
            initiator=caller.token_id,
            signed_in=caller.to_context() if is_from_gitlab(caller.token_id) else {},
            created_at=int(self._now()),
            features=features,
        )
        wanted = {"after": {"features": dict(features)}} if features else {}
        self._audit.record(AuditAction.OAUTH_BEGIN, actor=caller.token_id, integration_id=integration_id, **wanted)
        kept = self._flows.begin(pending, state=state, ticket=ticket)
        return AuthorizationStarted(
            authorize_url=self._url(integration, kept, state), ticket=ticket, ends_at=kept.ends_at
        )

    def open(self, ticket: str) -> BrowserBound:
        """Bind an authorization to the browser that opens its link. Raises InvalidState."""
        pending = self._flows.open(ticket)
        if pending is None:
            raise unknown_state()
        check(pending, CallbackContext(), newest=True, now=self._now())
        state, browser = encoded(self._random()), encoded(self._random())
        bound = replace(pending, browser=digest(browser))
        integration = self._by_oauth(pending.integration_id)
        if not self._flows.rebind(bound, state=state):
            raise unknown_state()
        return BrowserBound(authorize_url=self._url(integration, bound, state), browser=browser)

    def consume_state(self, state: str, context: CallbackContext) -> PendingAuthorization:
        """Take an authorization out, for good. Raises InvalidState where it is not this one's to finish."""
        pending = self._flows.take(state)
        if pending is None:
            raise unknown_state()
        check(pending, context, newest=self._flows.is_newest(pending, state=state), now=self._now())
        return pending

    def finish(self, pending: PendingAuthorization, *, code: str, state: str) -> Integration:
        """Trade the code for a pair of tokens, verify it, and let the integration work with it.

        Raises PermissionDenied, NotFound, what a verification raises, AccountMismatch or DuplicateIntegration; what was
        stored is as before then, and the new pair has ended.
        """
        initiator = self._initiator(pending)
        was = self._by_oauth(pending.integration_id)
        integration = pending.intended(was)
        application = self._application(integration)
        moved = {"before": _features(was), "after": _features(integration)} if pending.features else {}
        self._audit.record(AuditAction.OAUTH_FINISH, actor=pending.initiator, integration_id=integration.id, **moved)
        asked_at = int(self._now())
        verifier = self._keys.verifier(state)
        fields = code_fields(application, code=code, verifier=verifier, redirect_uri=pending.redirect_uri)
        grant = self._token_endpoint.exchange_code(pending.host_url, fields)
        tokens, credential_id = token_pair(grant, None, asked_at), f"cred_{digest(state)[:20]}"
        try:
            facts = self._verified(integration, grant)
        except HubError:
            self._revocation_queue.refuse(integration.id, pending.host_url, credential_id, application, tokens)
            raise
        try:
            return self._keep(pending, application, facts, grant, tokens, credential_id)
        except DuplicateIntegration as error:
            if integration.status == IntegrationStatus.INACTIVE:
                # It would stay unfinished for ever. The caretaker removes what belongs to it, its secret too.
                self._mark_deleting(integration.id)
                error = error.having_removed(integration.id)
            raise error.shown_to(initiator.can_see) from None

    def finished(self, integration_id: str, *, state: str, seed: str) -> Integration | None:
        """The integration, if this very request (by its seed) has finished its authorization before."""
        return self._store.get(integration_id) if self._flows.is_finished(integration_id, state, seed) else None

    def note_finished(self, integration_id: str, *, state: str, seed: str) -> None:
        """Remember which request has finished an authorization, so that its repetition is answered the same."""
        self._flows.note_finished(integration_id, state, seed)

    def _verified(self, integration: Integration, grant: Grant) -> Facts:
        if grant.refresh_token is None:
            raise UnexpectedResponse("GitLab gave a token without a refresh token, so it could never be renewed.")
        check_scopes(grant.scopes, asked_for(integration), writes=integration.features.write)
        subject = Subject(
            host_url=integration.host_url,
            token=grant.access_token,
            group=integration.group,
            group_id=integration.group_id,
            features=integration.features,
            oauth=True,
        )
        verification = self._verifier.verify(
            subject, lambda host, account: self._store.shares_gitlab_user(host, account, integration_id=integration.id)
        )
        check_account(integration, verification.facts.account)
        # Somebody who authorizes again is the user that there was, whose role the last pair had as well.
        is_known = integration.account != NOBODY and shown_no_pipelines(verification)
        if not is_known and (error := refusal(verification)):
            raise error
        return verification.facts

    def _keep(
        self,
        pending: PendingAuthorization,
        application: Application,
        facts: Facts,
        grant: Grant,
        tokens: TokenSet,
        credential_id: str,
    ) -> Integration:
        seen: list[IntegrationWithCredentials] = []

        def decide(found: IntegrationWithCredentials) -> Change:
            seen.append(found)
            return accepted(found, pending, facts, grant, tokens, credential_id=credential_id, now=int(self._now()))

        try:
            kept = self._store.change(pending.integration_id, decide).integration
        except (AccountMismatch, DuplicateIntegration, NotFound):
            # Only refusals: after any other trouble the pair may be stored all the same.
            self._revocation_queue.refuse(pending.integration_id, pending.host_url, credential_id, application, tokens)
            raise
        replaced = in_use(seen[-1])
        if replaced is not None:
            # What was stored at that very moment, which a refresh may have changed since this began. Whoever still uses
            # it is told 401, and reads the new pair; whoever renews it at this moment ends what that brings.
            self._pair_revoker.end(seen[-1].integration, replaced)
        return kept

    def _initiator(self, pending: PendingAuthorization) -> Principal:
        """Whoever began it must still be allowed to; hub tokens are revoked, and roles are lowered.

        Of somebody who has signed in with GitLab counts what they might do when they began it, minutes ago.
        """
        was = Principal.from_context(pending.signed_in)
        principal = was or self._principals.principal_by_id(pending.initiator)
        if principal is None or not principal.role.includes(Role.ADMIN):
            raise PermissionDenied("The hub token that began this may not connect a GitLab any more.")
        if not principal.can_see(pending.integration_id):
            raise PermissionDenied("The hub token that began this may not see the integration any more.")
        return principal

    def _by_oauth(self, integration_id: str) -> Integration:
        integration = self._store.require(integration_id)
        if integration.auth_mode != AuthMode.OAUTH_APP or integration.client_id is None:
            raise InvalidInput("This integration uses an access token; there is nothing to authorize.")
        return integration

    def _application(self, integration: Integration) -> Application:
        try:
            contents = self._store.vault.read(integration.id, integration.secret_version)
        except SecretMissing:
            raise NotFound("The integration was removed at this moment.") from None
        application = contents.application
        if application is None or application.client_secret is None:
            # Kept by an earlier release.
            raise InvalidInput(f"{CONFIDENTIAL} PATCH /v1/integrations/{{id}} takes it.")
        return application

    def _url(self, integration: Integration, pending: PendingAuthorization, state: str) -> str:
        return authorize_url(
            pending,
            state=state,
            verifier=self._keys.verifier(state),
            client_id=integration.client_id or "",
            scopes=asked_for(pending.intended(integration)),
        )


def _features(integration: Integration) -> dict[str, Any]:
    return {"features": asdict(integration.features)}
