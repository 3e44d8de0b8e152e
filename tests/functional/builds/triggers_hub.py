"""The routes of triggers over fakes: requests go in as Lambda events."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitlab_hub.audit.model import AuditAction
from gitlab_hub.builds.feature import TriggersFeature
from gitlab_hub.builds.triggers.checks import CheckTarget, TriggerChecks
from gitlab_hub.builds.triggers.routes import TriggerRoutes
from gitlab_hub.builds.triggers.service import TriggerService
from gitlab_hub.errors import InvalidInput
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.storage.ports import Table
from gitlab_hub.web.api import Api
from gitlab_hub.web.idempotency import Idempotency
from gitlab_hub.web.pagination import Cursors
from gitlab_hub.web.principal import Principal, Role
from tests.fakes.events import OWNER, Context, answered, http_event
from tests.fakes.table import MemoryTable
from tests.fakes.triggers import INTEGRATION, MemoryGroups, MemorySources

PATH = "/v1/triggers"
OTHER = "int_ffff"
BODY: dict[str, Any] = {
    "integration_id": INTEGRATION,
    "project_id": 15,
    "events": ["push"],
    "target": {"type": "eventbridge"},
}
VIEWER, DEVELOPER, ADMIN = (Principal(f"t-{role}", role) for role in (Role.VIEWER, Role.DEVELOPER, Role.ADMIN))
LIMITED = Principal("t-limited", Role.OWNER, frozenset({OTHER}))


@dataclass(frozen=True, slots=True)
class Integration:
    id: str


@dataclass
class Integrations:
    """Some integrations, and a log that remembers."""

    ids: list[str] = field(default_factory=lambda: [INTEGRATION, OTHER])
    log: list[tuple[str, str, str | None, dict[str, Any]]] = field(default_factory=list)

    def exists(self, integration_id: str) -> bool:
        return integration_id in self.ids

    def after(self, position: str | None, *, among: frozenset[str] | None = None) -> Iterator[Integration]:
        known = sorted(self.ids if among is None else among.intersection(self.ids))
        yield from (Integration(one) for one in known if one > (position or ""))

    def record(self, action: AuditAction, *, actor: str, integration_id: str | None, **details: Any) -> str:
        self.log.append((action, actor, integration_id, details))
        return "aud_1"


class NoGitLab:
    """No GitLab at all: whoever asks is told that there is none."""

    def connection(self, integration_id: str) -> GitLabConnection | None:
        return None

    def open(self, connection: GitLabConnection) -> Any:
        raise AssertionError


def only_allowed(target: Mapping[str, Any]) -> None:
    """Refuse one address, as a deployer may."""
    if target.get("url", "").startswith("https://internal"):
        raise InvalidInput("This host is not allowed.")


class TriggersHub:
    """One hub with everything it stores within reach."""

    def __init__(self) -> None:
        self.now = 1_750_000_000.0
        self.rows, self.keys = MemoryTable(), MemoryTable()
        self.integrations, self.sources = Integrations(), MemorySources()
        self.group_lookup = MemoryGroups()
        self.check_target: CheckTarget = only_allowed
        self.delivered: dict[str, HookEvent] = {}
        self.use(self.rows)

    def use(self, table: Table, keys: Table | None = None) -> None:
        """Put the feature together over these tables."""
        self.feature = TriggersFeature(
            table=table, gitlabs=NoGitLab(), sources=self.sources, group_lookup=self.group_lookup
        )
        store = self.feature.store
        checks = TriggerChecks(
            group_lookup=self.group_lookup, gitlabs=NoGitLab(), hooks=None, check_target=self._check_target
        )
        service = TriggerService(
            store=store, integrations=self.integrations, audit=self.integrations, now=lambda: self.now, checks=checks
        )
        part = TriggerRoutes(
            service=service,
            store=store,
            matcher=self.feature.matcher,
            cursors=Cursors(lambda: b"k" * 32),
            delivered=self.delivered.__getitem__,
        )
        self.api = Api(
            part.routes(), guard=self.integrations, idempotency=Idempotency(keys or self.keys), now=lambda: self.now
        )

    def _check_target(self, target: Mapping[str, Any]) -> None:
        self.check_target(target)  # as it is now: a deployer may change it

    def __call__(
        self, method: str, path: str = PATH, body: Any = None, *, principal: Principal | None = OWNER, **more: Any
    ) -> tuple[int, Any]:
        event = http_event(method, path, body, principal=principal, **more)
        return answered(self.api.resolve(event, Context()))

    def made(self, **changes: Any) -> dict[str, Any]:
        """Make a trigger, and show it."""
        status, answer = self("POST", PATH, BODY | changes)
        assert status == 201, answer
        shown: dict[str, Any] = answer["trigger"]
        return shown

    def shown(self, trigger_id: str) -> dict[str, Any]:
        """Read a trigger."""
        status, answer = self("GET", f"{PATH}/{trigger_id}")
        assert status == 200, answer
        shown: dict[str, Any] = answer["trigger"]
        return shown

    def listed(self, **query: Any) -> list[str]:
        """Read a whole list, page by page; the answer is the ids."""
        found: list[str] = []
        while True:
            status, body = self("GET", query=query)
            assert status == 200, body
            found += [row["id"] for row in body["triggers"]]
            if body["next_cursor"] is None:
                return found
            query["cursor"] = body["next_cursor"]
