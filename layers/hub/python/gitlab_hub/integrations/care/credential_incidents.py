"""The incidents of credentials, in words, and when they begin and end."""

from collections.abc import Iterable, Sequence

from gitlab_hub.incidents import Incident, key_of, row
from gitlab_hub.integrations.model import Credential, CredentialKind, CredentialStatus
from gitlab_hub.storage.table import Delete, Put

EXPIRING, LOST, REJECTED = "credential_expiring", "credential_lost", "credential_rejected"
NOT_RENEWED = "credential_not_renewed"
KINDS = (EXPIRING, LOST, REJECTED, NOT_RENEWED)

_BY_STATUS: dict[str, str] = {
    CredentialStatus.REFRESH_FAILED: LOST,
    CredentialStatus.REJECTED: REJECTED,
    CredentialStatus.EXPIRED: REJECTED,
}
_AGAIN = {
    CredentialKind.OAUTH: "authorize the integration again, as the same GitLab user.",
    CredentialKind.ACCESS_TOKEN: "give a new token of the same GitLab user.",
}


def kind_of(credential: Credential | None) -> str | None:
    """The incident that a credential's own status is; None where it works, is not judged, or is gone."""
    return _BY_STATUS.get(credential.status) if credential is not None and credential.live else None


def refused(credential: Credential, *, at: int) -> Incident | None:
    """The incident of a credential that only a person can put right; None where there is none."""
    kind = kind_of(credential)
    if kind is None:
        return None
    what = (
        "is lost" if kind == LOST else "is refused by GitLab, or has expired there, or lacks rights (verify says which)"
    )
    again = _AGAIN.get(CredentialKind(credential.kind), _AGAIN[CredentialKind.ACCESS_TOKEN])
    return _incident(kind, credential, f"This token {what}: {again}", at=at, status=credential.status)


def expiring(credential: Credential, days: int, *, at: int) -> Incident:
    """A token that expires soon; `days` is the threshold that is told of."""
    return _incident(EXPIRING, credential, "This token expires soon: rotate it, or give a new one.", at=at, days=days)


def not_renewed(credential: Credential, code: str, hint: str, *, at: int) -> Incident:
    """A pair that lives and cannot be renewed; `code` says what stands in the way."""
    return _incident(NOT_RENEWED, credential, hint, at=at, code=code)


def turned_bad(before: Credential | None, after: Credential) -> bool:
    """Whether a change makes a credential one that needs a person."""
    return kind_of(after) is not None and kind_of(after) != kind_of(before)


def actions(before: Credential | None, after: Credential, *, at: int) -> list[Put | Delete]:
    """What a changed credential opens and closes: written with it, so that neither is there without the other."""
    opened = refused(after, at=at) if turned_bad(before, after) else None
    puts = [Put(row(opened, now=at))] if opened else []
    return [*puts, *(Delete(key_of(kind, after.integration_id, after.id)) for kind in _over(before, after))]


def _over(before: Credential | None, after: Credential) -> Sequence[str]:
    if before is None:
        return ()
    if not after.live:
        return KINDS if before.live else ()
    ended: Iterable[str | None] = (kind_of(before) if kind_of(before) != kind_of(after) else None,)
    if before.generation != after.generation:
        ended = (*ended, EXPIRING, NOT_RENEWED)
    return tuple(kind for kind in ended if kind is not None)


def _incident(kind: str, credential: Credential, hint: str, *, at: int, **details: int | str | None) -> Incident:
    return Incident(
        kind=kind,
        integration_id=credential.integration_id,
        subject=credential.id,
        at=at,
        hint=hint,
        details={"expires_at": credential.token_expires_at, **details},
        revision=credential.token_version,
    )
