"""The routes that connect, show, change and remove integrations."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.integrations.account_lists import Unread
from gitlab_hub.integrations.errors import DuplicateIntegration
from gitlab_hub.integrations.model import Integration
from gitlab_hub.integrations.oauth.start import OAuthStart
from gitlab_hub.integrations.removal import DeleteOptions, Removal
from gitlab_hub.integrations.requests import PatchBody, StartBody, chosen, oauth_request, token_request
from gitlab_hub.integrations.responses import (
    IntegrationEnvelope,
    IntegrationList,
    RemovedAnswer,
    StartAnswer,
    WebhookAddress,
)
from gitlab_hub.integrations.service import IntegrationConnector, IntegrationUpdater, Patch
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.views import IntegrationDetail, IntegrationView, VerificationView
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.errors import PermissionDenied
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor

BASE = "/v1/integrations"
ONE = f"{BASE}/<integration_id>"
LISTING = "integrations"

IntegrationId = Annotated[str, Path()]
Flag = Annotated[bool, Query()]
MaybeFlag = Annotated[bool | None, Query()]


HookView = Callable[[str], Mapping[str, Any]]
"""What an integration shows of its hooks: `hooks`, `hooks_complete` and `last_delivery_at`."""


class IntegrationRoutes:
    """Integrations themselves."""

    def __init__(
        self,
        *,
        connector: IntegrationConnector,
        oauth: OAuthStart,
        updater: IntegrationUpdater,
        removal: Removal,
        store: IntegrationStore,
        cursors: Cursors,
        sync_view: Callable[[str], Mapping[str, Any]],
        hook_view: HookView,
        unread_lists: Callable[[str], Unread],
        webhook_url: Callable[[], str],
        callback_url: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._connector, self._oauth, self._updater, self._removal = connector, oauth, updater, removal
        self._store, self._cursors, self._callback_url = store, cursors, callback_url
        self._unread_lists = unread_lists
        self._sync_view, self._hook_view, self._webhook_url, self._now = sync_view, hook_view, webhook_url, now

    def routes(self) -> list[Route]:
        """Give all routes."""
        start, patch, delete = self.start, self.patch, self.delete
        return [
            Route(method="POST", path=f"{BASE}/gitlab/start", handler=start, role=Role.ADMIN, status=201,
                  summary="Connect a GitLab"),
            Route(method="GET", path=BASE, handler=self.list_all, role=Role.VIEWER, summary="List integrations"),
            Route(method="GET", path=ONE, handler=self.get, role=Role.VIEWER, summary="Read one integration"),
            Route(method="PATCH", path=ONE, handler=patch, role=Role.ADMIN, summary="Change an integration"),
            Route(method="DELETE", path=ONE, handler=delete, role=Role.OWNER, summary="Remove an integration"),
        ]  # fmt: skip

    def start(self, body: StartBody, caller: Caller, seed: Seed) -> StartAnswer:
        """Verify a token and connect its GitLab, or keep an application for it; with `dry_run` keep nothing."""
        if caller.integration_ids is not None:
            raise PermissionDenied("Your token is limited to some integrations, so it cannot add one.")
        by_oauth = body.auth_mode == "oauth_app"
        if by_oauth:
            started = self._oauth.start(oauth_request(body), actor=caller.token_id, seed=seed)
        else:
            started = self._connector.connect(token_request(body), actor=caller.token_id, seed=seed)
        kept = started.integration
        return StartAnswer(
            integration=None if kept is None else IntegrationView.of(kept, now=int(self._now())),
            verification=VerificationView.of(started.verification),
            webhook=WebhookAddress(url=self._webhook_url()),
            redirect_uri=self._callback_url() if by_oauth else None,
        )

    def list_all(self, caller: Caller, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None) -> IntegrationList:
        """List the integrations that the caller may see, in order of their ids."""
        position = self._cursors.open(LISTING, cursor)
        visible = self._store.after(position, among=caller.integration_ids, page=limit + 1)
        found = list(islice(visible, limit + 1))
        page, now = found[:limit], int(self._now())
        return IntegrationList(
            integrations=[IntegrationView.of(one, now=now) for one in page],
            next_cursor=self._cursors.seal(LISTING, page[-1].id) if len(found) > limit else None,
        )

    def get(self, integration_id: IntegrationId) -> IntegrationEnvelope:
        """Read one integration."""
        return self._shown(self._store.require(integration_id))

    def patch(self, integration_id: IntegrationId, body: PatchBody, caller: Caller) -> IntegrationEnvelope:
        """Change name, pause, group, features or the OAuth application's secret; what is left out stays."""
        patch = Patch(
            display_name=body.display_name,
            paused=body.paused,
            regroup="group" in body.model_fields_set,
            group=None if body.group is None else str(body.group),
            features=chosen(body.features),
            client_id=body.client_id,
            client_secret=None if body.client_secret is None else body.client_secret.get_secret_value(),
        )
        try:
            changed = self._updater.update(integration_id, patch, actor=caller.token_id)
        except DuplicateIntegration as error:
            raise error.shown_to(caller.can_see) from None
        return self._shown(changed)

    def delete(
        self,
        integration_id: IntegrationId,
        caller: Caller,
        revoke: MaybeFlag = None,
        delete_hooks: Flag = True,  # noqa: FBT002 - a query parameter
        force: Flag = False,  # noqa: FBT002 - the same
    ) -> RemovedAnswer:
        """Remove an integration. OAuth pairs end in GitLab too; access tokens are their owners', unless asked for."""
        options = DeleteOptions(revoke=revoke, delete_hooks=delete_hooks, force=force)
        removed = self._removal.remove(integration_id, options, actor=caller.token_id)
        return RemovedAnswer(
            revoked=removed.revoked,
            revoke_failed=list(removed.revoke_failed),
            hooks_deleted=removed.hooks_deleted,
            hooks_failed=list(removed.hooks_failed),
        )

    def _shown(self, integration: Integration) -> IntegrationEnvelope:
        sync, hooks = self._sync_view(integration.id), self._hook_view(integration.id)
        unread, now = self._unread_lists(integration.id), int(self._now())
        return IntegrationEnvelope(integration=IntegrationDetail.at(integration, sync, hooks, unread, now=now))
