"""Keeping one snapshot a day: after every run that came to its end, where the state is another or a new day began.

The last stage of a run notes that a snapshot is due, before the run ends; the next tick has a worker look, and the note
stays until nothing is left to do. So a worker that dies, or a bucket that is away, costs the run nothing and is made
good. A run that failed or is suspect leaves none, and neither does a state that another run has begun to change.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from typing import Any

from gitlab_hub.access.history.lines import MEDIA, Writing
from gitlab_hub.access.history.model import (
    SECTIONS,
    Snapshot,
    day_of,
    end_of,
    files_prefix,
    snapshot_key,
    snapshots_prefix,
)
from gitlab_hub.access.history.population import made_population, population_csv
from gitlab_hub.access.history.store import SnapshotStore
from gitlab_hub.access.keys import (
    ADMINISTRATORS,
    BESIDE_ACCESS,
    FEED,
    OUTSIDE_GRANTS,
    OUTSIDE_GROUPS,
    READINGS,
    SHARED_OUT,
    invitations_stage,
)
from gitlab_hub.access.shards import ShardReader, Shards
from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.storage.due import Due, DueRows
from gitlab_hub.storage.ports import Check, Item, Objects, Queue, StorageRefused, StorageUnavailable, Table
from gitlab_hub.storage.rows import query_all, query_pages
from gitlab_hub.sync.fence import Fence
from gitlab_hub.sync.message import SCHEMA
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore
from gitlab_hub.sync.table_rows import HASH

AGAIN_SECONDS = 600
"""When to look again, unless a look ends with nothing left to do; twice as long as a worker may take."""

LEFT_OVER_SECONDS = 3_600
"""How old another snapshot of the same day is before it is removed: nobody reads it any more."""

FAILED = "snapshot_failed"
_HINT = (
    "The snapshot of the access history is not kept; it is tried again every ten minutes. Look at the bucket of exports"
    " (ExportsBucketName), and, in a private network, whether the functions reach S3."
)
_BESIDE = frozenset(map(invitations_stage, ResourceType))
_TOO_SLOW = "A snapshot of the access history takes longer than a worker has; it is tried again."


def snapshot_message(due: Due) -> dict[str, Any]:
    """The message that has a worker look whether a snapshot is due; a repeated one costs a few reads."""
    return {"schema": SCHEMA, "snapshot": due.subject, "at": due.at, "mark": due.mark}


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTick:
    """Has workers look at what is due. `due`: rows by integration, marked with the run that asked."""

    due: DueRows
    queue: Queue
    now: Callable[[], float]

    def tick(self) -> dict[str, int]:
        """Send a message for everything that is due; what a worker does not settle comes again."""
        now, sent = int(self.now()), 0
        for page in self.due.pages(now):
            later = [replace(one, at=now + AGAIN_SECONDS) for one in page]
            self.due.add(later)
            for one in later:
                self.queue.send(snapshot_message(one))
            self.due.drop(page)
            sent += len(page)
        return {"snapshots": sent}


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotJob:
    """Takes the snapshots. All calls block; `exists` says whether there is an integration of an id (still)."""

    table: Table
    runs: RunStore
    scopes: ScopeList
    objects: Objects
    due: DueRows
    incidents: IncidentStore
    exists: Callable[[str], bool]
    now: Callable[[], float]
    new_id: Callable[[], str]

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Look at one integration. Trouble with the bucket is an incident, and looked at again."""
        integration_id = message["snapshot"]
        try:
            is_settled = not self.exists(integration_id) or self._settle(integration_id, remaining)
        except (StorageUnavailable, StorageRefused) as error:
            now, details = int(self.now()), {"code": error.code, "reason": str(error)}
            incident = Incident(
                kind=FAILED, integration_id=integration_id, subject="access", at=now, hint=_HINT, details=details
            )
            self.incidents.open(incident)
            return
        self.incidents.close(FAILED, integration_id, "access")
        if is_settled:
            self.due.drop([Due(integration_id, message["at"], message["mark"])])

    def _settle(self, integration_id: str, remaining: Callable[[], float]) -> bool:
        """Keep what is to be kept of the last run; False where it is to be looked at again."""
        run = self.runs.load(integration_id, Kind.ACCESS)
        if not run.status.at_rest:
            return False
        if run.status is not RunStatus.IDLE or run.finished_at is None or run.rejected:
            return True
        store = SnapshotStore(self.table)
        version, before = store.version(integration_id), store.newest(integration_id)
        fence = Fence(self.table, integration_id, Kind.ACCESS)
        no_run_since = Check(fence.key, fence.condition(fence.number()))
        taken_at, unread = int(self.now()), self._unread(integration_id)
        day, feed = day_of(taken_at), self._feed_number(integration_id)
        state = self._digest(integration_id, run, feed, unread)
        if before is not None and (before.day > day or (before.day, before.state) == (day, state)):
            return True
        snapshot = Snapshot(
            day=day,
            taken_at=taken_at,
            sync_id=run.sync_id,
            synced_at=run.finished_at,
            key=snapshot_key(integration_id, day, taken_at, self.new_id()),
            size=0,
            sha256="",
            state=state,
            complete=all(stage in BESIDE_ACCESS for stage, _ in unread),
            feed_from=feed,
            feed_to=feed,
            unread=_counted(unread),
            previous=_previous(integration_id, before, day),
        )
        snapshot = self._written(integration_id, snapshot, unread, remaining)
        holds = self._still_holds(integration_id, run, day)
        # An answer that was lost may have had its effect: then it is this one that is kept.
        if holds and (
            store.put(integration_id, snapshot, on_top_of=version, only_if=no_run_since)
            or store.newest(integration_id) == snapshot
        ):
            self._clear(integration_id, snapshot)
            return True
        self.objects.delete([snapshot.key])
        return False

    def _written(
        self,
        integration_id: str,
        snapshot: Snapshot,
        unread: Iterable[tuple[str, str]],
        remaining: Callable[[], float],
    ) -> Snapshot:
        """Write the object, row by row as the rows are read."""
        about = {
            "integration_id": integration_id,
            "taken_at": snapshot.taken_at,
            "sync_id": snapshot.sync_id,
            "complete": snapshot.complete,
            "feed_from": snapshot.feed_from,
            "unread": sorted(unread),
            "administrators": self._administrators(integration_id),
        }
        sections = ((name, self._rows(integration_id, name, remaining)) for name in SECTIONS)
        writing = Writing()
        written = self.objects.write(snapshot.key, writing.parts(about, sections), media=MEDIA)
        whole = replace(
            snapshot,
            size=written.size,
            sha256=written.sha256,
            rows=writing.rows,
            hashes=writing.hashes,
            feed_to=self._feed_number(integration_id),
        )
        return replace(whole, population=made_population(integration_id, whole))

    def _rows(self, integration_id: str, name: str, remaining: Callable[[], float]) -> Iterator[Item]:
        pages: Iterable[Sequence[Item]]
        if name in SHARED_OUT:
            pages = ShardReader(self.table).pages(Shards(integration_id, name), *SECTIONS[name])
        else:
            pages = query_pages(self.table, partition(integration_id, name), attributes=SECTIONS[name])
        for page in pages:
            if remaining() <= 0:
                raise StorageUnavailable(_TOO_SLOW)
            yield from page

    def _still_holds(self, integration_id: str, run: Run, day: str) -> bool:
        """Whether neither another run nor another day has begun, and the integration is there."""
        now = self.runs.load(integration_id, Kind.ACCESS)
        unchanged = (now.sync_id, now.version) == (run.sync_id, run.version)
        return unchanged and self.now() <= end_of(day) and self.exists(integration_id)

    def _clear(self, integration_id: str, snapshot: Snapshot) -> None:
        """Remove other snapshots of the day that nobody can be reading. What is left over goes with a later one."""
        old = snapshot_key(integration_id, snapshot.day, snapshot.taken_at - LEFT_OVER_SECONDS, "")
        with suppress(StorageUnavailable, StorageRefused):
            keys = self.objects.keys(snapshots_prefix(integration_id, snapshot.day))
            self.objects.delete([key for key in keys if key < old])

    def _digest(self, integration_id: str, run: Run, feed: int | None, unread: Iterable[tuple[str, str]]) -> str:
        """Changes with everything that a snapshot holds but for what changes every day."""
        outside = [
            (item["sk"], item.get(HASH))
            for name in (OUTSIDE_GROUPS, OUTSIDE_GRANTS)
            for item in query_all(self.table, partition(integration_id, name), attributes=("sk", HASH))
        ]
        # Before the feed has begun nothing says what has changed.
        told = [run.sync_id if feed is None else feed, sorted(unread), self._administrators(integration_id), outside]
        return blake2b(json.dumps(told).encode(), digest_size=12).hexdigest()

    def _unread(self, integration_id: str) -> set[tuple[str, str]]:
        """What the run could not read of what a snapshot holds: (stage, key). Invitations are no part of it."""
        noted = self.scopes.incomplete(integration_id, Kind.ACCESS, None)
        return {(stage, key) for stage, key in noted if stage not in _BESIDE}

    def _feed_number(self, integration_id: str) -> int | None:
        state = self.table.get(partition(integration_id, FEED), "state")
        return None if state is None else int(state["number"])

    def _administrators(self, integration_id: str) -> list[int] | None:
        noted = self.table.get(partition(integration_id, READINGS), ADMINISTRATORS)
        return None if noted is None else list(noted["ids"])


def _previous(integration_id: str, before: Snapshot | None, day: str) -> str | None:
    """The hash of the population file of the last day before this one."""
    if before is None or before.day == day:
        return None if before is None else before.previous
    return sha256(population_csv(integration_id, before).encode()).hexdigest()


def _counted(unread: Iterable[tuple[str, str]]) -> dict[str, int]:
    stages = [stage for stage, _ in unread]
    return {stage: stages.count(stage) for stage in sorted(set(stages))}


# Removing all objects of an integration that is gone.

PAGE = 1_000


def remove_objects(
    objects: Objects, integration_id: str, remaining: Callable[[], float], *, beside: Sequence[str] = ()
) -> bool:
    """Remove everything of an integration, and what begins with others' prefixes; False where time is up before."""
    for prefix in (snapshots_prefix(integration_id), files_prefix(integration_id), *beside):
        while keys := objects.keys(prefix, limit=PAGE):
            if remaining() <= 0:
                return False
            objects.delete(keys)
    return True
