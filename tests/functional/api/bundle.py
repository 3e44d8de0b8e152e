"""All routes of the hub, composed as `bootstrap` composes them, over tables, secrets and queues in memory."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from gitlab_hub.access.model import Account, item_of
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.routes import AccessRoutes
from gitlab_hub.integrations.feature import IntegrationsFeature
from gitlab_hub.integrations.verifier import Verifier
from gitlab_hub.pipelines.reader import PipelineReader
from gitlab_hub.pipelines.routes import PipelineRoutes
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.service import SyncService
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.api import Api, Route
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.web.health import HealthRoutes
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.keys import MasterKey
from gitlab_hub.web.openapi import OpenApiRoutes
from gitlab_hub.web.token_routes import TokenRoutes
from gitlab_hub.web.tokens import TokenStore
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab
from tests.fakes.queue import MemoryQueue
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

MASTER_KEY = "master-key"


class Bundle:
    """One hub with everything it stores within reach."""

    def __init__(self) -> None:
        self.gitlab = ScriptedGitLab()
        self.tables = {name: MemoryTable() for name in ("integrations", "access", "pipelines")}
        self.secrets = MemorySecrets()
        self.secrets.create(MASTER_KEY, {"key": "k" * 40}, version="v" * 32)
        self.queues = {kind: MemoryQueue() for kind in Kind}
        self.now: Callable[[], float] = lambda: 1_790_000_000.0
        self._numbers = count(1)
        state = self.tables["integrations"]
        self.feature = self._feature()
        self.routes = self._routes()
        self.api = Api(self.routes, guard=self.feature.store, idempotency=Idempotency(state), now=self.now)
        self.own, self.other = self.start(), self.start(group="acme")
        for integration_id in (self.own, self.other):
            self._know_an_account(integration_id)

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Call once and read the answer."""
        return answered(self.resolve(http_event(method, path, body, **{"principal": OWNER, **more})))

    def resolve(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one event."""
        return self.api.resolve(event, Context())

    def start(self, **more: Any) -> str:
        """Connect the scripted GitLab and give the new integration's id."""
        wish = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY, **more}
        status, answer = self("POST", "/v1/integrations/gitlab/start", wish)
        assert status == 201, answer
        return str(answer["integration"]["id"])

    def stored(self) -> str:
        """Everything that is kept anywhere, but the log of what was done."""
        rows = {
            name: [row for row in table.dump() if not row["pk"].startswith(("AUDIT#", "IDEMPOTENCY#"))]
            for name, table in self.tables.items()
        }
        sent = [queue.bodies for queue in self.queues.values()]
        return json.dumps([rows, self.secrets.dump(), sent], default=repr)

    def _know_an_account(self, integration_id: str) -> None:
        key = {"pk": f"{integration_id}#accounts", "sk": f"{1:012d}"}
        self.tables["access"].put({**key, **item_of(Account(id=1, username="user1", name="User 1"))})

    def _feature(self) -> IntegrationsFeature:
        connector = ScriptedConnector(self.gitlab)
        return IntegrationsFeature(
            table=self.tables["integrations"],
            secrets=self.secrets,
            connector=connector,
            verifier=Verifier(connector, now=self.now, clock=lambda: 0.0),
            purge=self._syncs().forget,
            now=self.now,
        )

    def _syncs(self) -> SyncService:
        runs = RunStore(self.tables["integrations"])
        return SyncService(runs=runs, queues=self.queues, now=self.now, new_id=lambda: f"s{next(self._numbers)}")

    def _routes(self) -> list[Route]:
        keys = MasterKey(self.secrets, MASTER_KEY)
        cursors = Cursors(lambda: keys.derive("cursors"))
        integrations = self.feature.routes(
            cursors=cursors, syncs=self._syncs(), webhook_url=lambda: "https://hub.example.com/v1/webhooks/gitlab"
        )
        access = AccessRoutes(AccessReader(self.tables["access"], now=self.now), cursors)
        pipelines = PipelineRoutes(PipelineReader(self.tables["pipelines"]), cursors)
        tokens = TokenRoutes(TokenStore(self.tables["integrations"]), keys, cursors, self.now)
        parts = [*integrations, access, pipelines, HealthRoutes(), tokens]
        routes = [route for part in parts for route in part.routes()]
        return [*routes, *OpenApiRoutes(lambda: routes).routes()]


def with_body(routes: Iterable[Route]) -> Iterator[Route]:
    """Those that take a body."""
    return (route for route in routes if route.takes_body)
