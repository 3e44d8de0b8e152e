"""Renewing an OAuth pair: by one worker at a time, and as often as it takes.

GitLab ends both old tokens the moment it answers, so a refresh whose answer is lost may have cost the pair. A refresh
token that was used already is safe to present again: GitLab keeps no `previous_refresh_token` (db/init_structure.sql,
oauth_access_tokens), so Doorkeeper looks at the token first, answers `invalid_grant`, and revokes nothing else
(doorkeeper, lib/doorkeeper/oauth/refresh_token_request.rb). So only that answer, without a successor that some worker
has kept, is the end of a pair. After everything else it is tried again, with growing pauses.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gitlab_hub.gitlab.errors import GitLabError, InvalidGrant, Unauthorized
from gitlab_hub.gitlab.oauth import Grant
from gitlab_hub.integrations.model import CredentialStatus
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.gitlab_api import NOT_DONE, TokenEndpoint, unlimited
from gitlab_hub.integrations.tokens.lease import Lease, LeaseLost, Leases
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential, load_credential, reload_credential
from gitlab_hub.integrations.tokens.pair_revoker import PairRevoker
from gitlab_hub.integrations.tokens.refresh_trouble import (
    ApplicationRefused,
    application_refused,
    as_refresh_error,
    code_of,
    needs_person,
    schedule_retry,
)
from gitlab_hub.integrations.tokens.replacement import ReplacementToken, TokenReplacement, lost
from gitlab_hub.integrations.tokens.vault import TokenSet

LEAST_SECONDS = 18.0
"""The longest call to GitLab, and the keeping of its answer: a worker that has less left must not begin."""

POLL_SECONDS = 0.5
POLLS = 36
"""A little longer than another worker takes, also with a slow GitLab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNeed:
    """Why a token is asked for: to use it, because GitLab `rejected` that one, or to renew it `early`."""

    rejected: str | None = None
    early: bool = False

    def satisfied_by(self, loaded: LoadedCredential, now: float) -> bool:
        """Whether what was loaded will do."""
        if loaded.tokens.access_token == self.rejected:
            return False
        return not loaded.expires_soon(now) and not (self.early and loaded.due_for_refresh(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalParts:
    """What a token is renewed with, be it a pair or an access token; `remaining` is the function's time in seconds."""

    store: IntegrationStore
    leases: Leases
    replacement: TokenReplacement
    token_endpoint: TokenEndpoint
    pair_revoker: PairRevoker
    now: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    remaining: Callable[[], float] = unlimited


class Refresher:
    """Gives tokens that work. All calls block."""

    def __init__(self, parts: RenewalParts) -> None:
        self._store, self._leases, self._replacement = parts.store, parts.leases, parts.replacement
        self._token_endpoint, self._pair_revoker = parts.token_endpoint, parts.pair_revoker
        self._now, self._sleep, self._remaining = parts.now, parts.sleep, parts.remaining

    def get_credential(
        self, integration_id: str, credential_id: str, need: TokenNeed | None = None
    ) -> LoadedCredential:
        """A credential with a token for what is wanted; its access tokens are given as they are.

        Raises NeedsReauth where it is lost, Unauthorized where it is gone, ApplicationRefused where GitLab refuses its
        application, and other GitLabErrors for what may pass.
        """
        need = need or TokenNeed()
        loaded = load_credential(self._store, integration_id, credential_id)
        if need.satisfied_by(loaded, self._now()):
            return loaded
        if not loaded.renewable:
            return self._await_rotation(loaded, need)
        if loaded.credential.status == CredentialStatus.REFRESH_FAILED:
            return self._recover_lost(loaded)
        if self._remaining() < LEAST_SECONDS:
            return self._current_or_raise(loaded, need)
        noted = self._leases.get(integration_id, credential_id)
        if noted is not None and self._pause_left(noted, loaded):
            return self._current_or_raise(loaded, need, noted)
        lease = self._leases.take_over(integration_id, credential_id, noted)
        return self._wait(loaded, need) if lease is None else self._renew_under_lease(lease, loaded, need)

    def needs_refresh(self, loaded: LoadedCredential) -> bool:
        """Whether a token that was given out should be asked for again before its next use."""
        return loaded.expires_soon(self._now())

    def _await_rotation(self, loaded: LoadedCredential, need: TokenNeed) -> LoadedCredential:
        """For an access token: the one that a rotation has put, or is about to put, in its place."""
        for _ in range(POLLS):
            if (adopted := self._replacement.recover(loaded)) is not None:
                return adopted
            if not self._leases.is_held(loaded.integration.id, loaded.credential.id):
                break
            self._sleep(POLL_SECONDS)
            loaded = self._reload(loaded)
            if need.satisfied_by(loaded, self._now()):
                break
        return loaded

    def _wait(self, loaded: LoadedCredential, need: TokenNeed) -> LoadedCredential:
        """Let another worker finish, or take over where it has ended."""
        if need.early and loaded.is_valid(self._now()):
            return loaded
        for _ in range(POLLS):
            self._sleep(POLL_SECONDS)
            lease = self._leases.take(loaded.integration.id, loaded.credential.id)
            if lease is not None:
                return self._renew_under_lease(lease, loaded, need)
            loaded = self._reload(loaded)
            if need.satisfied_by(loaded, self._now()):
                return loaded
        return self._current_or_raise(loaded, need)

    def _current_or_raise(
        self, loaded: LoadedCredential, need: TokenNeed, noted: Lease | None = None
    ) -> LoadedCredential:
        if need.rejected is None and loaded.is_valid(self._now()):
            return loaded
        raise schedule_retry(noted.trouble if noted else "", self._pause_left(noted, loaded) if noted else None)

    def _pause_left(self, noted: Lease, loaded: LoadedCredential) -> int:
        return noted.pause_left(loaded.credential.generation, loaded.integration.secret_version, self._now())

    def _renew_under_lease(self, lease: Lease, loaded: LoadedCredential, need: TokenNeed) -> LoadedCredential:
        """Under the lease: look again, then use the refresh token up."""
        loaded = self._reload(loaded)
        if need.satisfied_by(loaded, self._now()):
            self._leases.end(lease)
            return loaded
        calls = lease.calls_of(loaded.credential.generation)
        if lease.calls and lease.generation < loaded.credential.generation:
            self._pair_revoker.end_left_behind(loaded, lease.generation)
        if calls and (adopted := self._replacement.recover(loaded)) is not None:
            self._leases.end(lease, calls=0)
            return adopted
        is_paused = self._pause_left(lease, loaded) > 0
        if is_paused or self._remaining() < LEAST_SECONDS:
            # Asked again: whoever was waited for may have failed, and waiting takes time.
            self._leases.end(lease)
            return self._current_or_raise(loaded, need, lease if is_paused else None)
        try:
            lease = self._leases.sent(lease, loaded.credential.generation)
        except LeaseLost:
            return self._wait(loaded, need)
        return self._call_endpoint(lease, calls, loaded, need)

    def _call_endpoint(self, lease: Lease, calls: int, loaded: LoadedCredential, need: TokenNeed) -> LoadedCredential:
        application, refresh_token = loaded.contents.application, loaded.tokens.refresh_token
        if application is None or refresh_token is None:
            return self._schedule_retry(lease, calls, loaded, need, application_refused("invalid_client"))
        asked_at = int(self._now())
        try:
            grant = self._token_endpoint.refresh(loaded.integration.host_url, application, refresh_token)
        except InvalidGrant:
            return self._handle_invalid_grant(lease, loaded)
        except GitLabError as error:
            return self._schedule_retry(lease, calls, loaded, need, error)
        return self._store_pair(
            lease, loaded, ReplacementToken(tokens=token_pair(grant, refresh_token, asked_at), scopes=grant.scopes)
        )

    def _schedule_retry(
        self, lease: Lease, calls: int, loaded: LoadedCredential, need: TokenNeed, error: GitLabError
    ) -> LoadedCredential:
        """Whatever this was, it was not GitLab's word that the pair has ended: it is tried again after a pause."""
        trouble = as_refresh_error(error)
        spent = calls if isinstance(trouble, (*NOT_DONE, ApplicationRefused)) else lease.calls
        if needs_person(trouble, lease.failures + 1):
            self._replacement.report_trouble(loaded, trouble)
        self._leases.schedule_retry(
            lease, code_of(trouble), loaded.integration.secret_version, calls=spent, asked=trouble.retry_after
        )
        if need.rejected is None and loaded.is_valid(self._now()):
            return loaded
        raise trouble

    def _store_pair(self, lease: Lease, loaded: LoadedCredential, successor: ReplacementToken) -> LoadedCredential:
        try:
            kept = self._replacement.store(loaded, successor)
        except Unauthorized:
            # Removed meanwhile: nobody else knows of this pair, so nobody else could end it.
            self._pair_revoker.end_unused(loaded, successor.tokens)
            raise
        if kept.tokens != successor.tokens:
            # A new authorization took the place of the pair that was being renewed.
            self._pair_revoker.end_unused(loaded, successor.tokens)
        self._leases.end(lease, calls=0)
        return kept

    def _recover_lost(self, loaded: LoadedCredential) -> LoadedCredential:
        """What was given up for lost may have been kept by a worker that was only slow."""
        adopted = self._replacement.recover(loaded)
        if adopted is None:
            raise lost("refresh_failed")
        return adopted

    def _handle_invalid_grant(self, lease: Lease, loaded: LoadedCredential) -> LoadedCredential:
        """Find what came of a refresh token that was used up before."""
        current = self._reload(loaded)
        if current.credential.generation != loaded.credential.generation:
            self._leases.end(lease)
            return current
        if (adopted := self._replacement.recover(loaded)) is not None:
            self._leases.end(lease)
            return adopted
        return self._mark_lost(lease, loaded, "invalid_grant")

    def _mark_lost(self, lease: Lease, loaded: LoadedCredential, reason: str) -> LoadedCredential:
        error = self._replacement.mark_lost(loaded, reason)
        self._leases.end(lease)
        current = self._reload(loaded)
        if current.credential.generation != loaded.credential.generation:
            return current
        raise error

    def _reload(self, loaded: LoadedCredential) -> LoadedCredential:
        return reload_credential(self._store, loaded)


def token_pair(grant: Grant, refresh_token: str | None, asked_at: int) -> TokenSet:
    """The pair to keep. A GitLab that gives no new refresh token means the old one (RFC 6749, 6)."""
    return TokenSet(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or refresh_token,
        issued_at=asked_at,
        expires_at=None if grant.seconds is None else asked_at + grant.seconds,
    )
