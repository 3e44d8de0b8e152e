"""The bodies of answers, one model per route that has its own."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from gitlab_hub.integrations.views import (
    CredentialDetail,
    CredentialView,
    IntegrationDetail,
    IntegrationView,
    VerificationView,
)


class WebhookAddress(BaseModel):
    """Where GitLab is to send its webhooks."""

    url: str


class StartAnswer(BaseModel):
    """A new integration, or what a dry run found (then there is none)."""

    integration: IntegrationView | None
    verification: VerificationView
    webhook: WebhookAddress
    redirect_uri: str | None = None
    """What to enter as the application's redirect URI in GitLab; only with OAuth."""


class IntegrationList(BaseModel):
    """A page of integrations."""

    integrations: list[IntegrationView]
    next_cursor: str | None


class IntegrationEnvelope(BaseModel):
    """One integration."""

    integration: IntegrationDetail


class RemovedAnswer(BaseModel):
    """What a removal did in GitLab. In the hub, the integration is gone."""

    ok: Literal[True] = True
    revoked: bool
    revoke_failed: list[str]
    """Ids of the credentials whose tokens are still good in GitLab."""
    hooks_deleted: int
    hooks_failed: list[str]


class TokenAnswer(BaseModel):
    """How the token is."""

    status: str
    expires_at: int | None
    checked_at: int


class RepositoryHook(BaseModel):
    """The hub's webhook of one repository; one of its group is not shown here."""

    id: str
    status: str


class RepositoryView(BaseModel):
    """One repository, live from GitLab."""

    id: int
    external_id: str
    full_name: str
    default_branch: str | None
    is_private: bool
    visibility: str
    archived: bool
    web_url: str | None
    http_url_to_repo: str | None
    access_level: int | None
    hook: RepositoryHook | None = None


class RepositoryList(BaseModel):
    """A page of repositories."""

    repositories: list[RepositoryView]
    next_cursor: str | None


class SyncRequested(BaseModel):
    """A sync that was queued."""

    sync_id: str


class SyncState(BaseModel):
    """How far the last run of one kind of sync is."""

    model_config = ConfigDict(extra="allow")

    sync_id: str | None
    status: str


class SyncStates(BaseModel):
    """The state of every kind of sync."""

    kinds: dict[str, SyncState]


class SyncProgress(BaseModel):
    """How far a sync has come, in parts of GitLab that were read."""

    done: int
    total: int


class SyncError(BaseModel):
    """Why a sync failed."""

    code: str
    hint: str


class EndedSync(BaseModel):
    """A sync that has ended. Times are unix seconds; `suspected` counts the rows that it did not dare to remove."""

    sync_id: str
    kind: str
    status: str
    full: bool
    started_at: int | None
    finished_at: int
    progress: SyncProgress
    counts: dict[str, int]
    suspected: dict[str, int]
    last_error: SyncError | None


class SyncHistory(BaseModel):
    """A page of syncs that have ended, newest first."""

    syncs: list[EndedSync]
    next_cursor: str | None


class CredentialAnswer(BaseModel):
    """A created or changed credential."""

    ok: Literal[True] = True
    credential: CredentialView


class CredentialInfo(BaseModel):
    """One credential with all there is to know."""

    ok: Literal[True] = True
    credential: CredentialDetail


class CredentialList(BaseModel):
    """The credentials of a connection."""

    ok: Literal[True] = True
    credentials: list[CredentialView]


class Done(BaseModel):
    """It is done, and there is nothing to say about it."""

    ok: Literal[True] = True
