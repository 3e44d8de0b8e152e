"""The parts of this feature put together over its ports; nothing is read or sent by putting them together."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from gitlab_hub.audit import AuditLog
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.care.caretaker import Care
from gitlab_hub.integrations.care.parts import CareParts, Outside
from gitlab_hub.integrations.changing import Changing
from gitlab_hub.integrations.connecting import Connecting
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.credential_routes import CredentialRoutes
from gitlab_hub.integrations.credentials import Credentials
from gitlab_hub.integrations.life import Life, Purge
from gitlab_hub.integrations.neighbours import Neighbours
from gitlab_hub.integrations.oauth.authorizing import Authorizing, Initiators
from gitlab_hub.integrations.oauth.flow_store import FlowStore
from gitlab_hub.integrations.oauth.keys import FlowKeys
from gitlab_hub.integrations.oauth.returning import ReturnUrls
from gitlab_hub.integrations.oauth.routes import CALLBACK, OAuthRoutes
from gitlab_hub.integrations.oauth.starting import OAuthStart
from gitlab_hub.integrations.removal import ActiveBuilds, HookRemoval, NoBuilds, NoHooks, Removal
from gitlab_hub.integrations.repositories import Repositories
from gitlab_hub.integrations.rotating import Rotating
from gitlab_hub.integrations.routes import HookView, IntegrationRoutes
from gitlab_hub.integrations.scope_routes import ScopeRoutes
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.sync_routes import SyncRoutes, Syncs
from gitlab_hub.integrations.upkeep import Upkeep
from gitlab_hub.integrations.upkeep_routes import HooksOfProjects, UpkeepRoutes
from gitlab_hub.integrations.verifier import Verifier
from gitlab_hub.storage.secrets import Secrets
from gitlab_hub.storage.table import Table
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.web.public_url import WEBHOOK_PATH
from gitlab_hub.web.route import Routes


class IntegrationsFeature:
    """Everything behind the routes of integrations."""

    def __init__(
        self,
        *,
        table: Table,
        secrets: Secrets,
        connector: Connector,
        verifier: Verifier,
        purge: Purge,
        now: Callable[[], float],
        hooks: HookRemoval | None = None,
        builds: ActiveBuilds | None = None,
        outside: Outside | None = None,
        patient: Connector | None = None,
    ) -> None:
        outside = outside or Outside()
        self.store = IntegrationStore(table, secrets, outside.signals.rejected)
        self.care = CareParts(table, self.store, patient or connector, now, outside)
        self.life = Life(table, self.store, purge, now, self.care.revoking.last_tries)
        self.incidents = IncidentStore(table, now)
        self._hooks, self._builds = hooks or NoHooks(), builds or NoBuilds()
        self._table, self._connector, self._verifier, self._now = table, connector, verifier, now
        self._audit, self._neighbours = AuditLog(table, now), Neighbours(self.store)

    @cached_property
    def upkeep(self) -> Upkeep:
        """What looks after tokens."""
        return Upkeep(
            store=self.store,
            neighbours=self._neighbours,
            verifier=self._verifier,
            audit=self._audit,
            source=self.care.refresher,
            now=self._now,
        )

    def caretaker(self, *, rotate: bool) -> Care:
        """The chores of the schedule; `rotate` = access tokens may be rotated before they expire."""
        return Care(
            table=self._table,
            store=self.store,
            refresher=self.care.refresher,
            rotator=self.care.rotator,
            revoking=self.care.revoking,
            incidents=self.incidents,
            signals=self.care.signals,
            rotate=rotate,
            now=self._now,
        )

    def routes(
        self,
        *,
        cursors: Cursors,
        syncs: Syncs,
        webhook_url: Callable[[], str],
        base_url: Callable[[], str] | None = None,
        hook_view: HookView = lambda _: {},
        hooks_of: HooksOfProjects = lambda *_: {},
    ) -> Sequence[Routes]:
        """All parts of the API that belong to integrations, but those that authorize an application."""

        def callback_url() -> str:
            return (base_url() if base_url else webhook_url().removesuffix(WEBHOOK_PATH)) + CALLBACK

        rotating = Rotating(
            store=self.store,
            refresher=self.care.refresher,
            rotator=self.care.rotator,
            audit=self._audit,
            now=self._now,
        )
        repositories = Repositories(self.store, self._connector, self.care.refresher, self.care.opinion.refused)
        return (
            self._integration_routes(cursors, syncs.view, hook_view, webhook_url, callback_url),
            UpkeepRoutes(
                upkeep=self.upkeep,
                rotating=rotating,
                repositories=repositories,
                hooks_of=hooks_of,
                cursors=cursors,
            ),
            CredentialRoutes(self._credentials(), now=self._now),
            SyncRoutes(syncs, store=self.store, cursors=cursors),
            ScopeRoutes(syncs, cursors),
        )

    def oauth_routes(
        self,
        *,
        key: Callable[[], bytes],
        initiators: Initiators,
        base_url: Callable[[], str],
        allowed_return_urls: Sequence[str],
    ) -> OAuthRoutes:
        """The routes that authorize an application; `key` is a key of the hub's for these alone."""
        authorizing = Authorizing(
            store=self.store,
            flows=FlowStore(self._table),
            keys=FlowKeys(key),
            exchange=self.care.exchange,
            ending=self.care.ending,
            revoking=self.care.revoking,
            verifier=self._verifier,
            neighbours=self._neighbours,
            initiators=initiators,
            audit=self._audit,
            hide=self.life.hide,
            now=self._now,
        )
        return OAuthRoutes(
            authorizing,
            exists=self.store.exists,
            base_url=base_url,
            return_urls=ReturnUrls(allowed_return_urls),
            now=self._now,
        )

    def _integration_routes(
        self,
        cursors: Cursors,
        sync_view: Callable[[str], Mapping[str, Any]],
        hook_view: HookView,
        webhook_url: Callable[[], str],
        callback_url: Callable[[], str],
    ) -> IntegrationRoutes:
        connecting = Connecting(
            life=self.life,
            neighbours=self._neighbours,
            verifier=self._verifier,
            audit=self._audit,
            now=self._now,
        )
        return IntegrationRoutes(
            connecting=connecting,
            oauth=OAuthStart(life=self.life, verifier=self._verifier, audit=self._audit, now=self._now),
            changing=Changing(
                store=self.store,
                upkeep=self.upkeep,
                source=self.care.refresher,
                audit=self._audit,
                now=self._now,
            ),
            removal=self._removal(),
            store=self.store,
            cursors=cursors,
            sync_view=sync_view,
            hook_view=hook_view,
            webhook_url=webhook_url,
            callback_url=callback_url,
            now=self._now,
        )

    def _removal(self) -> Removal:
        return Removal(
            store=self.store,
            life=self.life,
            revoking=self.care.revoking,
            hooks=self._hooks,
            builds=self._builds,
            audit=self._audit,
        )

    def _credentials(self) -> Credentials:
        return Credentials(
            store=self.store,
            upkeep=self.upkeep,
            connector=self._connector,
            ending=self.care.ending,
            audit=self._audit,
            now=self._now,
        )
