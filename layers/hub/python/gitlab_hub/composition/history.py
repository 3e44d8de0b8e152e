"""The history of access as the access sync's function works on it: its notes, its messages, and its removal."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gitlab_hub.access.history.capture import SnapshotJob, SnapshotTick, remove_objects
from gitlab_hub.access.history.files import FileJob
from gitlab_hub.access.history.reader import FileStore, HistoryReader
from gitlab_hub.exports.keys import prefix_of
from gitlab_hub.storage.due import AT_ONCE, Due
from gitlab_hub.sync.due import due_snapshots
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore

if TYPE_CHECKING:
    from gitlab_hub.composition.container import Container
    from gitlab_hub.storage.ports import Queue, Table
    from gitlab_hub.sync.worker import MessageHandler


class HistoryWorkers:
    """What keeps snapshots, makes files of them, and removes both."""

    def __init__(self, container: "Container", table: "Table", queue: "Queue") -> None:
        self._container, self._table, self._queue = container, table, queue
        self._objects = container.objects("exports_bucket")
        self._due = due_snapshots(container.integrations_table)

    def note_end(self, integration_id: str, sync_id: str) -> None:
        """Have the next tick look whether a snapshot is to be kept of a run."""
        self._due.add([Due(integration_id, AT_ONCE, sync_id)])

    def tick(self) -> dict[str, int]:
        """Send messages about what is due."""
        return SnapshotTick(due=self._due, queue=self._queue, now=self._container.now).tick()

    def handlers(self) -> "Mapping[str, MessageHandler]":
        """Who works on which messages, by the field that names them."""
        container, now = self._container, self._container.now
        exists = container.integration_store.exists
        snapshots = SnapshotJob(
            table=self._table,
            runs=RunStore(container.integrations_table),
            scopes=ScopeList(container.integrations_table),
            objects=self._objects,
            due=self._due,
            incidents=container.incidents,
            exists=exists,
            now=now,
            new_id=container.new_id,
        )
        files = FileJob(
            reader=HistoryReader(self._table, self._objects, now=now),
            files=FileStore(self._table),
            objects=self._objects,
            exists=exists,
            now=now,
        )
        return {"snapshot": snapshots, "file": files}

    def remove(self, integration_id: str, remaining: Callable[[], float]) -> bool:
        """Remove the objects of an integration that is gone; False where time is up before that."""
        beside = [prefix_of(integration_id)]
        return remove_objects(self._objects, integration_id, remaining, beside=beside)
