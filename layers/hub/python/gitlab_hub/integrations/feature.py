"""The parts of this feature put together over its ports; nothing is read or sent by putting them together."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from gitlab_hub.integrations.audit import AuditLog
from gitlab_hub.integrations.care.parts import CareParts, Outside
from gitlab_hub.integrations.changing import Changing
from gitlab_hub.integrations.connecting import Connecting
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.integrations.credential_routes import CredentialRoutes
from gitlab_hub.integrations.credentials import Credentials
from gitlab_hub.integrations.life import Life, Purge
from gitlab_hub.integrations.neighbours import Neighbours
from gitlab_hub.integrations.repositories import Repositories
from gitlab_hub.integrations.routes import IntegrationRoutes
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.sync_routes import SyncRoutes, Syncs
from gitlab_hub.integrations.upkeep import Upkeep
from gitlab_hub.integrations.upkeep_routes import UpkeepRoutes
from gitlab_hub.integrations.verifier import Verifier
from gitlab_hub.storage.secrets import Secrets
from gitlab_hub.storage.table import Table
from gitlab_hub.web.cursors import Cursors
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
        outside: Outside | None = None,
    ) -> None:
        self.store = IntegrationStore(table, secrets)
        self.care = CareParts(table, self.store, connector, now, outside or Outside())
        self.life = Life(table, self.store, purge, now)
        self._connector, self._verifier, self._now = connector, verifier, now
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

    def routes(self, *, cursors: Cursors, syncs: Syncs, webhook_url: Callable[[], str]) -> Sequence[Routes]:
        """All parts of the API that belong to integrations."""
        return (
            self._integration_routes(cursors, syncs.view, webhook_url),
            UpkeepRoutes(upkeep=self.upkeep, repositories=Repositories(self.store, self._connector, self.care.refresher), cursors=cursors),
            CredentialRoutes(self._credentials(), now=self._now),
            SyncRoutes(syncs),
        )

    def _integration_routes(
        self, cursors: Cursors, sync_view: Callable[[str], Mapping[str, Any]], webhook_url: Callable[[], str]
    ) -> IntegrationRoutes:
        connecting = Connecting(
            life=self.life,
            neighbours=self._neighbours,
            verifier=self._verifier,
            audit=self._audit,
            now=self._now,
        )
        changing = Changing(store=self.store, life=self.life, upkeep=self.upkeep, audit=self._audit, now=self._now)
        return IntegrationRoutes(
            connecting=connecting,
            changing=changing,
            store=self.store,
            cursors=cursors,
            sync_view=sync_view,
            webhook_url=webhook_url,
            now=self._now,
        )

    def _credentials(self) -> Credentials:
        return Credentials(
            store=self.store, upkeep=self.upkeep, connector=self._connector, audit=self._audit, now=self._now
        )
