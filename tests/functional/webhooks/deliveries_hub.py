"""The receiving side over fakes: calls go in as Lambda events, as GitLab would send them, and messages come out."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.storage.ports import OrderedQueue, Table
from gitlab_hub.web.entry import worker_entry
from gitlab_hub.webhooks.deliveries.feature import DeliveriesFeature
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.secrets import HookSecrets
from gitlab_hub.webhooks.hooks.store import HookStore
from gitlab_hub.webhooks.receiving.receiver import ReceiveFeature, WebhookApp
from tests.fakes.events import Context, answered, http_event, sqs_event
from tests.fakes.queue import MemoryOrderedQueue, Ordered
from tests.fakes.table import MemoryTable
from tests.fakes.telemetry import MemoryTelemetry

DATA = Path(__file__).parents[2] / "data" / "gitlab"
NOW = 1_750_000_000
PATH = "/v1/webhooks/gitlab"
INTEGRATION = "int_0a1b"
PUSH: dict[str, Any] = json.loads((DATA / "webhooks" / "push.json").read_text())
PROJECT = 15
"""The project of that push."""


def a_hook(unique: str = "1", integration_id: str = INTEGRATION, **more: Any) -> Hook:
    """Make a hook of the project that the recorded push is of."""
    known: dict[str, Any] = {
        "id": f"hook_{integration_id.removeprefix('int_')}_{unique}",
        "integration_id": integration_id,
        "scope": "project",
        "gitlab_hook_id": 9,
        "target_id": PROJECT,
        "target": "mike/diaspora",
        "url": "https://hub.example.com",
        "verification": "token",
        "events": ("push",),
        "status": "active",
        "secret_version": 1,
        "previous_version_until": 0,
        "created_at": NOW - 100,
        "updated_at": NOW - 100,
    }
    return Hook(**known | more)


@dataclass
class RecordingBuilds:
    """Makes one build per integration, project and commit, as claims do; a repeated call gives the same answer."""

    asked: list[tuple[str, HookEvent, str]] = field(default_factory=list)
    made: dict[tuple[str, int | None, str | None], str] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None
    wanted: bool = True

    def on_event(
        self, integration_id: str, event: HookEvent, *, delivery_id: str
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Remember the event, and make its build."""
        if self.error:
            raise self.error
        self.asked.append((integration_id, event, delivery_id))
        if delivery_id in self.makers:
            return [self.makers[delivery_id]], []
        claim = (integration_id, event.project_id, event.sha)
        if not self.wanted or event.sha is None or claim in self.made:
            return [], ["no_trigger" if not self.wanted else "built_before"]
        self.makers[delivery_id] = self.made[claim] = f"bld_{len(self.made)}"
        return [self.made[claim]], []


@dataclass
class RecordingHints:
    """Remembers what was hinted at."""

    given: list[tuple[str | int, ...]] = field(default_factory=list)

    def pipeline(self, integration_id: str, project_id: int, pipeline_id: int) -> None:
        """Remember it."""
        self.given.append(("pipeline", integration_id, project_id, pipeline_id))

    def deployments(self, integration_id: str, project_id: int) -> None:
        """Remember it."""
        self.given.append(("deployments", integration_id, project_id))

    def project(self, integration_id: str, project_id: int) -> None:
        """Remember it."""
        self.given.append(("project", integration_id, project_id))

    def group(self, integration_id: str, group_id: int) -> None:
        """Remember it."""
        self.given.append(("group", integration_id, group_id))


@dataclass
class KnownScopes:
    """Projects that lie in groups, by the ids of hooks, as a GitLab knows them."""

    within: dict[str, set[int]] = field(default_factory=dict)
    asked: int = 0
    error: BaseException | None = None

    def covers(self, integration_id: str, hook_id: str, project_id: int) -> bool:
        """Whether a hook may speak of a project."""
        self.asked += 1
        if self.error:
            raise self.error
        return project_id in self.within.get(hook_id, set())


@dataclass
class MemoryStates:
    """Integrations that are not simply active."""

    known: dict[str, str] = field(default_factory=dict)

    def of(self, integration_id: str) -> str:
        """How this one stands."""
        return self.known.get(integration_id, "active")


