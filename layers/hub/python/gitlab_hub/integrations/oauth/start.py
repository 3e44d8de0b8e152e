"""Connecting a GitLab by an OAuth application: everything but the authorization itself, which somebody does later."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.integrations.factory import unauthorized_integration
from gitlab_hub.integrations.lifecycle import IntegrationLifecycle
from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.permissions import least_scopes
from gitlab_hub.integrations.service import ConnectResult
from gitlab_hub.integrations.tokens.vault import Contents
from gitlab_hub.integrations.verification.refusals import InvalidPermissions, refusal
from gitlab_hub.integrations.verification.steps import missing_scopes
from gitlab_hub.integrations.verification.verifier import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthConnectRequest:
    """What is to be connected; no `scopes` = the least that does."""

    host_url: str
    application: Application
    scopes: tuple[str, ...] | None
    group: str | None
    features: Features
    display_name: str | None
    dry_run: bool


class OAuthStart:
    """Keeps applications, so that they can be authorized."""

    def __init__(
        self, *, lifecycle: IntegrationLifecycle, verifier: Verifier, audit: AuditLog, now: Callable[[], float]
    ) -> None:
        self._lifecycle, self._verifier, self._audit, self._now = lifecycle, verifier, audit, now

    def start(self, request: OAuthConnectRequest, *, actor: str, seed: str) -> ConnectResult:
        """Look whether a GitLab is there, and keep the application unless it is only a dry run.

        The id comes from the seed: a request that is sent again finds what the first one had begun.
        """
        # What features need is asked for while they are on, see `asked_for`.
        scopes = request.scopes or least_scopes(("connect",))
        if request.scopes and (missing := missing_scopes(scopes, writes=request.features.write)):
            raise InvalidPermissions(
                f"`scopes` lacks {' and '.join(missing)}, which the features need. Add it, or leave `scopes` out: "
                "then the hub asks for the least that does.",
                details={"missing_scopes": missing},
            )
        verification = self._verifier.look(request.host_url)
        if error := refusal(verification):
            raise error
        if request.dry_run:
            return ConnectResult(verification=verification, integration=None)
        integration = unauthorized_integration(
            f"int_{hashlib.sha256(f'i:{seed}'.encode()).hexdigest()[:20]}",
            verification.facts.base_url or request.host_url,
            request.group,
            request.features,
            request.display_name,
            client_id=request.application.client_id,
            scopes=scopes,
            created_by=actor,
            now=int(self._now()),
        )
        self._audit.record(
            AuditAction.INTEGRATION_START_OAUTH,
            actor=actor,
            integration_id=integration.id,
            host_url=integration.host_url,
        )
        kept = self._lifecycle.create(integration, None, Contents(application=request.application))
        return ConnectResult(verification=verification, integration=kept)
