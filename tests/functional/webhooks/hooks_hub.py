"""Hook management over fakes: requests go in as Lambda events, GitLab keeps hooks and fails as planned."""

from collections.abc import Callable
from typing import Any

from gitlab_hub.audit.log import AuditLog
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import INTEGRATIONS, LIVE, is_live
from gitlab_hub.storage.ports import Table
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal
from gitlab_hub.webhooks.hooks.feature import HooksFeature
from gitlab_hub.webhooks.hooks.health_check import HealthCheckReport
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.routes import HookRoutes
from gitlab_hub.webhooks.hooks.store import HookStore
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.faults import Crash, Plan
from tests.fakes.gitlab_hooks import FakeGitLabs, HookedGitLab, connection
from tests.fakes.hooks import INTEGRATION, secrets
from tests.fakes.table import MemoryTable

OTHER = "int_ffff"
PATH = f"/v1/integrations/{INTEGRATION}/webhooks"
URL = "https://hub.example.com/v1/webhooks/gitlab"
PROJECT = {"scope": "project", "target": 3, "events": ["push", "merge_request"]}
GROUP = {"scope": "group", "target": "acme", "events": ["push", "member"]}
SYSTEM = {"scope": "system", "target": None, "events": ["push"]}
NOW = 1_750_000_000


class RecordedDeliveries:
    """A store of deliveries that knows what it is told."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def exists(self, hook_id: str, key: str) -> bool:
        """Whether it was told so."""
        return key in self.keys


class Announced:
    """Where found pushes go."""

    def __init__(self) -> None:
        self.pushes: list[tuple[str, HookEvent, str]] = []
        self.fails: Callable[[], None] = lambda: None

    def push(self, integration_id: str, event: HookEvent, key: str) -> None:
        """Take one; a known key is the same push."""
        if all(one[2] != key for one in self.pushes):
            self.pushes.append((integration_id, event, key))
        self.fails()


class HooksHub:
    """Two integrations of one GitLab, and everything that is stored."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.ahead = 0.0
        self.gitlab, self.rows = HookedGitLab(), MemoryTable(indexes=("by_time", "pending"))
        self.gitlab.clock = lambda: self.now + self.ahead
        self.gitlabs = FakeGitLabs(self.gitlab)
        self.gitlabs.connections = {name: connection(name) for name in (INTEGRATION, OTHER)}
        self.deliveries, self.announced = RecordedDeliveries(), Announced()
        self.without_credential: set[str] = set()
        self.built: dict[str, list[int]] = {}
        self.ticking, self.url = 0.0, URL
        self._seeds = 0
        self.answers, self.integrations = MemoryTable(), MemoryTable()
        self.integrations.put({"pk": INTEGRATIONS, "sk": INTEGRATION, "lifecycle": LIVE})
        self.use(self.rows)

    def use(self, table: Table) -> None:
        """Put the feature together over this table."""
        self.feature = HooksFeature(
            table=table,
            secrets=secrets(),
            incidents=self.incidents,
            gitlabs=self.gitlabs,
            deliveries=self.deliveries,
            webhook_url=lambda: self.url,
            now=lambda: self.now,
            clock=self._clock,
        )
        self.health_check = self.feature.health_check(lambda: list(self.gitlabs.connections))
        self.watch = self.feature.missed_pushes(
            integrations=lambda after: sorted(one for one in self.gitlabs.connections if after is None or one > after),
            built_projects=lambda integration_id: self.built.get(integration_id, []),
            announce=self.announced,
        )
        audit = AuditLog(MemoryTable(), lambda: self.now)
        routes = HookRoutes(self.feature.service, Cursors(lambda: b"k" * 32), audit).routes()
        idempotency = Idempotency(self.answers)
        self.api = Api(routes, guard=self, idempotency=idempotency, now=lambda: self.now, new_seed=self._seed)

    def exists(self, integration_id: str) -> bool:
        """Whether there is such an integration."""
        return integration_id in self.gitlabs.connections or integration_id in self.without_credential

    def __call__(
        self, method: str, path: str, body: Any = None, *, principal: Principal | None = OWNER, key: str | None = None
    ) -> tuple[int, Any]:
        headers = None if key is None else {"idempotency-key": key}
        return answered(
            self.api.resolve(http_event(method, path, body, principal=principal, headers=headers), Context())
        )

    def listed(self, path: str, query: dict[str, Any]) -> tuple[int, Any]:
        """Read a page of a list."""
        return answered(self.api.resolve(http_event("GET", path, query=query), Context()))

    def attempt(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> int | None:
        """Send a request; None where the process ended."""
        try:
            return self(method, path, body, key=key)[0]
        except Crash:
            return None

    def register(self, **more: Any) -> dict[str, Any]:
        """Register a webhook, and give it as it is shown."""
        status, body = self("POST", PATH, PROJECT | more)
        assert status == 201, body
        shown: dict[str, Any] = body["webhook"]
        return shown

    def hook(self, hook_id: str) -> Hook:
        """One hook as it is stored."""
        found = self.store.get(hook_id)
        assert found is not None
        return found

    @property
    def store(self) -> HookStore:
        """The hooks, past all faults."""
        return HookStore(self.rows)

    @property
    def incidents(self) -> IncidentStore:
        """What needs a person."""
        return IncidentStore(self.integrations, lambda: self.now, is_live)

    def open_incidents(self) -> list[tuple[str, str]]:
        """Kind and subject of everything that needs a person in the integration."""
        return [(incident.kind, incident.subject) for incident in self.incidents.of(INTEGRATION)]

    def hooks(self) -> list[Hook]:
        """All hooks of the integration."""
        return list(self.store.of_integration(INTEGRATION))

    def heal(self) -> None:
        """Let every call work again, and every claim end."""
        self.gitlab.plan = Plan()
        self.use(self.rows)
        self.now += 120

    def agrees(self) -> bool:
        """Whether every hook in GitLab is known here, once, with secrets that are accepted."""
        known = {hook.url: hook for hook in self.hooks()}
        urls = [row["url"] for row in self.gitlab.hooks.values()]
        return len(urls) == len(set(urls)) and all(
            row["url"] in known and self._accepts(known[row["url"]], row["id"]) for row in self.gitlab.hooks.values()
        )

    def _accepts(self, hook: Hook, number: int) -> bool:
        token, signing = self.gitlab.secrets[number]
        versions = hook.accepted_versions(self.now)
        made = secrets()
        return token in [made.token(hook.id, one) for one in versions] and (
            signing is None or signing in [made.signing_token(hook.id, one) for one in versions]
        )

    def _seed(self) -> str:
        self._seeds += 1
        return f"seed-{self._seeds}"

    def _clock(self) -> float:
        self.now_ticks = getattr(self, "now_ticks", 0.0) + self.ticking
        return self.now_ticks


def tick(hub: HooksHub, seconds: float = 600.0) -> HealthCheckReport:
    """Let the health check run, which has so many seconds."""
    return hub.health_check.tick(lambda: seconds)


def later(hub: HooksHub) -> HooksHub:
    """Let an hour pass."""
    hub.now += 3_600
    return hub
