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
from gitlab_hub.integrations.tokens.ending import PairRevoker
from gitlab_hub.integrations.tokens.gitlab_api import NOT_DONE, TokenEndpoint
from gitlab_hub.integrations.tokens.lease import Lease, LeaseLost, Leases
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential, held_again, load_credential
from gitlab_hub.integrations.tokens.refresh_trouble import (
    ApplicationRefused,
    application_refused,
    code_of,
    is_told,
    put_off,
    trouble_of,
)
from gitlab_hub.integrations.tokens.replacement import ReplacementToken, TokenReplacement, lost
from gitlab_hub.integrations.tokens.vault import TokenSet

LEAST_SECONDS = 18.0
"""The longest call to GitLab, and the keeping of its answer: a worker that has less left must not begin."""

POLL_SECONDS = 0.5
POLLS = 36
"""A little longer than another worker takes, also with a slow GitLab."""


def unlimited() -> float:
    """Time without end, for whoever does not run against a clock."""
    return float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenNeed:
    """Why a token is asked for: to use it, because GitLab `rejected` that one, or to renew it `early`."""

    rejected: str | None = None
    early: bool = False

    def met_by(self, held: LoadedCredential, now: float) -> bool:
        """Whether what is held will do."""
        if held.tokens.access_token == self.rejected:
            return False
        return not held.expires_soon(now) and not (self.early and held.due_for_refresh(now))


