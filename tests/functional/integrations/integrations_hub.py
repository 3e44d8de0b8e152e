"""The routes of integrations over fakes: requests go in as Lambda events, GitLab is scripted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.composition.routes import integrations_routes
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.gitlab_access import SyncTargets
from gitlab_hub.storage.ports import Item, QueueUnavailable, Rows, Secrets, Table
from gitlab_hub.web.api import Api
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal
from tests.fakes.container import MemoryContainer
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

START = {"host_url": HOST, "auth_mode": "personal_token", "access_token": CANARY}


@dataclass
class Syncs:
    """An engine that remembers what it was asked for."""

    delete: Callable[[str], None] = lambda _: None
    asked: list[tuple[str, tuple[str, ...], bool]] = field(default_factory=list)
    error: Exception | None = None

    def request(self, integration_id: str, kinds: Sequence[str], *, full: bool = False) -> str:
        if self.error:
            raise self.error
        self.asked.append((integration_id, tuple(kinds), full))
        return "sync-1"

    def accept(self, integration_id: str, kind: str, *, actor: str) -> str:
        self.asked.append((integration_id, (f"accept {kind}", actor), False))
        return "sync-2"

    def reject(self, integration_id: str, kind: str, *, actor: str) -> str:
        self.asked.append((integration_id, (f"reject {kind}", actor), False))
        return "sync-1"

    def view(self, integration_id: str) -> dict[str, Any]:
        return {kind: {"sync_id": None, "status": "idle"} for kind in ("access", "pipelines")}

    def history(self, integration_id: str, *, after: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        return [], None

    def scopes(
        self, integration_id: str, *, kind: str | None, status: str | None, after: str | None, limit: int
    ) -> tuple[list[Any], str | None]:
        return [], None


class CountedTable(MemoryTable):
    """Remembers how much was asked of it."""

    gets = queries = items = 0

    def get(self, pk: str, sk: str) -> Item | None:
        self.gets += 1
        return super().get(pk, sk)

    def query(self, pk: str, **more: Any) -> Rows:
        page = super().query(pk, **more)
        self.queries += 1
        self.items += len(page.items)
        return page


class IntegrationsHub:
    """One hub with everything it stores within reach."""

    def __init__(self, table: Table | None = None, secrets: Secrets | None = None, **policy: Any) -> None:
        self.now = 1_750_000_000.0
        self.gitlab = ScriptedGitLab()
        self.stored_rows, self.stored_secrets = MemoryTable(), MemorySecrets()
        self.syncs, self.purged = Syncs(self._purge), list[str]()
        self.queue_is_down = False
        self.use(table or self.stored_rows, secrets or self.stored_secrets, **policy)

    def use(self, table: Table, secrets: Secrets, **policy: Any) -> None:
        """Put the feature together over these ports."""
        connector = ScriptedConnector(self.gitlab, NetworkPolicy(**policy))
        container = MemoryContainer(
            connector,
            tables={"integrations": table},
            secrets=secrets,
            now=lambda: self.now,
            syncs=self.syncs,
            cursors=Cursors(lambda: b"k" * 32),
        )
        self.feature = container.integrations()
        container.integrations = lambda **_: self.feature  # type: ignore[method-assign]
        self.api = Api(integrations_routes(container), guard=self.feature.store, idempotency=None, now=lambda: self.now)
        self.targets = SyncTargets(self.feature.store, lambda: self.now)

    def __call__(
        self, method: str, path: str, body: Any = None, *, principal: Principal | None = OWNER, **more: Any
    ) -> tuple[int, Any]:
        event = http_event(method, path, body, principal=principal, **more)
        return answered(self.api.resolve(event, Context()))

    def scheduled(self) -> list[str]:
        """The integrations whose runs the schedule starts."""
        return self.targets.scheduled_page(None).ids

    def start(self, **more: Any) -> str:
        """Connect, and give the new id."""
        status, answer = self("POST", "/v1/integrations/gitlab/start", START | more)
        assert status == 201, answer
        return str(answer["integration"]["id"])

    def integration(self, integration_id: str) -> dict[str, Any]:
        """One integration as it is shown."""
        status, answer = self("GET", f"/v1/integrations/{integration_id}")
        assert status == 200, answer
        shown: dict[str, Any] = answer["integration"]
        return shown

    def rows(self) -> list[dict[str, Any]]:
        """Everything stored but the log, and when to look at what."""
        return [row for row in self.stored_rows.dump() if not row["pk"].startswith(("AUDIT#", "DUE#"))]

    def _purge(self, integration_id: str) -> None:
        if self.queue_is_down:
            raise QueueUnavailable
        self.purged.append(integration_id)


def counting(hub: IntegrationsHub) -> CountedTable:
    """Let a hub go on with what it has stored, and count what it reads from now on."""
    counted = CountedTable()
    for row in hub.stored_rows.dump():
        counted.put(row)
    hub.stored_rows = counted
    hub.use(counted, hub.stored_secrets)
    return counted
