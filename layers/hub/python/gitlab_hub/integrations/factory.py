"""What a new integration and its first credential look like, from what a verification found."""

import hashlib

from gitlab_hub.integrations.model import (
    NOBODY,
    AuthMode,
    Credential,
    CredentialStatus,
    Features,
    Integration,
    IntegrationStatus,
    identity_of,
    unauthorized_identity,
)
from gitlab_hub.integrations.verification.checks import Facts

FIRST_LABEL = "first"


def credential_id_of(seed: str) -> str:
    """Name a further credential after the request that brings it, so that its repetition finds it."""
    return f"cred_{hashlib.sha256(seed.encode()).hexdigest()[:20]}"


def new_integration(
    integration_id: str, facts: Facts, features: Features, display_name: str | None, *, created_by: str, now: int
) -> Integration:
    """The integration that a successful verification allows."""
    if facts.account is None or facts.base_url is None:
        raise ValueError("Only a verification that went well knows whose token it was.")
    return Integration(
        id=integration_id,
        host_url=facts.base_url,
        auth_mode=AuthMode.PERSONAL_TOKEN,
        status=IntegrationStatus.ACTIVE,
        paused=False,
        display_name=display_name or facts.group or facts.base_url.partition("://")[2],
        gitlab_version=facts.version,
        group=facts.group,
        group_id=facts.group_id,
        features=features,
        account=facts.account,
        credential_status=CredentialStatus.VALID,
        scopes=facts.token.scopes,
        token_expires_at=facts.token.expires_at,
        secret_version="",
        identity=identity_of(facts.base_url, facts.account.id, facts.group, facts.group_id),
        created_by=created_by,
        created_at=now,
        updated_at=now,
    )


def unauthorized_integration(
    integration_id: str, host_url: str, group: str | None, features: Features, display_name: str | None,
    *, client_id: str, scopes: tuple[str, ...], created_by: str, now: int,
) -> Integration:  # fmt: skip
    """An integration by an OAuth application that nobody has authorized yet."""
    return Integration(
        id=integration_id,
        host_url=host_url,
        auth_mode=AuthMode.OAUTH_APP,
        status=IntegrationStatus.INACTIVE,
        paused=False,
        display_name=display_name or group or host_url.partition("://")[2],
        gitlab_version=None,
        group=group,
        features=features,
        account=NOBODY,
        credential_status=CredentialStatus.UNKNOWN,
        scopes=(),
        token_expires_at=None,
        secret_version="",
        identity=unauthorized_identity(integration_id),
        created_by=created_by,
        created_at=now,
        updated_at=now,
        client_id=client_id,
        wanted_scopes=scopes,
    )


def new_credential(
    integration_id: str,
    credential_id: str,
    facts: Facts,
    *,
    label: str,
    now: int,
    expiration_date: int | None = None,
    api_base_url: str | None = None,
) -> Credential:
    """The credential that a successful verification allows."""
    if facts.account is None:
        raise ValueError("Only a verification that went well knows whose token it was.")
    return Credential(
        id=credential_id,
        integration_id=integration_id,
        label=label,
        account=facts.account,
        status=CredentialStatus.VALID,
        scopes=facts.token.scopes,
        token_expires_at=facts.token.expires_at,
        expiration_date=expiration_date,
        api_base_url=api_base_url,
        token_version="",
        created_at=now,
        updated_at=now,
    )
