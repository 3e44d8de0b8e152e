"""What is risky about a credential: judged when somebody looks, as most of it depends on the day; pure.

Revoked ones have no risk, expired ones just that nobody has revoked them: neither opens anything. What GitLab does not
tell is no risk. `docs/credentials.md` has these definitions for people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gitlab_hub.access.credentials.model import Credential, CredentialStatus
from gitlab_hub.gitlab.credential_kinds import CredentialKind

DAY = 86_400
EXPIRING_DAYS, UNUSED_DAYS, OLD_DAYS = 30, 90, 365
OWNER = 50
API = "api"


class Risk(StrEnum):
    """What is risky about a credential."""

    NO_EXPIRY = "no_expiry"
    EXPIRES_SOON = "expires_soon"
    EXPIRED_NOT_REVOKED = "expired_not_revoked"
    UNUSED_90_DAYS = "unused_90_days"
    NEVER_USED = "never_used"
    SCOPE_API = "scope_api"
    OWNER_LEVEL = "owner_level"
    OWNER_BLOCKED = "owner_blocked"
    OWNER_LEFT = "owner_left"
    CAN_PUSH = "can_push"
    OLDER_THAN_YEAR = "older_than_year"


OF_OWNER = frozenset({Risk.OWNER_BLOCKED, Risk.OWNER_LEFT})
"""Those that the credential itself does not tell."""


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """What the hub knows of the account that a credential acts as, or of the one that made its bot."""

    is_disabled: bool = False
    """Blocked, banned or deactivated."""
    has_left: bool = False
    """It is gone, disabled, or without a single membership; a bot also where that is so of whoever made it."""


UNKNOWN = OwnerFacts()
"""Of a credential that acts as nobody, or as somebody of whom the hub knows nothing."""


def risks_of(credential: Credential, owner: OwnerFacts, *, now: float) -> list[Risk]:
    """Name the risks of a credential at a moment (unix seconds), in the order of the enum."""
    match credential.status(now):
        case CredentialStatus.REVOKED:
            return []
        case CredentialStatus.EXPIRED:
            return [Risk.EXPIRED_NOT_REVOKED]
    found = {*_of_time(credential, now), *_of_reach(credential)}
    if owner.is_disabled:
        found.add(Risk.OWNER_BLOCKED)
    if owner.has_left:
        found.add(Risk.OWNER_LEFT)
    return [risk for risk in Risk if risk in found]


def _of_time(credential: Credential, now: float) -> Iterator[Risk]:
    if credential.ends_at is None:
        yield Risk.NO_EXPIRY
    elif credential.ends_at < now + EXPIRING_DAYS * DAY:
        yield Risk.EXPIRES_SOON
    if credential.tells_use and credential.last_used_at is None:
        yield Risk.NEVER_USED
    if credential.last_used_at is not None and credential.last_used_at < now - UNUSED_DAYS * DAY:
        yield Risk.UNUSED_90_DAYS
    if credential.created_at is not None and credential.created_at < now - OLD_DAYS * DAY:
        yield Risk.OLDER_THAN_YEAR


def _of_reach(credential: Credential) -> Iterator[Risk]:
    if API in credential.scopes:
        yield Risk.SCOPE_API
    if credential.access_level is not None and credential.access_level >= OWNER:
        yield Risk.OWNER_LEVEL
    if credential.kind == CredentialKind.DEPLOY_KEY and credential.can_push:
        yield Risk.CAN_PUSH
