"""The routes of hooks."""

from itertools import islice
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.registration import HookRequest
from gitlab_hub.webhooks.hooks.schemas import (
    HookRemovedAnswer,
    HookTestAnswer,
    ResentAnswer,
    RotateBody,
    WebhookBody,
    WebhookEnvelope,
    WebhookList,
    WebhookSecretEnvelope,
    WebhookView,
)
from gitlab_hub.webhooks.hooks.service import HookService

ALL = "/v1/integrations/<integration_id>/webhooks"
ONE = f"{ALL}/<hook_id>"

IntegrationId = Annotated[str, Path()]
HookId = Annotated[str, Path()]


class HookRoutes:
    """An integration's webhooks."""

    def __init__(self, service: HookService, cursors: Cursors, audit: Audit) -> None:
        self._service, self._cursors, self._audit = service, cursors, audit

    def routes(self) -> list[Route]:
        """Give all routes."""
        admin, viewer = Role.ADMIN, Role.VIEWER
        register, rotate, resend = self.register, self.rotate, self.resend_failed
        return [
            Route(method="POST", path=ALL, handler=register, role=admin, status=201, secret_answer=True,
                  summary="Register a webhook"),
            Route(method="GET", path=ALL, handler=self.list_all, role=viewer, summary="List webhooks"),
            Route(method="GET", path=ONE, handler=self.get, role=viewer, summary="Read one webhook"),
            Route(method="DELETE", path=ONE, handler=self.delete, role=admin, summary="Remove a webhook"),
            Route(method="POST", path=f"{ONE}/rotate", handler=rotate, role=admin, secret_answer=True,
                  summary="Make new secrets for a webhook"),
            Route(method="POST", path=f"{ONE}/test", handler=self.test, role=admin,
                  summary="Have GitLab send a sample"),
            Route(method="POST", path=f"{ONE}/repair", handler=self.repair, role=admin,
                  summary="Bring a webhook in order"),
            Route(method="POST", path=f"{ONE}/resend-failed", handler=resend, role=admin,
                  operation="resend_failed_deliveries", summary="Have GitLab send lost deliveries again"),
        ]  # fmt: skip

    def register(
        self, integration_id: IntegrationId, body: WebhookBody, caller: Caller, seed: Seed
    ) -> WebhookSecretEnvelope:
        """Register a webhook in GitLab (auto), or prepare one that a person enters there (manual)."""
        request = HookRequest(
            scope=body.scope,
            target=body.target,
            events=tuple(body.events),
            mode=body.mode,
            fallback=body.fallback is not None,
            verification=body.verification,
        )
        hook = self._service.register(
            integration_id,
            request,
            seed=seed,
            note=lambda new: self._record(AuditAction.HOOK_CREATE, caller, new, after=_told(new)),
        )
        # A repeated request gets the secrets that it got before, whatever was rotated since.
        return WebhookSecretEnvelope.of(hook, 1, self._service.secrets)

    def list_all(
        self, integration_id: IntegrationId, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> WebhookList:
        """List an integration's webhooks in order of their ids."""
        listing = f"webhooks/{integration_id}"
        position = self._cursors.open(listing, cursor)
        found = list(islice(self._service.after(integration_id, position), limit + 1))
        page = found[:limit]
        return WebhookList(
            webhooks=[WebhookView.of(hook) for hook in page],
            next_cursor=self._cursors.seal(listing, page[-1].id) if len(found) > limit else None,
        )

    def get(self, integration_id: IntegrationId, hook_id: HookId) -> WebhookEnvelope:
        """Read one webhook, as it was when it was last compared with GitLab."""
        return WebhookEnvelope(webhook=WebhookView.of(self._service.require(integration_id, hook_id)))

    def delete(self, integration_id: IntegrationId, hook_id: HookId, caller: Caller) -> HookRemovedAnswer:
        """Remove a webhook from GitLab and from the hub; its deliveries are refused from now on."""
        hook = self._service.require(integration_id, hook_id)
        self._record(AuditAction.HOOK_DELETE, caller, hook, before=_told(hook))
        self._service.removal.remove(integration_id, hook_id)
        return HookRemovedAnswer()

    def rotate(
        self, integration_id: IntegrationId, hook_id: HookId, body: RotateBody, caller: Caller, seed: Seed
    ) -> WebhookSecretEnvelope:
        """Make new secrets; the old ones are accepted until the grace is over."""
        hook = self._service.require(integration_id, hook_id)
        self._record(AuditAction.HOOK_ROTATE, caller, hook, grace_seconds=body.grace_seconds)
        made = self._service.rotation.rotate(integration_id, hook_id, grace_seconds=body.grace_seconds, seed=seed)
        return WebhookSecretEnvelope.of(made.hook, made.version, self._service.secrets)

    def test(self, integration_id: IntegrationId, hook_id: HookId) -> HookTestAnswer:
        """Have GitLab send a sample of the webhook's first event. It is a delivery like any other."""
        is_delivered = self._service.repairs.test(integration_id, hook_id)
        hint = "GitLab got no good answer from the hub, or has nothing to make a sample of (an empty project)."
        return HookTestAnswer(ok=is_delivered, hint=None if is_delivered else hint)

    def repair(self, integration_id: IntegrationId, hook_id: HookId, caller: Caller) -> WebhookEnvelope:
        """Send everything to GitLab again; what is gone is made anew, what GitLab switched off is replaced."""
        hook = self._service.require(integration_id, hook_id)
        self._record(AuditAction.HOOK_REPAIR, caller, hook, before={"status": hook.status})
        return WebhookEnvelope(webhook=WebhookView.of(self._service.repair(integration_id, hook_id)))

    def resend_failed(self, integration_id: IntegrationId, hook_id: HookId) -> ResentAnswer:
        """Have GitLab send again what it could not deliver in the last seven days."""
        found = self._service.resend_failed(integration_id, hook_id)
        return ResentAnswer(resent=found.resent, failed=found.failed, known=found.known, complete=found.complete)

    def _record(self, action: AuditAction, caller: Caller, hook: Hook, **details: Any) -> None:
        self._audit.record(action, actor=caller.token_id, integration_id=hook.integration_id, target=hook.id, **details)


def _told(hook: Hook) -> dict[str, Any]:
    """What the audit log keeps of a hook."""
    return {"scope": hook.scope, "target": hook.target, "events": list(hook.events), "mode": hook.mode}
