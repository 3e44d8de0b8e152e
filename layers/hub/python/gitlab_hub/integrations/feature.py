"""What the API does with integrations, put together over its ports; nothing is read or sent by putting it together."""

from collections.abc import Callable
from functools import cached_property

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.credentials import Credentials
from gitlab_hub.integrations.lifecycle import IntegrationLifecycle
from gitlab_hub.integrations.oauth.flow_store import FlowStore
from gitlab_hub.integrations.oauth.keys import FlowKeys
from gitlab_hub.integrations.oauth.service import OAuthFlow, Principals
from gitlab_hub.integrations.oauth.start import OAuthStart
from gitlab_hub.integrations.removal import ActiveBuilds, HookRemoval, NoBuilds, NoHooks, Removal
from gitlab_hub.integrations.repositories import Repositories
from gitlab_hub.integrations.service import IntegrationConnector, IntegrationUpdater
from gitlab_hub.integrations.token_rotation import TokenRotation
from gitlab_hub.integrations.token_service import TokenService
from gitlab_hub.integrations.tokens.services import TokenServices
from gitlab_hub.integrations.verification.verifier import Verifier


class IntegrationsFeature:
    """Everything behind the routes of integrations."""

    def __init__(
        self,
        *,
        tokens: TokenServices,
        lifecycle: IntegrationLifecycle,
        connector: Connector,
        verifier: Verifier,
        audit: AuditLog,
        now: Callable[[], float],
        hooks: HookRemoval | None = None,
        builds: ActiveBuilds | None = None,
    ) -> None:
        self.tokens, self.lifecycle, self.store, self.incidents = tokens, lifecycle, tokens.store, tokens.incidents
        self._hooks, self._builds = hooks or NoHooks(), builds or NoBuilds()
        self._connector, self._verifier, self._audit, self._now = connector, verifier, audit, now

    @cached_property
    def connector(self) -> IntegrationConnector:
        """What connects a GitLab with a token that is at hand."""
        return IntegrationConnector(
            store=self.store,
            lifecycle=self.lifecycle,
            verifier=self._verifier,
            audit=self._audit,
            now=self._now,
        )

    @cached_property
    def oauth_start(self) -> OAuthStart:
        """What begins to connect a GitLab with an OAuth application."""
        return OAuthStart(lifecycle=self.lifecycle, verifier=self._verifier, audit=self._audit, now=self._now)

    @cached_property
    def updater(self) -> IntegrationUpdater:
        """What changes an integration's name, group, features and application."""
        return IntegrationUpdater(
            store=self.store,
            token_service=self.token_service,
            source=self.tokens.refresher,
            audit=self._audit,
            now=self._now,
        )

    @cached_property
    def removal(self) -> Removal:
        """What removes an integration."""
        return Removal(
            store=self.store,
            lifecycle=self.lifecycle,
            revocation_queue=self.tokens.revocation_queue,
            hooks=self._hooks,
            builds=self._builds,
            audit=self._audit,
        )

    @cached_property
    def token_service(self) -> TokenService:
        """What verifies and replaces tokens."""
        return TokenService(
            store=self.store,
            verifier=self._verifier,
            audit=self._audit,
            source=self.tokens.refresher,
            now=self._now,
        )

    @cached_property
    def token_rotation(self) -> TokenRotation:
        """What has a new token made because somebody asks for it."""
        return TokenRotation(
            store=self.store,
            refresher=self.tokens.refresher,
            rotator=self.tokens.rotator,
            audit=self._audit,
            now=self._now,
        )

    @cached_property
    def credentials(self) -> Credentials:
        """The credentials of an integration, one by one."""
        return Credentials(
            store=self.store,
            token_service=self.token_service,
            connector=self._connector,
            pair_revoker=self.tokens.pair_revoker,
            audit=self._audit,
            now=self._now,
        )

    @cached_property
    def repositories(self) -> Repositories:
        """The projects that a token reaches, asked of GitLab."""
        return Repositories(self.store, self._connector, self.tokens.refresher, self.tokens.rejection_check.refused)

    def oauth_flow(self, *, key: Callable[[], bytes], principals: Principals) -> OAuthFlow:
        """What authorizes an application; `key` is a key of the hub's for this alone."""
        return OAuthFlow(
            store=self.store,
            flows=FlowStore(self.tokens.table),
            keys=FlowKeys(key),
            token_endpoint=self.tokens.token_endpoint,
            pair_revoker=self.tokens.pair_revoker,
            revocation_queue=self.tokens.revocation_queue,
            verifier=self._verifier,
            principals=principals,
            audit=self._audit,
            mark_deleting=self.lifecycle.mark_deleting,
            now=self._now,
        )
