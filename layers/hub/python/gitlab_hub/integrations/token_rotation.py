"""Rotation on request: a new access token made by GitLab because somebody asks for it."""

from collections.abc import Callable

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.integrations.health import primary_credential_of, token_status
from gitlab_hub.integrations.model import (
    CredentialKind,
)
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.token_service import TokenHealth
from gitlab_hub.integrations.tokens.loaded_credential import load_credential
from gitlab_hub.integrations.tokens.refresh import Refresher, TokenNeed
from gitlab_hub.integrations.tokens.rotation import TokenRotator
from gitlab_hub.integrations.verification.refusals import NoCredential


class TokenRotation:
    """Rotates the token of an integration that is in use."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        refresher: Refresher,
        rotator: TokenRotator,
        audit: AuditLog,
        now: Callable[[], float],
    ) -> None:
        self._store, self._refresher, self._rotator = store, refresher, rotator
        self._audit, self._now = audit, now

    def rotate(self, integration_id: str, *, actor: str) -> TokenHealth:
        """Rotate an access token, or renew an OAuth pair as if GitLab had rejected it.

        Raises NotFound, NoCredential, RotationInProgress, RotationNotPermitted, and GitLabErrors.
        """
        credential = primary_credential_of(self._store.holding(integration_id))
        if credential is None:
            raise NoCredential
        self._audit.record(AuditAction.GITLAB_TOKEN_ROTATE, actor=actor, integration_id=integration_id)
        if credential.kind == CredentialKind.OAUTH:
            before = load_credential(self._store, integration_id, credential.id)
            need = TokenNeed(rejected=before.tokens.access_token)
            after = self._refresher.get_credential(integration_id, credential.id, need).credential
        else:
            after = self._rotator.rotate(integration_id, credential.id).credential
        now = int(self._now())
        status = token_status(after.status, after.token_expires_at, now)
        return TokenHealth(status=status, expires_at=after.token_expires_at, checked_at=now)
