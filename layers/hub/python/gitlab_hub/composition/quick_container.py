"""The container of the webhooks function, whose adapters would rather fail than keep GitLab waiting.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from gitlab_hub.composition.container import Container

if TYPE_CHECKING:
    from gitlab_hub.composition.core import Required
    from gitlab_hub.storage.aws import LazyClient
    from gitlab_hub.storage.ports import OrderedQueue, Secrets, Table


class QuickContainer(Container):
    """A container with short timeouts and few retries."""

    def table(self, name: "Required") -> "Table":
        """The table that a setting names, tried twice."""
        from gitlab_hub.storage.aws import Backoff
        from gitlab_hub.storage.dynamodb import DynamoTable

        return DynamoTable(self.env(name), self._dynamodb, backoff=Backoff(tries=2))

    def secrets(self, prefix: str = "") -> "Secrets":
        """Secrets whose names begin with a prefix."""
        from gitlab_hub.storage.secretsmanager import SecretsManager

        return SecretsManager(prefix, self._quick("secretsmanager"))

    def ordered_queue(self, name: "Required") -> "OrderedQueue":
        """The FIFO queue that a setting names."""
        from gitlab_hub.storage.sqs import SqsOrderedQueue

        return SqsOrderedQueue(self.env(name), self._quick("sqs"))

    @cached_property
    def _dynamodb(self) -> "LazyClient":
        return self._quick("dynamodb")

    def _quick(self, service: str) -> "LazyClient":
        from gitlab_hub.storage.aws import QUICK, LazyClient

        return LazyClient(service, config=QUICK)
