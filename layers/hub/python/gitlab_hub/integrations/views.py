"""What callers see: allow-lists, so that nothing is shown because it happens to be stored."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from gitlab_hub.integrations.account_lists import Unread
from gitlab_hub.integrations.capabilities import Available, Capability, capabilities
from gitlab_hub.integrations.health import shown_status, token_status
from gitlab_hub.integrations.model import NOBODY, Credential, GitLabUser, Integration
from gitlab_hub.integrations.verification.checks import Verification, to_dict


class AccountView(BaseModel):
    """The GitLab user behind a token."""

    id: int
    username: str
    kind: str

    @classmethod
    def of(cls, account: GitLabUser) -> "AccountView":
        """Show an account."""
        return cls(id=account.id, username=account.username, kind=account.kind)


class FeaturesView(BaseModel):
    """What the hub may do beyond reading."""

    manage_webhooks: bool
    report_statuses: bool
    provisioning: bool


class IntegrationView(BaseModel):
    """One integration."""

    id: str
    provider: str
    host_url: str
    auth_mode: str
    status: str
    credential_status: str
    display_name: str
    gitlab_version: str | None
    account: AccountView | None
    scopes: list[str]
    expires_at: int | None
    group: str | None
    features: FeaturesView
    created_by: str
    created_at: int
    updated_at: int

    @classmethod
    def of(cls, integration: Integration, *, now: int) -> "IntegrationView":
        """Show an integration as of now."""
        return cls(**_shown(integration, now))


class CapabilityView(BaseModel):
    """Something that the token can see or do, or what would change that it cannot."""

    name: str
    does: str
    available: Available
    role: str | None
    to_change: str | None

    @classmethod
    def of(cls, capability: Capability) -> "CapabilityView":
        """Show a capability."""
        return cls.model_validate(capability, from_attributes=True)


class IntegrationDetail(IntegrationView):
    """One integration with what belongs to it. Hooks that stand in for a group's are not listed one by one."""

    capabilities: list[CapabilityView] = Field(default_factory=list)
    hooks: list[dict[str, Any]] = Field(default_factory=list)
    hooks_complete: bool = True
    sync: dict[str, Any] = Field(default_factory=dict)
    last_delivery_at: int | None = None

    @classmethod
    def at(
        cls, integration: Integration, sync: Mapping[str, Any], hooks: Mapping[str, Any], unread: Unread, *, now: int
    ) -> "IntegrationDetail":
        """Show an integration as of now with the state of its syncs, its hooks, and lists that could not be read."""
        was_synced = sync.get("access", {}).get("finished_at") is not None
        found = capabilities(integration, unread, was_synced=was_synced)
        shown = [CapabilityView.of(capability) for capability in found]
        return cls(**_shown(integration, now), capabilities=shown, sync=dict(sync), **hooks)


class CheckView(BaseModel):
    """One step of a verification."""

    step: str
    ok: bool
    skipped: bool
    code: str | None
    http_status: int | None
    hint: str | None
    latency_ms: int | None
    details: dict[str, Any]


class VerificationView(BaseModel):
    """A verification: its overall code, and every step."""

    ok: bool
    code: str | None
    warnings: list[str]
    checks: list[CheckView]

    @classmethod
    def of(cls, verification: Verification) -> "VerificationView":
        """Show a verification."""
        return cls(
            ok=verification.ok,
            code=verification.code,
            warnings=list(verification.warnings),
            checks=[CheckView(**to_dict(check)) for check in verification.checks],
        )


class CredentialSettings(BaseModel):
    """Settings of a credential."""

    api_base_url: str | None


class CredentialView(BaseModel):
    """One credential in a list, in the convention of the metrics vendor: ISO 8601 times, no secret."""

    id: str
    type: str = "gitlab"
    label: str
    created_at: str

    @classmethod
    def of(cls, credential: Credential) -> "CredentialView":
        """Show a credential."""
        return cls(id=credential.id, label=credential.label, created_at=_iso(credential.created_at) or "")


class CredentialDetail(CredentialView):
    """One credential with all there is to know."""

    settings: CredentialSettings
    disabled_at: str | None
    deleted_at: str | None
    expiration_date: str | None
    status: str

    @classmethod
    def at(cls, credential: Credential, *, host_url: str, now: int) -> "CredentialDetail":
        """Show a credential as of now."""
        expires = credential.token_expires_at if credential.expiration_date is None else credential.expiration_date
        return cls(
            id=credential.id,
            label=credential.label,
            created_at=_iso(credential.created_at) or "",
            settings=CredentialSettings(api_base_url=credential.api_base_url or host_url),
            disabled_at=_iso(credential.disabled_at),
            deleted_at=_iso(credential.deleted_at),
            expiration_date=_iso(expires),
            status=token_status(credential.status, credential.token_expires_at, now),
        )


def _shown(integration: Integration, now: int) -> dict[str, Any]:
    features = integration.features
    return {
        "id": integration.id,
        "provider": "gitlab",
        "host_url": integration.host_url,
        "auth_mode": integration.auth_mode,
        "status": shown_status(integration),
        "credential_status": token_status(integration.credential_status, integration.token_expires_at, now),
        "display_name": integration.display_name,
        "gitlab_version": integration.gitlab_version,
        "account": None if integration.account == NOBODY else AccountView.of(integration.account),
        "scopes": list(integration.scopes),
        "expires_at": integration.token_expires_at,
        "group": integration.group,
        "features": FeaturesView(
            manage_webhooks=features.manage_webhooks,
            report_statuses=features.report_statuses,
            provisioning=features.provisioning,
        ),
        "created_by": integration.created_by,
        "created_at": integration.created_at,
        "updated_at": integration.updated_at,
    }


def _iso(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
