"""A small company of which snapshots are kept, and the routes of its files for auditors."""

import csv
from collections.abc import Callable
from io import StringIO
from typing import Any

from gitlab_hub.access.changes.feed import ChangeFeed
from gitlab_hub.access.changes.reader import ChangeReader
from gitlab_hub.access.history.files import MOST_INLINE, FileJob, HistoryFiles
from gitlab_hub.access.history.model import DAY, Snapshot
from gitlab_hub.access.history.reader import FileStore, HistoryReader
from gitlab_hub.access.history.routes import HistoryRoutes
from gitlab_hub.access.keys import GRANTS
from gitlab_hub.access.model import Account
from gitlab_hub.access.shards import Shards
from gitlab_hub.access.store import AccessStore
from gitlab_hub.inventory.model import Resource
from gitlab_hub.storage.ports import Objects, Table
from gitlab_hub.web.api import Api
from gitlab_hub.web.principal import Principal
from tests.fakes.events import Context, http_event
from tests.fakes.queue import MemoryQueue
from tests.functional.access.access_api import Guard, grant
from tests.functional.access.history.keeper import ONE, Keeper
from tests.functional.access.review_hub import ACME, ANA, BEN, BOT, LAB, OPS, TEAM, VIEWER, ReviewHub

Answer = tuple[int, dict[str, str], str]
"""Status, headers, body."""


class HistoryHub:
    """The company of the reviews, with its feed begun; `most`: bytes that are answered at once."""

    def __init__(self, *, most: int = MOST_INLINE) -> None:
        self.reviews = ReviewHub()
        self.company, self.table, self._most = self.reviews.company, self.reviews.table, most
        self.keeper = Keeper(self.table, self.reviews.notes, lambda: self.now)
        self.queue, self.objects = MemoryQueue(), self.keeper.objects
        self.left = 29.0
        self.store().feed.begin([])

    @property
    def now(self) -> float:
        """The clock of everything."""
        return self.reviews.now

    def next_day(self, days: int = 1) -> None:
        """Let days pass."""
        self.reviews.now += days * DAY

    def store(self) -> AccessStore:
        """The rows as a sync writes them, told in the feed."""
        feed = ChangeFeed(self.table, ONE, sync_id="s1", now=lambda: self.now, beside_runs=False)
        return AccessStore(self.table, ONE, feed)

    def api(self, table: Table | None = None, objects: Objects | None = None) -> Api:
        """The API, perhaps over other views of what is stored."""
        table, objects = table or self.table, objects or self.objects
        files = HistoryFiles(
            HistoryReader(table, objects, now=lambda: self.now),
            ChangeReader(table),
            FileStore(table),
            objects,
            self.queue,
            now=lambda: self.now,
            left=lambda: self.left,
            most=self._most,
        )
        return Api(HistoryRoutes(files).routes(), guard=Guard(), idempotency=None, now=lambda: self.now)

    def get(self, path: str, *, who: Principal = VIEWER, api: Api | None = None, **query: Any) -> Answer:
        """Call once."""
        told = {name: str(value) for name, value in query.items()}
        event = http_event("GET", f"/v1/integrations/{ONE}/{path}", query=told, principal=who)
        answer = (api or self.api()).resolve(event, Context())
        return answer["statusCode"], answer["headers"], answer["body"]

    def text(self, path: str, **query: Any) -> str:
        """A file that is answered at once."""
        status, headers, body = self.get(path, **query)
        assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8"), body
        return body

    def rows(self, path: str, **query: Any) -> list[dict[str, str]]:
        """Its rows."""
        return read(self.text(path, **query))

    def make_files(self, *, left: Callable[[], float] = lambda: 300.0, objects: Objects | None = None) -> None:
        """Work on all messages about files."""
        job = FileJob(
            reader=HistoryReader(self.table, objects or self.objects, now=lambda: self.now),
            files=FileStore(self.table),
            objects=objects or self.objects,
            exists=lambda _: self.keeper.is_there,
            now=lambda: self.now,
        )
        for sent in self.queue.receive():
            job.handle(sent.body, remaining=left)


def read(text: str) -> list[dict[str, str]]:
    """The rows of a file, which ends with a whole line."""
    assert text.endswith("\r\n")
    return list(csv.DictReader(StringIO(text, newline="")))


def churn(hub: HistoryHub) -> None:
    """Somebody goes, a name is taken over, a group is renamed, a membership ends."""
    hub.company.store(Account(id=BEN, username="ana", name="Ben"), Account(id=ANA, username="ana.old", name="Ana"))
    hub.company.store(Resource(id=ACME, full_path="renamed", name="Renamed"))
    hub.company.store(Resource(id=TEAM, full_path="renamed/team", name="Team", parent_id=ACME))
    hub.table.delete(*Shards("i1", GRANTS).key(f"group#{OPS:012d}", f"{BEN:012d}"))
    hub.company.store(grant("project", LAB, BOT, 10))


def change(hub: HistoryHub, number: int = 700) -> None:
    """Somebody comes, and the feed tells it."""
    store = hub.store()
    row = store.account_row(Account(id=number, username=f"u{number}"))
    store.accounts.put("all", [row], {row.key: "h"}, {})


def kept(hub: HistoryHub, sync_id: str = "s1") -> Snapshot:
    """The snapshot that a run leaves."""
    found = hub.keeper.keep(sync_id)
    assert found is not None
    return found
