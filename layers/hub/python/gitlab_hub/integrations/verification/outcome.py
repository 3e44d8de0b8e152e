"""What a verification changes in what is stored. Trouble that may pass changes nothing."""

from dataclasses import replace

from gitlab_hub.errors import InvalidInput
from gitlab_hub.integrations.health import status_after
from gitlab_hub.integrations.model import Credential, CredentialKind, CredentialStatus, IntegrationWithCredentials
from gitlab_hub.integrations.store import Change
from gitlab_hub.integrations.verification import codes
from gitlab_hub.integrations.verification.checks import Facts, Step, Verification, is_no_verdict, is_outside_a_grant

MAX_CREDENTIALS = 20
"""All tokens of an integration share one secret, which has an upper size."""


def verification_of(
    before: IntegrationWithCredentials, seen: Credential, verification: Verification, *, complete: bool, now: int
) -> Change | None:
    """The change that a verification of `seen` calls for; None where there is none, or its token was replaced.

    Only a `complete` one can end an error that is not about the token, such as there being no projects. Permissions
    that a fine-grained token lacks are no verdict about it, nor are pipelines that its user may not read: GitLab takes
    it, and what else it may do goes on. Nor is a 403 that does not have GitLab's words.
    """
    current = before.credential(seen.id)
    if current is None or current.token_version != seen.token_version:
        return None
    works = verification.ok or _lacks_only_pipelines(verification)
    if current.status == CredentialStatus.REFRESH_FAILED and not (works and _proves_itself(current)):
        return None
    if works:
        heals = complete or current.status != CredentialStatus.VALID
        informed_one = with_status(current, verification.facts, now=now)
        return _working(before, informed_one, verification.facts.version, heals=heals, now=now)
    if codes.family(verification.code) is None or verification.worst is None or is_no_verdict(verification.worst):
        return None
    status = codes.credential_status(verification.code, verification.worst.details.get("reason"), current.status)
    return apply_verification(before, replace(current, status=status, updated_at=now), works=False, now=now)


def _lacks_only_pipelines(verification: Verification) -> bool:
    """Whether all that is wrong is that GitLab shows the user no pipelines, or not their jobs."""
    return {check.step for check in verification.failed} <= {Step.PIPELINES, Step.JOBS} and all(
        codes.family(check.code) is not None and "missing_scopes" not in check.details for check in verification.failed
    )


def shown_no_pipelines(verification: Verification) -> bool:
    """Whether all that is wrong is the role of the token's user: any other token of the same user meets the same."""
    within = not any(is_outside_a_grant(check) for check in verification.failed)
    return within and _lacks_only_pipelines(verification)


def _proves_itself(credential: Credential) -> bool:
    """Whether a token that works was not lost after all. What is left of a pair works for a while, and ends."""
    return credential.kind != CredentialKind.OAUTH


def with_status(credential: Credential, facts: Facts, *, now: int) -> Credential:
    """A credential that GitLab takes, with what GitLab says about it."""
    return replace(
        credential,
        status=CredentialStatus.VALID,
        account=facts.account or credential.account,
        scopes=facts.token.scopes or credential.scopes,
        token_expires_at=facts.token.expires_at,
        updated_at=now,
    )


def with_credential_status(
    before: IntegrationWithCredentials, credential_id: str, seen: str, verdict: CredentialStatus, now: int
) -> Change | None:
    """The change that a verdict about one token calls for; None where that token was replaced, or is lost anyway."""
    current = before.credential(credential_id)
    if current is None or current.token_version != seen or current.status == verdict:
        return None
    if current.status == CredentialStatus.REFRESH_FAILED:
        return None  # It is lost, whatever an access token of it can still do for a while.
    judged_one = replace(current, status=verdict, updated_at=now)
    return apply_verification(before, judged_one, works=verdict == CredentialStatus.VALID, now=now)


def _working(
    before: IntegrationWithCredentials, credential: Credential, version: str | None, *, heals: bool, now: int
) -> Change:
    integration = replace(before.integration, gitlab_version=version or before.integration.gitlab_version)
    return apply_verification(replace(before, integration=integration), credential, works=heals or None, now=now)


def added(before: IntegrationWithCredentials, created: Credential, token: str) -> Change | None:
    """The change that keeps one more credential; None where this very one is there. Raises InvalidInput."""
    if before.credential(created.id):
        return None  # The same request once more: its first answer was lost.
    if sum(one.deleted_at is None for one in before.credentials) >= MAX_CREDENTIALS:
        raise InvalidInput(f"A connection has at most {MAX_CREDENTIALS} credentials; delete one first.")
    return replace(apply_verification(before, created, works=True, now=created.created_at), tokens={created.id: token})


def apply_verification(
    before: IntegrationWithCredentials, credential: Credential, *, works: bool | None, now: int
) -> Change:
    """The change of one credential with what it means for its integration; None = nothing."""
    status = before.integration.status
    if works is not None:
        status = status_after(before.integration, before.credentials, credential, works=works)
    return Change(integration=replace(before.integration, status=status, updated_at=now), credentials=(credential,))
