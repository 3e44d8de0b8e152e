"""The incidents of credentials, in words."""

from gitlab_hub.incidents import Incident
from gitlab_hub.integrations.model import Credential

EXPIRING, LOST = "credential_expiring", "credential_lost"


def expiring(credential: Credential, days: int, *, at: int) -> Incident:
    """A token that expires soon; `days` is the threshold that is told of."""
    hint = "This token expires soon: rotate it, or give a new one."
    return _incident(EXPIRING, credential, hint, days=days, at=at)


def lost(credential: Credential, *, at: int) -> Incident:
    """A token that only a person can replace."""
    return _incident(LOST, credential, "This token is lost: authorize again, or give a new one.", days=None, at=at)


def _incident(kind: str, credential: Credential, hint: str, *, days: int | None, at: int) -> Incident:
    return Incident(
        kind=kind,
        integration_id=credential.integration_id,
        subject=credential.id,
        at=at,
        hint=hint,
        details={"expires_at": credential.token_expires_at, "days": days},
        revision=credential.token_version,
    )
