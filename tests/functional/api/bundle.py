"""All routes of the hub, composed as `bootstrap` composes them, over tables, secrets and queues in memory."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

from gitlab_hub.access.model import Account, item_of
from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.routes import AccessRoutes
from gitlab_hub.audit import AuditLog, AuditReader
from gitlab_hub.builds.feature import BuildsFeature
from gitlab_hub.builds.targets.addresses import TargetCheck
from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.gitlab.limits import Unlimited
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.clients import Clients
from gitlab_hub.integrations.feature import IntegrationsFeature
from gitlab_hub.integrations.verifier import Verifier
from gitlab_hub.joints import Everybody, Standings
from gitlab_hub.pipelines.completeness import CompletenessReader, CompletenessRoutes
from gitlab_hub.pipelines.reader import PipelineReader
from gitlab_hub.pipelines.routes import PipelineRoutes
from gitlab_hub.storage.table import Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.purge_book import PurgeBook
from gitlab_hub.sync.service import SyncService
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.api import Api, Route
from gitlab_hub.web.audit_routes import AuditRoutes
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.web.health import HealthRoutes
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.incident_routes import IncidentRoutes
from gitlab_hub.web.keys import MasterKey
from gitlab_hub.web.openapi import OpenApiRoutes
from gitlab_hub.web.route import Routes
from gitlab_hub.web.token_routes import TokenRoutes
from gitlab_hub.web.tokens import OwnerToken, TokenBook, TokenStore
from gitlab_hub.web.whoami import WhoAmIRoutes
from gitlab_hub.webhooks.deliveries_feature import DeliveriesFeature
from gitlab_hub.webhooks.hooks.feature import HooksFeature
from gitlab_hub.webhooks.hooks.kept_deliveries import KeptDeliveries
from gitlab_hub.webhooks.notices import LoggedNotices
from gitlab_hub.webhooks.receive_feature import ReceiveFeature
from gitlab_hub.webhooks.receiver_routes import ReceiverRoutes
from gitlab_hub.webhooks.secrets import HookSecrets
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab, answer, project
from tests.fakes.queue import MemoryOrderedQueue, MemoryQueue
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

MASTER_KEY, OWNER_TOKEN = "master-key", "owner-token"
BASE = "https://hub.example.com"
INDEXES = ("by_account", "by_change", "by_time", "pending")


class Bundle:
    """One hub with everything it stores within reach."""

    def __init__(self) -> None:
        self.gitlab = ScriptedGitLab()
        self.tables = {name: MemoryTable(INDEXES) for name in ("integrations", "access", "pipelines", "deliveries")}
        self.secrets = MemorySecrets()
        self.secrets.create(MASTER_KEY, {"key": "k" * 40}, version="v" * 32)
        self.secrets.create(OWNER_TOKEN, {"id": "t-owner", "secret": "s" * 40}, version="v" * 32)
        self.queues = {kind: MemoryQueue() for kind in Kind}
        self.ordered = {name: MemoryOrderedQueue() for name in ("deliveries", "builds")}
        self.now: Callable[[], float] = lambda: 1_790_000_000.0
        self._numbers = count(1)
        state = self.tables["integrations"]
        self.keys = MasterKey(self.secrets, MASTER_KEY)
        self.cursors = Cursors(lambda: self.keys.derive("cursors"))
        self.connector = ScriptedConnector(self.gitlab)
        self.audit = AuditLog(state, self.now)
        self.feature = self._feature()
        self.gitlabs = self._gitlabs()
        self.hook_secrets = HookSecrets(lambda: self.keys.derive("webhooks"))
        self.hooks = self.hooks_over(self.tables["deliveries"])
        self.routes = self._routes()
        self.api = Api(self.routes, guard=self.feature.store, idempotency=Idempotency(state), now=self.now)
        self.own, self.other = self.start(), self.start(group="acme")
        for integration_id in (self.own, self.other):
            self._know_an_account(integration_id)
        self.ids = self._things()

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Call once and read the answer."""
        return answered(self.resolve(http_event(method, path, body, **{"principal": OWNER, **more})))

    def resolve(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one event."""
        return self.api.resolve(event, Context())

    def start(self, **more: Any) -> str:
        """Connect the scripted GitLab and give the new integration's id."""
        wish = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY, **more}
        return str(self._made("POST", "/v1/integrations/gitlab/start", wish)["integration"]["id"])

    def stored(self) -> str:
        """Everything that is kept anywhere, but the log of what was done."""
        rows = {
            name: [row for row in table.dump() if not row["pk"].startswith(("AUDIT#", "IDEMPOTENCY#"))]
            for name, table in self.tables.items()
        }
        sent = [queue.bodies for queue in self.queues.values()] + [queue.bodies for queue in self.ordered.values()]
        return json.dumps([rows, self.secrets.dump(), sent], default=repr)

    def _things(self) -> dict[str, str]:
        """One of everything that has an id in a path, all of the integration `own`."""
        one = {"integration_id": self.own, "connection_id": self.own, "account_id": "1"}
        self.gitlab.script["/projects/3"] = answer(body=project(3))
        target = {"type": "eventbridge"}
        trigger = {"integration_id": self.own, "project_id": 3, "events": ["push"], "target": target}
        one["trigger_id"] = self._made("POST", "/v1/triggers", trigger)["trigger"]["id"]
        manual = {"scope": "project", "target": 3, "events": ["push"], "mode": "manual"}
        hooked = self._made("POST", f"/v1/integrations/{self.own}/webhooks", manual)
        one["hook_id"] = hooked["webhook"]["id"]
        sent = {"x-gitlab-event": "Push Hook", "x-gitlab-token": hooked["manual"]["secret_token"]}
        push = {"object_kind": "push", "project_id": 3, "ref": "refs/heads/main", "after": "a" * 40}
        path = f"/v1/webhooks/gitlab/{one['hook_id']}"
        one["delivery_id"] = self._made("POST", path, push, headers=sent, principal=None)["delivery_id"]
        self.gitlab.script[f"/projects/3/repository/commits/{'a' * 40}"] = answer(body={"id": "a" * 40})
        wanted = {"trigger_id": one["trigger_id"], "sha": "a" * 40}
        one["build_id"] = self._made("POST", "/v1/builds", wanted)["build"]["id"]
        return one

    def _made(self, method: str, path: str, body: Any, **more: Any) -> Any:
        status, made = self(method, path, body, **more)
        assert status in {201, 202}, made
        return made

    def _know_an_account(self, integration_id: str) -> None:
        key = {"pk": f"{integration_id}#accounts", "sk": f"{1:012d}"}
        self.tables["access"].put({**key, **item_of(Account(id=1, username="user1", name="User 1"))})

    def _feature(self) -> IntegrationsFeature:
        return IntegrationsFeature(
            table=self.tables["integrations"],
            secrets=self.secrets,
            connector=self.connector,
            verifier=Verifier(self.connector, now=self.now, clock=lambda: 0.0),
            purge=self._syncs().forget,
            now=self.now,
        )

    def _gitlabs(self) -> Clients:
        return Clients(
            store=self.feature.store,
            source=self.feature.care.refresher,
            limiter_for=lambda _origin, _user_id: Unlimited(),
            policy=NetworkPolicy(),
            open_client=lambda address, tokens, _limiter: self.connector.open(address, tokens),
        )

    def _syncs(self) -> SyncService:
        runs = RunStore(self.tables["integrations"])
        purges = partial(PurgeBook, self.tables["integrations"])
        new_id = partial(next, (f"s{number}" for number in self._numbers))
        return SyncService(runs=runs, queues=self.queues, purges=purges, now=self.now, new_id=new_id)

    def _routes(self) -> list[Route]:
        access = AccessRoutes(AccessReader(self.tables["access"], now=self.now), self.cursors)
        pipelines = PipelineRoutes(PipelineReader(self.tables["pipelines"]), self.cursors)
        state, store = self.tables["integrations"], TokenStore(self.tables["integrations"])
        tokens = TokenRoutes(store, self.keys, self.cursors, self.audit, self.now)
        log = AuditRoutes(AuditReader(state, self.now), self.cursors)
        incidents = IncidentRoutes(IncidentStore(state, self.now), self.cursors)
        complete = CompletenessRoutes(CompletenessReader(self.tables["pipelines"], self.now), self.cursors)
        parts = [*self._connecting(), access, pipelines, complete, *self._hooks(), *self._builds()]
        parts += [HealthRoutes(), WhoAmIRoutes(store), tokens, log, incidents]
        routes = [route for part in parts for route in part.routes()]
        return [*routes, *OpenApiRoutes(lambda: routes).routes()]

    def _connecting(self) -> Iterator[Routes]:
        yield from self.feature.routes(
            cursors=self.cursors,
            syncs=self._syncs(),
            webhook_url=lambda: f"{BASE}/v1/webhooks/gitlab",
            hook_view=self.hooks.shown,
            hooks_of=self.hooks.of_projects,
        )
        owner = OwnerToken(self.secrets, OWNER_TOKEN, self.now)
        yield self.feature.oauth_routes(
            key=lambda: self.keys.derive("oauth"),
            initiators=TokenBook(TokenStore(self.tables["integrations"]), owner, self.now),
            base_url=lambda: BASE,
            allowed_return_urls=(),
        )

    def hooks_over(self, table: Table) -> HooksFeature:
        """What knows of hooks, over this view of the table of deliveries."""
        return HooksFeature(
            table=table,
            secrets=self.hook_secrets,
            incidents=IncidentStore(self.tables["integrations"], self.now),
            gitlabs=self.gitlabs,
            deliveries=KeptDeliveries(table),
            webhook_url=lambda: f"{BASE}/v1/webhooks/gitlab",
            now=self.now,
        )

    def _hooks(self) -> Iterator[Routes]:
        receiving = ReceiveFeature(
            table=self.tables["deliveries"],
            queue=self.ordered["deliveries"],
            secrets=self.hook_secrets,
            standing=Standings(self.feature.store),
            notices=LoggedNotices("webhooks"),
            now=self.now,
        )
        yield self.hooks.routes(self.cursors, self.audit)
        yield ReceiverRoutes(receiving.receiver)

    def _builds(self) -> Iterator[Routes]:
        store, table = self.feature.store, self.tables["deliveries"]
        builds = BuildsFeature(table=table, queue=self.ordered["builds"], gitlabs=self.gitlabs, now=self.now)
        log = DeliveriesFeature(table=table, queue=self.ordered["deliveries"], now=self.now)
        yield from builds.routes(
            cursors=self.cursors,
            integrations=store,
            audit=self.audit,
            key=lambda: self.keys.derive("build-targets"),
            check_target=TargetCheck(NetworkPolicy(), AllowedArns()),
        )
        yield log.routes(guard=store, visible=Everybody(store).seen_by, cursors=self.cursors)


def with_body(routes: Iterable[Route]) -> Iterator[Route]:
    """Those that take a body."""
    return (route for route in routes if route.takes_body)
