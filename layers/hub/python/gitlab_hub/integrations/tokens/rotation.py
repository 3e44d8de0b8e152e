"""Rotating an access token by itself: one call per token, whatever becomes of it.

GitLab ends the old token at once, and takes a second rotation of it for theft: it then revokes the new one too. So a
call of which nobody knows what became is never repeated before GitLab has said that the old token still lives.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from gitlab_hub.gitlab.client import Reply
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    MissingPermissions,
    RateLimited,
    ReadOnly,
    ResourceNotFound,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from gitlab_hub.gitlab.fields import mapping, midnight
from gitlab_hub.gitlab.granular import is_fine_grained
from gitlab_hub.gitlab.tokens import sendable
from gitlab_hub.integrations.errors import RotationInProgress, RotationNotPermitted
from gitlab_hub.integrations.tokens.gitlab_api import NOT_DONE
from gitlab_hub.integrations.tokens.lease import Lease, LeaseLost
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential, load_credential
from gitlab_hub.integrations.tokens.refresh import LEAST_SECONDS, RenewalParts
from gitlab_hub.integrations.tokens.replacement import ReplacementToken
from gitlab_hub.integrations.tokens.vault import TokenSet

OLDEST = (16, 10)
SCOPES = frozenset({"api", "self_rotate"})
QUIET_SECONDS = 900
"""For so long a request that was given up may still be on its way to GitLab."""

SHORTEST_DAYS, LONGEST_DAYS, USUAL_DAYS = 7, 365, 90


class TokenRotator:
    """Rotates access tokens. All calls block."""

    def __init__(self, parts: RenewalParts) -> None:
        self._store, self._leases, self._replacement = parts.store, parts.leases, parts.replacement
        self._token_endpoint, self._pair_revoker = parts.token_endpoint, parts.pair_revoker
        self._now, self._remaining = parts.now, parts.remaining

    def rotate(self, integration_id: str, credential_id: str) -> LoadedCredential:
        """Put a new token in the place of an access token.

        Raises RotationInProgress, RotationNotPermitted, NeedsReauth (it is lost) and other GitLabErrors.
        """
        self._check_time()
        lease = self._leases.take(integration_id, credential_id)
        if lease is None:
            raise _in_progress()
        loaded = load_credential(self._store, integration_id, credential_id)
        if (settled := self._settled(lease, loaded)) is not None:
            return settled
        expires_on = self._permitted(lease, loaded)
        try:
            lease = self._leases.sent(lease, loaded.credential.generation)
        except LeaseLost:
            raise _in_progress() from None
        return self._call_endpoint(lease, loaded, expires_on)

    def settle(self, integration_id: str, credential_id: str) -> None:
        """Find out what became of a call that nobody has heard of again; without one, do nothing."""
        noted = self._leases.get(integration_id, credential_id)
        if noted is None or not noted.calls:
            return
        loaded = load_credential(self._store, integration_id, credential_id)
        if not noted.calls_of(loaded.credential.generation):
            return
        lease = self._leases.take(integration_id, credential_id)
        if lease is not None and self._settled(lease, loaded) is None:
            self._leases.end(lease, calls=0)

    def _settled(self, lease: Lease, loaded: LoadedCredential) -> LoadedCredential | None:
        """The token that an earlier call has brought; None where none was made, or it had no effect."""
        if not lease.calls_of(loaded.credential.generation):
            return None
        adopted = self._replacement.recover(loaded)
        if adopted is not None:
            self._leases.end(lease)
            return adopted
        try:
            self._token_endpoint.describe(loaded.integration.host_url, loaded.tokens.access_token)
        except Unauthorized:
            error = self._replacement.mark_lost(loaded, "unknown_outcome")
            self._leases.end(lease, calls=0)
            raise error from None
        except GitLabError:
            self._leases.end(lease)
            raise
        if self._now() - lease.sent_at < QUIET_SECONDS:
            self._leases.end(lease)
            raise _in_progress()
        return None

    def _permitted(self, lease: Lease, loaded: LoadedCredential) -> str:
        """The last day to ask for. Raises RotationNotPermitted where GitLab would refuse it."""
        try:
            _check_version(loaded.integration.gitlab_version)
            facts = self._token_endpoint.describe(loaded.integration.host_url, loaded.tokens.access_token)
            _check_scopes(facts.get("scopes"))
            self._check_time()
        except (GitLabError, RotationNotPermitted):
            self._leases.end(lease, calls=0)
            raise
        return _last_day(facts, self._now())

    def _check_time(self) -> None:
        """Asked before the lease is taken and right before the call, as GitLab may have taken its time in between."""
        if self._remaining() < LEAST_SECONDS:
            raise Unavailable("There is too little time left for a rotation; try again.", retry_after=1)

    def _call_endpoint(self, lease: Lease, loaded: LoadedCredential, expires_on: str) -> LoadedCredential:
        host_url, token = loaded.integration.host_url, loaded.tokens.access_token
        try:
            successor = _successor(self._token_endpoint.rotate(host_url, token, expires_on))
        except MissingPermissions as error:
            self._leases.end(lease, calls=0)
            raise RotationNotPermitted(str(error), details=error.details) from None
        except (Forbidden, ResourceNotFound):
            self._leases.end(lease, calls=0)
            raise RotationNotPermitted("This GitLab does not let the token rotate itself.") from None
        except GitLabError as error:
            self._leases.end(lease, calls=0 if _had_no_effect(error) else None)
            raise
        try:
            kept = self._replacement.store(loaded, successor)
        except Unauthorized:
            # Removed meanwhile: nobody else knows of this token, so nobody else could end it.
            self._pair_revoker.end_unused(loaded, successor.tokens)
            raise
        if kept.tokens != successor.tokens:
            self._pair_revoker.end_unused(loaded, successor.tokens)  # Somebody gave another token meanwhile.
        self._leases.end(lease)
        return kept


def _had_no_effect(error: GitLabError) -> bool:
    return isinstance(error, (*NOT_DONE, RateLimited, ReadOnly)) or error.http_status == HTTPStatus.BAD_REQUEST


def _check_version(version: str | None) -> None:
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    if numbers and (int(numbers[1]), int(numbers[2])) < OLDEST:
        raise RotationNotPermitted("Tokens can rotate themselves from GitLab 16.10 on.")


def _check_scopes(scopes: Any) -> None:
    if is_fine_grained(scopes):
        return  # Only the call itself shows whether it may.
    if isinstance(scopes, Sequence) and scopes and not SCOPES.intersection(map(str, scopes)):
        raise RotationNotPermitted(
            "The token needs the scope self_rotate (or api) to rotate itself.",
            details={"missing_scopes": ["self_rotate"]},
        )


def _last_day(facts: Mapping[str, Any], now: float) -> str:
    """As long a life as the old token had, which its GitLab must have allowed."""
    today = datetime.fromtimestamp(now, UTC).date()
    made, ends = _day(facts.get("created_at")), _day(facts.get("expires_at"))
    days = (ends - made).days if made and ends else USUAL_DAYS
    # A day less than a year: GitLab counts by its own clock.
    return (today + timedelta(days=max(SHORTEST_DAYS, min(days, LONGEST_DAYS - 1)))).isoformat()


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def _successor(reply: Reply) -> ReplacementToken:
    body = mapping(reply.body)
    token, scopes = body.get("token"), body.get("scopes")
    if not isinstance(token, str) or not sendable(token):
        raise UnexpectedResponse("GitLab answered a rotation without a token.", http_status=reply.http_status)
    return ReplacementToken(
        tokens=TokenSet(access_token=token, expires_at=midnight(body.get("expires_at"))),
        scopes=tuple(map(str, scopes)) if isinstance(scopes, list) else None,
    )


def _in_progress() -> RotationInProgress:
    return RotationInProgress("The token is being renewed; look again in a moment.", retry_after=30)
