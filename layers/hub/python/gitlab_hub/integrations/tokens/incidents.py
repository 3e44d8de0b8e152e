"""The incidents of credentials, in words, and when they begin and end."""

from collections.abc import Iterable, Sequence

from gitlab_hub.incidents import Incident, key_of, row
from gitlab_hub.integrations.model import Credential, CredentialKind, CredentialStatus
from gitlab_hub.integrations.tokens.revocations import Revocation
from gitlab_hub.storage.ports import Delete, Put

EXPIRING, LOST, REJECTED = "credential_expiring", "credential_lost", "credential_rejected"
NOT_RENEWED, NOT_REVOKED = "credential_not_renewed", "credential_not_revoked"
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


def not_revoked(revocation: Revocation, *, at: int, is_over: bool) -> Incident:
    """A token that was replaced or removed and may live on in GitLab; `is_over`: nobody tries to end it any more."""
    goes_on = "The hub does not try again" if is_over else "The hub goes on trying for four weeks"
    return Incident(
        kind=NOT_REVOKED,
        integration_id=revocation.integration_id,
        subject=revocation.credential_id,
        at=at,
        hint=(
            f"A token that was replaced or removed could not be revoked and may still work. {goes_on}; to be sure, "
            "revoke the application in GitLab as its user, and authorize the integration again."
        ),
        details={"replaced_at": revocation.since, "given_up": is_over},
    )


def turned_bad(before: Credential | None, after: Credential) -> bool:
    """Whether a change makes a credential one that needs a person."""
    return kind_of(after) is not None and kind_of(after) != kind_of(before)


def actions(before: Credential | None, after: Credential, *, at: int) -> list[Put | Delete]:
    """What a changed credential opens and closes: written with it, so that neither is there without the other."""
    opened = refused(after, at=at) if turned_bad(before, after) else None
    puts = [Put(row(opened, now=at))] if opened else []
    return [*puts, *(Delete(key_of(kind, after.integration_id, after.id)) for kind in _over(before, after))]


def superseded(before: Credential | None) -> list[Put | Delete]:
    """What a new token in the place of another one closes, but not a renewal: a person has done what was asked for."""
    return [] if before is None else [Delete(key_of(NOT_REVOKED, before.integration_id, before.id))]


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
