"""Which file of a day is meant, what it is made of, and how far it is.

The name of a file follows from all that it depends on, so the same request finds the same file.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from gitlab_hub.access.history.access_review import review_lines
from gitlab_hub.access.history.decisions import ReviewDecisions
from gitlab_hub.access.history.model import DAY, Snapshot, day_of, end_of, files_prefix, first_kept
from gitlab_hub.access.history.state import State
from gitlab_hub.access.history.store import SnapshotStore
from gitlab_hub.access.keys import FILES
from gitlab_hub.access.reviews.store import ReviewStore
from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage.ports import ObjectMissing, Objects, StorageRefused, Table
from gitlab_hub.storage.rows import value_of
from gitlab_hub.web.errors import unfit

KEPT_SECONDS = 25 * DAY
"""How long a file is handed out; the bucket keeps it for 30 days."""

_GONE = "The snapshot of that day is not in the bucket of exports any more: somebody has removed its object."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One access review to be made: of a snapshot, with what was decided until a moment (unix seconds).

    `mark` changes with those decisions as long as the day is not over.
    """

    integration_id: str
    day: str
    until: int
    mark: str
    snapshot_day: str
    snapshot: str
    group_id: int | None

    @property
    def name(self) -> str:
        """What tells it from all other files of the integration."""
        return f"{self.day}-{self.snapshot}-{self.mark}-{'all' if self.group_id is None else self.group_id}"

    @property
    def key(self) -> str:
        """Where it lies in the bucket."""
        return f"{files_prefix(self.integration_id)}access-review/{self.name}.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """How far a file is: asked for, made (`size` in bytes), or `failed` because it is too much for a worker."""

    asked_at: int
    made_at: int | None = None
    failed: bool = False
    size: int = 0
    sha256: str = ""


class NoHistory(HubError):
    """Nothing is kept of that day; `details["first_day"]` is the first that something is kept of, None before any."""

    code = "no_history"


class FileStore:
    """The rows of the files that are made by workers. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, wanted: Wanted) -> File | None:
        """Read how far a file is."""
        row = self._table.get(partition(wanted.integration_id, FILES), wanted.name)
        return None if row is None else value_of(File, row)

    def put(self, wanted: Wanted, file: File) -> None:
        """Note how far it is."""
        key = {"pk": partition(wanted.integration_id, FILES), "sk": wanted.name}
        self._table.put({**key, "schema_version": 1, **asdict(file), "expires_at": file.asked_at + KEPT_SECONDS})


class HistoryReader:
    """Snapshots and their contents. All calls block."""

    def __init__(self, table: Table, objects: Objects, *, now: Callable[[], float]) -> None:
        self._snapshots, self._objects, self._now = SnapshotStore(table), objects, now
        self._decisions = ReviewDecisions(ReviewStore(table))

    def snapshot(self, integration_id: str, day: str | None) -> Snapshot:
        """The newest snapshot, or that of a day, or of the last one before. Raises NoHistory or Unprocessable."""
        now = self._now()
        if day is not None and day > day_of(now):
            raise unfit("query.as_of", "query.as_of lies in the future; give a day that has begun (UTC).")
        oldest = first_kept(now)
        found = self._snapshots.newest(integration_id, day) if day else self._snapshots.newest(integration_id)
        if found is not None and found.day >= oldest:
            return found
        first = self._snapshots.first(integration_id, oldest)
        details = {"first_day": None if first is None else first.day}
        if first is None:
            raise NoHistory("Nothing is kept yet: history begins with the next sync that ends well.", details=details)
        raise NoHistory(f"Nothing is kept of that day; history begins on {first.day}.", details=details)

    def parts(self, snapshot: Snapshot) -> Iterator[bytes]:
        """The bytes of a snapshot's object. Raises StorageRefused where it is gone."""
        try:
            yield from self._objects.read(snapshot.key)
        except ObjectMissing:
            raise StorageRefused(_GONE) from None

    def wanted(self, integration_id: str, day: str | None, group_id: int | None) -> Wanted:
        """Say what an access review of a day is made of."""
        snapshot, now = self.snapshot(integration_id, day), int(self._now())
        is_over = day is not None and day < day_of(now)
        until = end_of(day) if day is not None and is_over else now
        return Wanted(
            integration_id=integration_id,
            day=day or day_of(now),
            until=until,
            mark="closed" if is_over else self._decisions.mark(integration_id, until),
            snapshot_day=snapshot.day,
            snapshot=snapshot.name,
            group_id=group_id,
        )

    def lines(self, wanted: Wanted) -> Iterator[str] | None:
        """The lines of an access review; None where its day has another snapshot by now. Raises NotFound."""
        snapshot = self._snapshots.newest(wanted.integration_id, wanted.snapshot_day)
        if snapshot is None or snapshot.name != wanted.snapshot:
            return None
        state = State.read(self.parts(snapshot))
        if wanted.group_id is not None:
            node = state.graph.group(wanted.group_id)
            if node is None or node.outside:
                raise NotFound("There is no such group.")
        decided = self._decisions.until(wanted.integration_id, wanted.until)
        return review_lines(wanted.integration_id, snapshot, state, decided, wanted.group_id)
