"""The deployed hub's own container and routes, over tables, secrets and queues in memory."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gitlab_hub.access.model import Account
from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.builds.targets.https import TargetCheck
from gitlab_hub.composition.routes import all_routes
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.model import Plan, PlanStatus, Step
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.states import Membership
from gitlab_hub.provisioning.timed.model import AccessRequest, RequestStatus
from gitlab_hub.storage.ports import Table
from gitlab_hub.storage.rows import item_of
from gitlab_hub.web.api import Api, Route
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.webhooks.deliveries.store import StoredDeliveries
from gitlab_hub.webhooks.hooks.feature import HooksFeature
from tests.fakes.container import ENVIRONMENT, INDEXES, MemoryContainer
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab, answer, project
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable


class ApiHub:
    """One hub with everything it stores within reach."""

    def __init__(self) -> None:
        self.gitlab = ScriptedGitLab()
        self.tables = {name: MemoryTable(INDEXES) for name in ("integrations", "access", "pipelines", "deliveries")}
        self.secrets = MemorySecrets()
        self.secrets.create(ENVIRONMENT["MASTER_KEY_SECRET"], {"key": "k" * 40}, version="v" * 32)
        self.secrets.create(ENVIRONMENT["OWNER_TOKEN_SECRET"], {"id": "t-owner", "secret": "s" * 40}, version="v" * 32)
        self.now: Callable[[], float] = lambda: 1_790_000_000.0
        self.container = MemoryContainer(
            ScriptedConnector(self.gitlab),
            tables=self.tables,
            secrets=self.secrets,
            now=self.now,
            target_check=lambda: TargetCheck(NetworkPolicy(), AllowedArns()),
        )
        self.routes = list(all_routes(self.container))
        self.api = Api(
            self.routes,
            guard=self.container.integration_store,
            idempotency=Idempotency(self.tables["integrations"]),
            now=self.now,
        )
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
        body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY, **more}
        return str(self._made("POST", "/v1/integrations/gitlab/start", body)["integration"]["id"])

    def stored(self) -> str:
        """Everything that is kept anywhere, but the log of what was done."""
        rows = {
            name: [row for row in table.dump() if not row["pk"].startswith(("AUDIT#", "IDEMPOTENCY#"))]
            for name, table in self.tables.items()
        }
        sent = [queue.bodies for queue in self.container.queues.values()]
        sent += [queue.bodies for queue in self.container.ordered_queues.values()]
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
        everything: dict[str, Any] = {"title": "Everything", "scope": {}}
        one["review_id"] = self._made("POST", f"/v1/integrations/{self.own}/reviews", everything)["review"]["id"]
        wanted = {"dataset": "accounts", "format": "csv"}
        one["export_id"] = self._made("POST", f"/v1/integrations/{self.own}/exports", wanted)["export"]["id"]
        one["plan_id"] = self._plan()
        one["request_id"] = self._request()
        return one

    def _plan(self) -> str:
        """A plan that is blocked, so that nobody can apply it."""
        operation = Operation(kind=Kind.REVOKE, account_id=1, resource_type=ResourceType.GROUP, resource_id=1)
        step = Step(
            index=0,
            operation=operation,
            subject="User 1",
            full_path="acme",
            sentence="User 1: Owner → no access on acme",
            before=Membership(access_level=50),
            after=None,
            refusals=("last_owner",),
        )
        now = int(self.now())
        plan = Plan(
            id="plan_00000000",
            integration_id=self.own,
            hash="h" * 64,
            status=PlanStatus.BLOCKED,
            created_at=now,
            created_by="t-owner",
            expires_at=now + 900,
            step_count=1,
        )
        self.container.provisioning.store.add(plan, [step])
        return plan.id

    def _request(self) -> str:
        """A request for access that was denied, so that nobody can decide about it."""
        now = int(self.now())
        request = AccessRequest(
            id="req_00000000",
            integration_id=self.own,
            account_id=1,
            account="User 1",
            resource_type=ResourceType.GROUP,
            resource_id=1,
            full_path="acme",
            access_level=30,
            reason="OPS-1",
            seconds=3600,
            until=None,
            status=RequestStatus.DENIED,
            created_at=now,
            valid_until=now + 86_400,
            requested_by="t-nobody",
            requester_role="developer",
            requester_accounts=(),
            policy_id="default",
        )
        self.container.provisioning.deciding.store.save(request)
        return request.id

    def _made(self, method: str, path: str, body: Any, **more: Any) -> Any:
        status, made = self(method, path, body, **more)
        assert status in {201, 202}, made
        return made

    def _know_an_account(self, integration_id: str) -> None:
        key = {"pk": f"{integration_id}#accounts", "sk": f"{1:012d}"}
        self.tables["access"].put({**key, **item_of(Account(id=1, username="user1", name="User 1"))})

    def hooks_over(self, table: Table) -> HooksFeature:
        """What knows of hooks, over this view of the table of deliveries."""
        return HooksFeature(
            table=table,
            secrets=self.container.hook_secrets,
            incidents=self.container.incidents,
            gitlabs=self.container.gitlabs,
            deliveries=StoredDeliveries(table),
            webhook_url=self.container.public_url.webhook,
            now=self.now,
        )


def with_body(routes: Iterable[Route]) -> Iterator[Route]:
    """Those that take a body."""
    return (route for route in routes if route.takes_body)
