"""A table that loses answers, for the rows of hooks."""

from typing import Any

from gitlab_hub.storage.ports import ConditionFailed
from gitlab_hub.webhooks.hooks.model import Hook
from tests.fakes.hooks import secrets
from tests.fakes.table import MemoryTable

NOW = 1_750_000_000


def print_of(one: Hook, version: int = 1) -> str:
    return secrets().fingerprint(secrets().token(one.id, version))


class Lossy(MemoryTable):
    """Does what it is told, and says that it did not."""

    losing = False
    writes = 0

    def write(self, puts: Any = (), deletes: Any = ()) -> None:
        self.writes += 1
        super().write(puts, deletes)

    def transact(self, actions: Any) -> None:
        super().transact(actions)
        if self.losing:
            raise ConditionFailed("lost")
