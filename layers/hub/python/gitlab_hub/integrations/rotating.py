"""A new token at somebody's wish."""

from collections.abc import Callable

from gitlab_hub.audit import AuditLog
from gitlab_hub.integrations.care.held import held_of
from gitlab_hub.integrations.care.refresh import Refresher, Wanted
from gitlab_hub.integrations.care.rotation import Rotator
from gitlab_hub.integrations.errors import NoCredential
from gitlab_hub.integrations.health import primary_of, token_status
from gitlab_hub.integrations.model import CredentialKind
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.upkeep import TokenHealth


class Rotating:
    """Rotates the token of an integration that is in use."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        refresher: Refresher,
        rotator: Rotator,
        audit: AuditLog,
        now: Callable[[], float],
    ) -> None:
        self._store, self._refresher, self._rotator = store, refresher, rotator
        self._audit, self._now = audit, now

    def rotate(self, integration_id: str, *, actor: str) -> TokenHealth:
        """Rotate an access token, or renew an OAuth pair as if GitLab had rejected it.

        Raises NotFound, NoCredential, RotationInProgress, RotationNotPermitted, and GitLabErrors.
        """
        credential = primary_of(self._store.holding(integration_id))
        if credential is None:
            raise NoCredential
        self._audit.record("gitlab_token.rotate", actor=actor, integration_id=integration_id)
        if credential.kind == CredentialKind.OAUTH:
            before = held_of(self._store, integration_id, credential.id)
            wanted = Wanted(rejected=before.tokens.access_token)
            after = self._refresher.fresh(integration_id, credential.id, wanted).credential
        else:
            after = self._rotator.rotate(integration_id, credential.id).credential
        now = int(self._now())
        status = token_status(after.status, after.token_expires_at, now)
        return TokenHealth(status=status, expires_at=after.token_expires_at, checked_at=now)