@dataclass
class MemoryMetrics:
    """Counts what was noticed."""

    seen: Counter[str] = field(default_factory=Counter)

    def refused(self, reason: str) -> None:
        """Count it."""
        self.seen[f"refused {reason}"] += 1

    def ignored(self, reason: str, *, hook_id: str) -> None:
        """Count it."""
        self.seen[f"ignored {reason}"] += 1

    def unavailable(self, *, hook_id: str | None) -> None:
        """Count it."""
        self.seen["unavailable"] += 1

    def gave_up(self, delivery_id: str) -> None:
        """Count it."""
        self.seen["gave up"] += 1

    def requeued(self, count: int) -> None:
        """Count them."""
        self.seen["sent again"] += count


class DeliveriesHub:
    """A hub's post room with everything in it within reach."""

    def __init__(self, *hooks: Hook) -> None:
        self.now, self.elapsed = float(NOW), 0.0
        self.table, self.queue = MemoryTable(indexes=("by_time", "pending")), MemoryOrderedQueue()
        self.secrets = HookSecrets(lambda: b"k" * 32)
        self.builds, self.hints, self.scopes = RecordingBuilds(), RecordingHints(), KnownScopes()
        self.states, self.metrics, self.telemetry = MemoryStates(), MemoryMetrics(), MemoryTelemetry()
        self.dead: list[Ordered] = []
        for hook in hooks or (a_hook(),):
            self.add(hook)
        self.use(self.table, self.queue)

    def use(self, table: Table, queue: OrderedQueue) -> None:
        """Put everything together over these ports."""
        self.receive = ReceiveFeature(
            table=table,
            queue=queue,
            secrets=self.secrets,
            states=self.states,
            metrics=self.metrics,
            now=lambda: self.now,
            clock=lambda: self.elapsed,
        )
        self.app = WebhookApp(self.receive.receiver)
        self.deliveries = DeliveriesFeature(table=table, queue=queue, now=lambda: self.now)
        worker = self.deliveries.worker(scopes=self.scopes, builds=self.builds, hints=self.hints, states=self.states)
        self.requeue_job = self.deliveries.requeue_job(self.metrics)
        self.entry = worker_entry(on_message=worker, telemetry=self.telemetry)

    def add(self, hook: Hook) -> Hook:
        """Keep a hook."""
        return HookStore(self.table).create(hook, self.secrets.fingerprint(self.token(hook)))

    def token(self, hook: Hook, version: int = 1) -> str:
        """What GitLab has as the hook's secret token."""
        return self.secrets.token(hook.id, version)

    def signed(self, hook: Hook, raw: bytes, message_id: str = "msg_1", version: int = 1) -> dict[str, str]:
        """Headers as a GitLab sends that signs."""
        return signed_headers(self.secrets.signing_token(hook.id, version), raw, message_id, int(self.now))

    def headers(self, hook: Hook, raw: bytes) -> dict[str, str]:
        """The headers of a genuine call."""
        signs = hook.verification == "signature"
        proof = self.signed(hook, raw) if signs else {"X-Gitlab-Token": self.token(hook)}
        return {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Instance": "https://gitlab.example.com", **proof}

    def __call__(
        self, hook: Hook, body: Any, more: Mapping[str, str] | None = None, *, named: bool = True
    ) -> tuple[int, Any]:
        """Send a genuine call with `more` headers; `named` False: to the address without an id."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call(raw, self.headers(hook, raw) | dict(more or {}), f"{PATH}/{hook.id}" if named else PATH)

    def call(self, raw: str | bytes, headers: Mapping[str, str], path: str, method: str = "POST") -> tuple[int, Any]:
        """Send any call."""
        event = http_event(method, path, principal=None, headers=headers, raw=raw)
        return answered(self.app.resolve(event, Context()))

    def deliver(self, *messages: Ordered) -> list[Ordered]:
        """Hand messages to the worker in one batch; gives back those that it failed at."""
        event = sqs_event(*(one.body for one in messages), groups=[one.group for one in messages])
        failures = {one["itemIdentifier"] for one in self.entry(event, Context())["batchItemFailures"]}
        return [one for number, one in enumerate(messages) if f"m{number}" in failures]

    def work(self) -> None:
        """Work on everything that waits; what fails five times is dead."""
        waiting = self.queue.take()
        for _ in range(5):
            waiting = self.deliver(*waiting) if waiting else []
        self.dead += waiting

    def rows(self) -> list[dict[str, Any]]:
        """The deliveries that are kept."""
        return [row for row in self.table.dump() if row["sk"] == "DELIVERY"]


def signed_headers(secret: str, raw: bytes, message_id: str, at: int) -> dict[str, str]:
    """Sign as the specification says, without any of our code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{at}.".encode() + raw, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature}
