"""The container of the deployed hub over tables, secrets and queues in memory."""

from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.composition.container import Container
from gitlab_hub.composition.core import Required
from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import GitLab, Tokens
from gitlab_hub.gitlab.limits import Limiter, Unlimited
from gitlab_hub.integrations.connector import Connector
from gitlab_hub.storage.ports import Bus, Function, Objects, OrderedQueue, Queue, Secrets, Table
from tests.fakes.bus import MemoryBus
from tests.fakes.objects import MemoryObjects
from tests.fakes.queue import MemoryFunction, MemoryOrderedQueue, MemoryQueue
from tests.fakes.secrets import MemorySecrets
from tests.fakes.table import MemoryTable

INDEXES = ("by_account", "by_change", "by_time", "pending")
BASE = "https://hub.example.com"
PARTS = ("access", "builds", "integrations", "oauth", "operations", "pipelines", "provisioning")
"""The functions of the API that the console asks."""
ENVIRONMENT = {
    "PUBLIC_URL": BASE,
    "MASTER_KEY_SECRET": "master-key",
    "OWNER_TOKEN_SECRET": "owner-token",
    "SYNC_ACCOUNTS_QUEUE_URL": "access",
    "SYNC_PIPELINES_QUEUE_URL": "pipelines",
    "DELIVERIES_QUEUE_URL": "deliveries",
    "BUILDS_QUEUE_URL": "builds",
    "PROVISIONER_FUNCTION": "provisioner",
    "EXPORTER_FUNCTION": "exporter",
    **{f"{part.upper()}_FUNCTION": part for part in PARTS},
}


class MemoryContainer(Container):
    """Fakes below, the real composition above; `parts` stand in for parts of the container, by their names."""

    def __init__(
        self,
        connector: Connector,
        *,
        tables: Mapping[str, Table] | None = None,
        secrets: Secrets | None = None,
        patient: Connector | None = None,
        environ: Mapping[str, str] | None = None,
        now: Callable[[], float],
        **parts: Any,
    ) -> None:
        super().__init__(ENVIRONMENT | dict(environ or {}), now=now, clock=lambda: 0.0)
        self.tables: dict[str, Table] = dict(tables or {})
        self.queues: dict[str, MemoryQueue] = {}
        self.ordered_queues: dict[str, MemoryOrderedQueue] = {}
        self.bucket = MemoryObjects()
        self.buses: dict[str, MemoryBus] = {}
        self.functions: dict[str, MemoryFunction] = {}
        self._connector, self._patient, self._secrets = connector, patient or connector, secrets or MemorySecrets()
        vars(self).update(parts)

    def reconfigure(self, environ: Mapping[str, str]) -> None:
        """Give the functions other variables, as a deployment does."""
        self._environ = {**self._environ, **environ}
        for name in ("settings", "public_url"):
            vars(self).pop(name, None)

    def table(self, name: Required) -> Table:
        """The table of a setting's name; made when it is first asked for."""
        return self.tables.setdefault(name.removesuffix("_table"), MemoryTable(INDEXES))

    def secrets(self, prefix: str = "") -> Secrets:
        """The secrets."""
        return self._secrets

    def queue(self, name: Required) -> Queue:
        """The queue of a setting's name."""
        return self.queues.setdefault(self.env(name), MemoryQueue())

    def ordered_queue(self, name: Required) -> OrderedQueue:
        """The FIFO queue of a setting's name."""
        return self.ordered_queues.setdefault(self.env(name), MemoryOrderedQueue())

    def objects(self, name: Required) -> Objects:
        """The one bucket."""
        return self.bucket

    def function(self, name: Required) -> Function:
        """The function of a setting's name; that it was started is kept."""
        return self.functions.setdefault(self.env(name), MemoryFunction())

    def bus(self, name: Required) -> Bus:
        """The bus of a setting's name; what it was told is kept."""
        return self.buses.setdefault(self.env(name), MemoryBus())

    def connector(self, *, patient: bool = False) -> Connector:
        """What opens clients of the scripted GitLab."""
        return self._patient if patient else self._connector

    def client(self, address: Address, tokens: Tokens, limiter: Limiter) -> GitLab:
        """A client of the scripted GitLab."""
        return self._connector.open(address, tokens)

    def limiter(self, origin: str, user_id: int) -> Limiter:
        """No limit."""
        return Unlimited()
