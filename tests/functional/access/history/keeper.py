"""What keeps snapshots of one integration, over tables and a bucket in memory, and what it has kept."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import count
from typing import Any

from gitlab_hub.access.history.capture import SnapshotJob, SnapshotTick
from gitlab_hub.access.history.lines import Reading
from gitlab_hub.access.history.model import SECTIONS, Snapshot
from gitlab_hub.access.history.store import SnapshotStore
from gitlab_hub.incidents import IncidentStore
from gitlab_hub.integrations.rows import INTEGRATIONS, LIVE, is_live
from gitlab_hub.storage.due import AT_ONCE, Due
from gitlab_hub.storage.ports import Item, Objects, Table
from gitlab_hub.sync.due import due_snapshots
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_list import ScopeList
from gitlab_hub.sync.store import RunStore
from tests.fakes.objects import MemoryObjects
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable
from tests.functional.access.changes.replay import ACCOUNT, GRANT, RESOURCE, SHARE, View

ONE = "i1"


class Keeper:
    """The tick, the worker and the bucket. `rows` has what was synced, `state` how the runs went."""

    def __init__(self, rows: MemoryTable, state: MemoryTable, now: Callable[[], float]) -> None:
        self.rows, self.state, self.now = rows, state, now
        self.objects, self.queue = MemoryObjects(), MemoryQueue()
        self.is_there, self._numbers = True, count(1)
        self.left: Callable[[], float] = lambda: 300.0
        state.put({"pk": INTEGRATIONS, "sk": ONE, "lifecycle": LIVE})

    def ended(self, sync_id: str = "s1", *, status: RunStatus = RunStatus.IDLE, **more: Any) -> None:
        """Have a run end, with no worker of its own."""
        before = RunStore(self.state).load(ONE, Kind.ACCESS)
        run = Run(integration_id=ONE, kind=Kind.ACCESS, sync_id=sync_id, status=status, version=before.version)
        changes: dict[str, Any] = {"finished_at": int(self.now()), **more}
        RunStore(self.state).save(replace(run, **changes))
        self.note(sync_id)

    def note(self, sync_id: str = "s1") -> None:
        """Note that a snapshot is due, as the last stage of a run does."""
        due_snapshots(self.state).add([Due(ONE, AT_ONCE, sync_id)])

    def tick(self, state: Table | None = None) -> None:
        """Do what the schedule does."""
        SnapshotTick(due=due_snapshots(state or self.state), queue=self.queue, now=self.now).tick()

    def job(self, rows: Table | None = None, state: Table | None = None, objects: Objects | None = None) -> SnapshotJob:
        """A worker, perhaps over other views of what is stored."""
        state = state or self.state
        return SnapshotJob(
            table=rows or self.rows,
            runs=RunStore(state),
            scopes=ScopeList(state),
            objects=objects or self.objects,
            due=due_snapshots(state),
            incidents=IncidentStore(state, self.now, is_live),
            exists=lambda _: self.is_there,
            now=self.now,
            new_id=lambda: f"w{next(self._numbers)}",
        )

    def work(self, job: SnapshotJob | None = None) -> None:
        """Work on all messages."""
        while waiting := self.queue.receive():
            for sent in waiting:
                (job or self.job()).handle(sent.body, remaining=self.left)

    def keep(self, *args: Any, **more: Any) -> Snapshot | None:
        """Have a run end, and see through what follows; gives the newest snapshot then."""
        self.ended(*args, **more)
        self.tick()
        self.work()
        return self.newest()

    def newest(self, day: str | None = None) -> Snapshot | None:
        """The newest snapshot, or the newest until a day."""
        store = SnapshotStore(self.rows)
        return store.newest(ONE, day) if day else store.newest(ONE)

    def due(self) -> list[Due]:
        """What is noted."""
        return [one for page in due_snapshots(self.state).pages(10**10 - 1) for one in page]

    def incidents(self) -> list[str]:
        """The kinds of open incidents."""
        return [one.kind for one in IncidentStore(self.state, self.now, is_live).of(ONE)]

    def content(self, snapshot: Snapshot) -> dict[str, list[Item]]:
        """What a snapshot holds, by section; its row says how much that is."""
        packed = self.objects.dump()[snapshot.key]
        assert (len(packed), sha256(packed).hexdigest()) == (snapshot.size, snapshot.sha256)
        found: dict[str, list[Item]] = {name: [] for name in SECTIONS}
        for section, item in Reading([packed]).rows():
            found[section].append(item)
        assert {name: len(items) for name, items in found.items()} == snapshot.rows
        return found

    def view(self, snapshot: Snapshot) -> View:
        """What a snapshot holds, as the feed tells of it."""
        found, view = self.content(snapshot), View(accounts={}, grants={}, shares={}, resources={})
        for account in found["accounts"]:
            view["accounts"][account["id"]] = some(account, ACCOUNT)
        for grant in found["grants"]:
            key = (grant["resource_type"], grant["resource_id"], grant["account_id"])
            view["grants"][key] = some({**grant, "expires_at": grant.get("ends_at")}, GRANT)
        for kind in ("group", "project"):
            for row in found[f"{kind}s"]:
                follows = {"follows_parent": False} if row.get("apart") else {}
                view["resources"][kind, row["id"]] = {**some(row, RESOURCE), **follows}
                for share in row.get("shared_with", ()):
                    told = some({**share, "expires_at": share["ends_at"]}, SHARE)
                    view["shares"][kind, row["id"], share["group_id"]] = told
        return view


def some(row: Item, names: tuple[str, ...]) -> Item:
    return {name: row.get(name) for name in names}


def plain(view: View) -> View:
    """A view whose rows have all fields, and none of how their paths came about."""
    fields = {"accounts": ACCOUNT, "grants": GRANT, "shares": SHARE, "resources": RESOURCE}
    return {name: {key: some(row, fields[name]) for key, row in rows.items()} for name, rows in view.items()}
