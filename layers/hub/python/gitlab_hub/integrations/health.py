"""What the status of an integration follows from: its credentials, the clock, and definite answers only."""

from collections.abc import Iterable
from dataclasses import replace

from gitlab_hub.integrations.model import (
    Credential,
    CredentialStatus,
    Integration,
    IntegrationStatus,
    IntegrationWithCredentials,
)

EXPIRING_WITHIN = 14 * 86_400


def token_status(stored: str, expires_at: int | None, now: int) -> str:
    """The stored status, sharpened by the clock: a token that worked may be about to expire, or have expired."""
    if stored != CredentialStatus.VALID or expires_at is None:
        return stored
    if expires_at <= now:
        return CredentialStatus.EXPIRED
    return CredentialStatus.EXPIRING if expires_at - now <= EXPIRING_WITHIN else stored


def shown_status(integration: Integration) -> str:
    """The status people see: a pause hides nothing worse than `active`."""
    if integration.paused and integration.status == IntegrationStatus.ACTIVE:
        return IntegrationStatus.PAUSED
    return integration.status


def may_sync(integration: Integration) -> bool:
    """Whether a schedule may start runs of it."""
    return integration.status == IntegrationStatus.ACTIVE and not integration.paused


def on_schedule(integration: Integration) -> bool:
    """Whether a schedule may start its runs now: GitLab also takes the credential that it works with."""
    return may_sync(integration) and integration.credential_status == CredentialStatus.VALID


def primary_credential(integration: Integration, credentials: Iterable[Credential]) -> Credential | None:
    """The credential to work with: the oldest one that GitLab takes, else the oldest one there is.

    Those of the integration's own GitLab user go before all others: another user sees other things, and what the first
    one saw would look deleted. Only where that user has no credential left does another one take over.
    """

    def rank(one: Credential) -> tuple[bool, bool, int, str]:
        is_own = one.account.id == integration.account.id
        return (not is_own, one.status != CredentialStatus.VALID, one.created_at, one.id)

    return min((one for one in credentials if one.live), key=rank, default=None)


def primary_credential_of(holding: IntegrationWithCredentials) -> Credential | None:
    """The credential of an integration to work with."""
    return primary_credential(holding.integration, holding.credentials)


def status_after(integration: Integration, credentials: Iterable[Credential], one: Credential, *, works: bool) -> str:
    """The status of an integration after a verdict about one of its credentials, if that is the one to work with."""
    others = [other for other in credentials if other.id != one.id]
    chosen = primary_credential(integration, [*others, one])
    if chosen is None or chosen.id != one.id:
        return integration.status
    return IntegrationStatus.ACTIVE if works else IntegrationStatus.ERROR


def with_primary_facts(integration: Integration, credentials: Iterable[Credential]) -> Integration:
    """The integration with the facts of its primary credential; without a good one it does not work."""
    chosen = primary_credential(integration, credentials)
    if chosen is None:
        return replace(
            integration,
            # Nobody has authorized it yet: that is no error.
            status=integration.status if integration.status == IntegrationStatus.INACTIVE else IntegrationStatus.ERROR,
            credential_status=CredentialStatus.UNKNOWN,
            scopes=(),
            token_expires_at=None,
        )
    return replace(
        integration,
        status=integration.status if chosen.status == CredentialStatus.VALID else IntegrationStatus.ERROR,
        account=chosen.account,
        credential_status=chosen.status,
        scopes=chosen.scopes,
        token_expires_at=chosen.token_expires_at,
    )
