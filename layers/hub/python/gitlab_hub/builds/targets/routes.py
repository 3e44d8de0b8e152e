"""Getting the secret that a trigger's requests to an HTTPS target are signed with."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.builds.runs.schemas import SigningSecret
from gitlab_hub.builds.targets.signing import SecretVersions, TargetSecrets
from gitlab_hub.builds.triggers.ports import Triggers
from gitlab_hub.errors import Conflict
from gitlab_hub.storage.ports import ConditionFailed
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role

PATH = "/v1/triggers/<trigger_id>/signing-secret"

TriggerId = Annotated[str, Path()]


class SigningRoutes:
    """Nobody can read a secret back; whoever needs one makes the next."""

    def __init__(
        self,
        *,
        triggers: Triggers,
        secrets: TargetSecrets,
        versions: SecretVersions,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._triggers, self._secrets, self._versions, self._now = triggers, secrets, versions, now
        self._audit = audit

    def routes(self) -> list[Route]:
        """All routes of this part."""
        return [
            Route(method="POST", path=PATH, handler=self.rotate, role=Role.ADMIN, secret_answer=True,
                  operation="rotate_signing_secret",
                  summary="Make a new signing secret for a trigger's target and show it once"),
        ]  # fmt: skip

    def rotate(self, trigger_id: TriggerId, caller: Caller, seed: Seed) -> SigningSecret:
        """Make the next secret; for a day requests are signed with the one before as well."""
        integration_id = self._triggers.require(trigger_id).integration_id
        self._audit.record(
            AuditAction.SIGNING_SECRET_MADE, actor=caller.token_id, integration_id=integration_id, trigger_id=trigger_id
        )
        try:
            made = self._versions.rotate(integration_id, trigger_id, seed=seed, now=self._now())
        except ConditionFailed:
            raise Conflict("Another secret is being made at this moment; try again.", retry_after=1) from None
        secret = self._secrets.secret(trigger_id, made.version)
        return SigningSecret(signing_secret=secret, version=made.version, previous_until=made.previous_until)
