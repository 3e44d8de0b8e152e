"""Whether the hub's own copy is fit to decide by: how the last accounts sync went, and what it covers."""

from collections.abc import Callable, Iterable

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import partition
from gitlab_hub.provisioning.operation import GITLAB, Operation, Where
from gitlab_hub.storage.ports import Key, Table
from gitlab_hub.sync.errors import UnreadableRun
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.store import RunStore

OLDEST_SECONDS = 86_400


class Mirror:
    """The mirror of each integration. All calls block."""

    def __init__(self, table: Table, runs: RunStore, now: Callable[[], float]) -> None:
        self._table, self._runs, self._now = table, runs, now

    def fit_for(self, integration_id: str, operations: Iterable[Operation]) -> set[Where]:
        """The groups and projects among those of some operations that may be decided about, and the whole GitLab."""
        places = {one.where for one in operations}
        if not places or not self._is_fresh(integration_id):
            return set()
        keys: dict[Key, Where] = {
            (partition(integration_id, kind.collection), padded(number)): (kind, number)
            for kind, number in places
            if kind is not None
        }
        found = self._table.get_many(list(keys), attributes=("pk", "sk")) if keys else ()
        return {keys[row["pk"], row["sk"]] for row in found} | {GITLAB}

    def _is_fresh(self, integration_id: str) -> bool:
        try:
            run = self._runs.load(integration_id, Kind.ACCESS)
        except UnreadableRun:
            return False
        age = None if run.succeeded_at is None else self._now() - run.succeeded_at
        return run.status is not RunStatus.SUSPECT and age is not None and age <= OLDEST_SECONDS
