"""A whole hub in memory, connected to a stand-in GitLab and synced: the API's functions, and the console over them."""

import base64
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from gitlab_hub.access.changes.own_changes import OwnChanges
from gitlab_hub.access.hints import AccessHints
from gitlab_hub.composition import adapters
from gitlab_hub.composition import routes as routing
from gitlab_hub.composition.access_work import access_work
from gitlab_hub.composition.console import console_of
from gitlab_hub.composition.export_sources import exporter_of
from gitlab_hub.composition.sync_entry import SyncWork, sync_entry
from gitlab_hub.console.gitlab_sign_in import FINISH
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.connector import GitLabConnector
from gitlab_hub.pipelines.feature import PipelinesFeature
from gitlab_hub.pipelines.hints import PipelineHints
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.webhooks.receiving.receiver import WebhookApp
from stand_in_gitlab.process import Running
from tests.fakes.container import ENVIRONMENT, MemoryContainer
from tests.fakes.events import OWNER, Context, answered, http_event, sqs_event
from tests.fakes.queue import MemoryFunction
from tests.fakes.secrets import MemorySecrets

FOLDER = Path(__file__).parents[2] / "functions" / "console"
PARTS = {
    "access": routing.access_routes,
    "builds": routing.builds_routes,
    "integrations": routing.integrations_routes,
    "oauth": routing.oauth_routes,
    "operations": routing.operations_routes,
    "pipelines": routing.pipelines_routes,
    "provisioning": routing.provisioning_routes,
}
OWNER_TOKEN = "ghub_t-owner_" + "s" * 40
LOCAL = {"HUB_ALLOW_LOOPBACK": "true", "ALLOW_INSECURE_HTTP": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


class CompanyHub:
    """The hub of a made-up company. Functions are asked one at a time, as each of them handles one event at a time."""

    def __init__(self, now: Any, base: str = "https://hub.example.com") -> None:
        secrets = MemorySecrets()
        secrets.create(ENVIRONMENT["MASTER_KEY_SECRET"], {"key": "k" * 40}, version="v" * 32)
        secrets.create(ENVIRONMENT["OWNER_TOKEN_SECRET"], {"id": "t-owner", "secret": "s" * 40}, version="v" * 32)
        connector = GitLabConnector(NetworkPolicy(allow_loopback=True, allow_http=True))
        self.container = MemoryContainer(connector, secrets=secrets, now=now, environ={**LOCAL, "PUBLIC_URL": base})
        self._lock = threading.Lock()
        self._apis = {part: self._api(part) for part in PARTS}
        for part in PARTS:
            self.container.functions[part] = MemoryFunction(partial(self._answer, part))
        self.console = console_of(self.container, FOLDER)

    def sign_in_with(self, gitlab: Running, group: str, url: str) -> None:
        """Let its administrator, who is to be in a group, sign in to the console at a URL, as an admin."""
        client = gitlab.add_application("console", f"{url}{FINISH}", scopes=["openid"])
        self.container.secrets().create("console-client", {"client_secret": client.client_secret}, version="v" * 32)
        settings = {"CONSOLE_CLIENT_ID": client.client_id, "CONSOLE_CLIENT_SECRET": "console-client"}
        more = {"CONSOLE_GITLAB_URL": gitlab.base, "CONSOLE_ROLES": f"{group}=admin", "PUBLIC_URL": url}
        self.container.reconfigure(settings | more)
        self._apis["oauth"] = self._api("oauth")
        self.console = console_of(self.container, FOLDER)

    def call(self, part: str, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Call the API."""
        return answered(self._answer(part, http_event(method, path, body, **{"principal": OWNER, **more})))

    def browse(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a browser: with a page of the console, or on the way to GitLab and back."""
        if not str(event["rawPath"]).startswith("/v1/"):
            return self.console.resolve(event, Context())
        answer = self._answer("oauth", event)
        return {**answer, "body": base64.b64encode(answer["body"].encode()).decode()}

    def connect(self, gitlab: Running, token: str = "admin") -> str:
        """Connect the stand-in, and give the integration's id."""
        features = {"manage_webhooks": True, "report_statuses": True, "provisioning": True}
        body: dict[str, Any] = {
            "host_url": gitlab.base,
            "auth_mode": "personal_token",
            "access_token": gitlab.tokens[token],
        }
        body |= {"display_name": "Acme", "features": features}
        status, made = self.call("integrations", "POST", "/v1/integrations/gitlab/start", body)
        assert status == 201, made
        return str(made["integration"]["id"])

    def sync(self) -> None:
        """Work on every sync that is queued, to its end."""
        handlers = {"access": self._sync_accounts(), "pipelines": self._sync_pipelines()}
        while any(self.container.queues[name].sent for name in handlers if name in self.container.queues):
            for name, handler in handlers.items():
                for message in self.container.queues[name].take():
                    failed = handler(sqs_event(message), Context(left_ms=900_000))
                    assert failed == {"batchItemFailures": []}

    def push(self, integration_id: str, project_id: int, *, message: str = "Fix it") -> None:
        """Have GitLab deliver a push to a project, with a trigger that builds it unless its message says no."""
        one = f"/v1/integrations/{integration_id}"
        wanted = {"scope": "project", "target": project_id, "events": ["push"], "mode": "manual"}
        status, hooked = self.call("integrations", "POST", f"{one}/webhooks", wanted)
        assert status == 201, hooked
        trigger = {"integration_id": integration_id, "project_id": project_id, "events": ["push"]}
        status, made = self.call("builds", "POST", "/v1/triggers", {**trigger, "target": {"type": "eventbridge"}})
        assert status == 201, made
        commit = {"id": "a" * 40, "message": message, "added": ["a.py"], "modified": [], "removed": []}
        push = {"object_kind": "push", "project_id": project_id, "ref": "refs/heads/main", "before": "b" * 40,
                "after": "a" * 40, "checkout_sha": "a" * 40, "user_username": "ana", "commits": [commit],
                "total_commits_count": 1, "project": {"id": project_id, "path_with_namespace": "acme/app"}}  # fmt: skip
        text, sent_at = json.dumps(push), str(int(self.container.now()))
        signed = Webhook(hooked["manual"]["signing_token"])
        signature = signed.sign("msg_1", datetime.fromtimestamp(int(sent_at), UTC), text)
        headers = {"x-gitlab-event": "Push Hook", "webhook-id": "msg_1", "webhook-timestamp": sent_at,
                   "webhook-signature": signature}  # fmt: skip
        path = f"/v1/webhooks/gitlab/{hooked['webhook']['id']}"
        receiver = WebhookApp(self.container.receiver())
        event = http_event("POST", path, raw=text, headers=headers, principal=None)
        assert answered(receiver.resolve(event, Context()))[0] == 202
        self._work_on_deliveries()

    def _work_on_deliveries(self) -> None:
        pipelines, access = self.container.table("pipelines_table"), self.container.table("access_table")
        hints = adapters.SyncHints(
            PipelineHints(pipelines, self.container.queue("sync_pipelines_queue_url"), self.container.now),
            AccessHints(access, self.container.queue("sync_accounts_queue_url"), self.container.now),
        )
        worker = self.container.deliveries.worker(
            scopes=self.container.hook_scopes(),
            builds=self.container.builds.builds,
            hints=hints,
            states=adapters.IntegrationStates(self.container.integration_store),
        )
        for message in self.container.ordered_queues["deliveries"].take():
            worker(message.body, remaining=lambda: 60.0)

    def provision(self) -> None:
        """Carry out what was applied."""
        table = self.container.table("access_table")
        hints = AccessHints(table, self.container.queue("sync_accounts_queue_url"), self.container.now)
        own = OwnChanges(table, self.container.now)
        self.container.provisioning.worker(hints, own, self.container.new_id, lambda _: None).tick(lambda: 280.0)

    def export(self) -> None:
        """Make the exports that were asked for."""
        tables = self.container.table("access_table"), self.container.table("pipelines_table")
        exporter_of(self.container, *tables).tick(lambda: 840.0)

    def _api(self, part: str) -> Api:
        return Api(
            PARTS[part](self.container),
            guard=self.container.integration_store,
            idempotency=Idempotency(self.container.integrations_table),
            now=self.container.now,
        )

    def _answer(self, part: str, event: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            return self._apis[part].resolve(event, Context())

    def _sync_accounts(self) -> Any:
        table, others = self.container.table("access_table"), self.container.deliveries_table
        work, jobs = access_work(self.container, table, others)
        return sync_entry(self.container, work, *jobs)

    def _sync_pipelines(self) -> Any:
        table = self.container.table("pipelines_table")
        queue = self.container.queue("sync_pipelines_queue_url")
        work = SyncWork(
            feature=PipelinesFeature(table, self.container.incidents),
            hints=PipelineHints(table, queue, self.container.now).hint_queue,
            purges=[],
            minutes=5,
        )
        return sync_entry(self.container, work)


def text_of(response: Mapping[str, Any]) -> str:
    """The body of a page, as it is read."""
    return base64.b64decode(response["body"]).decode()
