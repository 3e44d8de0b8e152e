"""Deciding about what an authorization brought: enough scopes, the right user, and what becomes of the integration."""

from collections.abc import Sequence
from dataclasses import replace

from gitlab_hub.gitlab.oauth import Grant
from gitlab_hub.integrations.errors import AccountMismatch
from gitlab_hub.integrations.factory import FIRST_LABEL, new_credential
from gitlab_hub.integrations.model import (
    NOBODY,
    Credential,
    CredentialKind,
    GitLabUser,
    Integration,
    IntegrationWithCredentials,
    identity_of,
)
from gitlab_hub.integrations.oauth.pending import PendingAuthorization
from gitlab_hub.integrations.permissions import covered, least_scopes
from gitlab_hub.integrations.store import Change
from gitlab_hub.integrations.tokens.vault import TokenSet
from gitlab_hub.integrations.verification.checks import Facts
from gitlab_hub.integrations.verification.outcome import apply_verification, with_status
from gitlab_hub.integrations.verification.refusals import InvalidPermissions
from gitlab_hub.integrations.verification.steps import missing_scopes

CONFIDENTIAL = (
    "Give the client_secret of the OAuth application; tick Confidential for it in GitLab. All integrations share one "
    "redirect URI, so without a secret another GitLab that is connected here could use the codes of this one."
)


def asked_for(integration: Integration) -> tuple[str, ...]:
    """The scopes to ask for: those that the start named, and what the features that are on need."""
    return least_scopes(integration.features.names, integration.wanted_scopes)


def check_scopes(granted: Sequence[str] | None, wanted: Sequence[str], *, writes: bool) -> None:
    """Refuse less than was asked for and is needed. Raises InvalidPermissions. None = GitLab did not say."""
    if granted is None:
        return
    missing = [scope for scope in wanted if scope not in covered(granted)]
    missing += [scope for scope in (missing_scopes(granted, writes=writes) if granted else ()) if scope not in missing]
    if missing:
        raise InvalidPermissions(
            f"GitLab did not grant {' and '.join(missing)}. Give the application that in GitLab, and authorize again.",
            details={"missing_scopes": missing},
        )


def check_account(integration: Integration, account: GitLabUser | None) -> None:
    """Refuse another GitLab user than the first: what was synced belongs to the eyes of that one."""
    if integration.account == NOBODY or account is None or account.id == integration.account.id:
        return
    raise AccountMismatch(
        "Another GitLab user authorized this. Sign in there as the first one, or connect an integration of its own.",
        details={"expected_user_id": integration.account.id, "user_id": account.id},
    )


def in_use(holding: IntegrationWithCredentials) -> Credential | None:
    """The credential that an earlier authorization has made."""
    own = [one for one in holding.credentials if one.live and one.kind == CredentialKind.OAUTH]
    return min(own, key=lambda one: (one.created_at, one.id), default=None)


def accepted(
    before: IntegrationWithCredentials,
    pending: PendingAuthorization,
    facts: Facts,
    grant: Grant,
    tokens: TokenSet,
    *,
    credential_id: str,
    now: int,
) -> Change:
    """The change that makes an integration work with a pair of tokens. Raises AccountMismatch."""
    check_account(before.integration, facts.account)
    current = in_use(before) or new_credential(before.integration.id, credential_id, facts, label=FIRST_LABEL, now=now)
    credential = replace(
        with_status(current, facts, now=now),
        kind=CredentialKind.OAUTH,
        token_expires_at=None,
        scopes=facts.token.scopes or grant.scopes or (),
    )
    integration = replace(
        pending.intended(before.integration),
        account=credential.account,
        gitlab_version=facts.version or before.integration.gitlab_version,
        group=facts.group,
        group_id=facts.group_id,
        identity=identity_of(before.integration.host_url, credential.account.id, facts.group, facts.group_id),
    )
    change = apply_verification(replace(before, integration=integration), credential, works=True, now=now)
    return replace(change, tokens={credential.id: tokens})