class Refresher:
    """Gives tokens that work. All calls block."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        leases: Leases,
        succession: TokenReplacement,
        exchange: TokenEndpoint,
        ending: PairRevoker,
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
        remaining: Callable[[], float] = unlimited,
    ) -> None:
        self._store, self._leases, self._succession = store, leases, succession
        self._exchange, self._ending = exchange, ending
        self._now, self._sleep, self._remaining = now, sleep, remaining

    def fresh(self, integration_id: str, credential_id: str, wanted: TokenNeed | None = None) -> LoadedCredential:
        """A credential with a token for what is wanted; its access tokens are given as they are.

        Raises NeedsReauth where it is lost, Unauthorized where it is gone, ApplicationRefused where GitLab refuses its
        application, and other GitLabErrors for what may pass.
        """
        wanted = wanted or TokenNeed()
        held = load_credential(self._store, integration_id, credential_id)
        if wanted.met_by(held, self._now()):
            return held
        if not held.renewable:
            return self._replaced(held, wanted)
        if held.credential.status == CredentialStatus.REFRESH_FAILED:
            return self._found_again(held)
        if self._remaining() < LEAST_SECONDS:
            return self._as_it_is(held, wanted)
        noted = self._leases.get(integration_id, credential_id)
        if noted is not None and self._pause_left(noted, held):
            return self._as_it_is(held, wanted, noted)
        lease = self._leases.take_over(integration_id, credential_id, noted)
        return self._wait(held, wanted) if lease is None else self._renew(lease, held, wanted)

    def stale(self, held: LoadedCredential) -> bool:
        """Whether a token that was given out should be asked for again before its next use."""
        return held.expires_soon(self._now())

    def _replaced(self, held: LoadedCredential, wanted: TokenNeed) -> LoadedCredential:
        """For an access token: the one that a rotation has put, or is about to put, in its place."""
        for _ in range(POLLS):
            if (adopted := self._succession.recover(held)) is not None:
                return adopted
            if not self._leases.is_held(held.integration.id, held.credential.id):
                break
            self._sleep(POLL_SECONDS)
            held = self._again(held)
            if wanted.met_by(held, self._now()):
                break
        return held

    def _wait(self, held: LoadedCredential, wanted: TokenNeed) -> LoadedCredential:
        """Let another worker finish, or take over where it has ended."""
        if wanted.early and held.is_valid(self._now()):
            return held
        for _ in range(POLLS):
            self._sleep(POLL_SECONDS)
            lease = self._leases.take(held.integration.id, held.credential.id)
            if lease is not None:
                return self._renew(lease, held, wanted)
            held = self._again(held)
            if wanted.met_by(held, self._now()):
                return held
        return self._as_it_is(held, wanted)

    def _as_it_is(self, held: LoadedCredential, wanted: TokenNeed, noted: Lease | None = None) -> LoadedCredential:
        if wanted.rejected is None and held.is_valid(self._now()):
            return held
        raise put_off(noted.trouble if noted else "", self._pause_left(noted, held) if noted else None)

    def _pause_left(self, noted: Lease, held: LoadedCredential) -> int:
        return noted.pause_left(held.credential.generation, held.integration.secret_version, self._now())

    def _renew(self, lease: Lease, held: LoadedCredential, wanted: TokenNeed) -> LoadedCredential:
        """Under the lease: look again, then use the refresh token up."""
        held = self._again(held)
        if wanted.met_by(held, self._now()):
            self._leases.end(lease)
            return held
        calls = lease.calls_of(held.credential.generation)
        if lease.calls and lease.generation < held.credential.generation:
            self._ending.end_left_behind(held, lease.generation)
        if calls and (adopted := self._succession.recover(held)) is not None:
            self._leases.end(lease, calls=0)
            return adopted
        is_paused = self._pause_left(lease, held) > 0
        if is_paused or self._remaining() < LEAST_SECONDS:
            # Asked again: whoever was waited for may have failed, and waiting takes time.
            self._leases.end(lease)
            return self._as_it_is(held, wanted, lease if is_paused else None)
        try:
            lease = self._leases.sent(lease, held.credential.generation)
        except LeaseLost:
            return self._wait(held, wanted)
        return self._use_up(lease, calls, held, wanted)

    def _use_up(self, lease: Lease, calls: int, held: LoadedCredential, wanted: TokenNeed) -> LoadedCredential:
        application, refresh_token = held.contents.application, held.tokens.refresh_token
        if application is None or refresh_token is None:
            return self._put_off(lease, calls, held, wanted, application_refused("invalid_client"))
        asked_at = int(self._now())
        try:
            grant = self._exchange.refresh(held.integration.host_url, application, refresh_token)
        except InvalidGrant:
            return self._refused(lease, held)
        except GitLabError as error:
            return self._put_off(lease, calls, held, wanted, error)
        return self._keep(
            lease, held, ReplacementToken(tokens=pair(grant, refresh_token, asked_at), scopes=grant.scopes)
        )

    def _put_off(
        self, lease: Lease, calls: int, held: LoadedCredential, wanted: TokenNeed, error: GitLabError
    ) -> LoadedCredential:
        """Whatever this was, it was not GitLab's word that the pair has ended: it is tried again after a pause."""
        trouble = trouble_of(error)
        spent = calls if isinstance(trouble, (*NOT_DONE, ApplicationRefused)) else lease.calls
        if is_told(trouble, lease.failures + 1):
            self._succession.tell_of_trouble(held, trouble)
        self._leases.put_off(
            lease, code_of(trouble), held.integration.secret_version, calls=spent, asked=trouble.retry_after
        )
        if wanted.rejected is None and held.is_valid(self._now()):
            return held
        raise trouble

    def _keep(self, lease: Lease, held: LoadedCredential, successor: ReplacementToken) -> LoadedCredential:
        try:
            kept = self._succession.store(held, successor)
        except Unauthorized:
            # Removed meanwhile: nobody else knows of this pair, so nobody else could end it.
            self._ending.end_unused(held, successor.tokens)
            raise
        if kept.tokens != successor.tokens:
            # A new authorization took the place of the pair that was being renewed.
            self._ending.end_unused(held, successor.tokens)
        self._leases.end(lease, calls=0)
        return kept

    def _found_again(self, held: LoadedCredential) -> LoadedCredential:
        """What was given up for lost may have been kept by a worker that was only slow."""
        adopted = self._succession.recover(held)
        if adopted is None:
            raise lost("refresh_failed")
        return adopted

    def _refused(self, lease: Lease, held: LoadedCredential) -> LoadedCredential:
        """Find what came of a refresh token that was used up before."""
        current = self._again(held)
        if current.credential.generation != held.credential.generation:
            self._leases.end(lease)
            return current
        if (adopted := self._succession.recover(held)) is not None:
            self._leases.end(lease)
            return adopted
        return self._give_up(lease, held, "invalid_grant")

    def _give_up(self, lease: Lease, held: LoadedCredential, reason: str) -> LoadedCredential:
        error = self._succession.mark_lost(held, reason)
        self._leases.end(lease)
        current = self._again(held)
        if current.credential.generation != held.credential.generation:
            return current
        raise error

    def _again(self, held: LoadedCredential) -> LoadedCredential:
        return held_again(self._store, held)


def pair(grant: Grant, refresh_token: str | None, asked_at: int) -> TokenSet:
    """The pair to keep. A GitLab that gives no new refresh token means the old one (RFC 6749, 6)."""
    return TokenSet(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token or refresh_token,
        issued_at=asked_at,
        expires_at=None if grant.seconds is None else asked_at + grant.seconds,
    )
