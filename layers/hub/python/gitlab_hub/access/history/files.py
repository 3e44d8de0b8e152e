"""The files for auditors: answered at once where they are small, made by a worker where they are not.

An answer of Lambda's takes 6 MB, and everybody's access to everything can be a hundred times as much. What does not fit
is written into the bucket by a worker of the access sync's queue, and handed out by a link that ends soon. A row for
each such file says how far it is; its name follows from all that the file depends on, so it is made once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gitlab_hub.access.changes.reader import ChangeReader
from gitlab_hub.access.history.leavers import Leavers
from gitlab_hub.access.history.lines import Reading
from gitlab_hub.access.history.population import population_csv
from gitlab_hub.access.history.reader import KEPT_SECONDS, File, FileStore, HistoryReader, Wanted
from gitlab_hub.storage.ports import Objects, Queue
from gitlab_hub.sync.message import SCHEMA
from gitlab_hub.web.errors import unfit

MEDIA = "text/csv"
MOST_INLINE = 5_000_000
"""Bytes of a file that is answered at once; as JSON, which Lambda makes of it, line ends and quotes take two."""

LEAST_LEFT_SECONDS = 12.0
"""Of the 29 seconds that a function has: what is not made by then is left to a worker."""

LINK_SECONDS = 300
RETRY_SECONDS = 15
ASKED_AGAIN_SECONDS = 900
"""After so long a file that was asked for and is not there is asked for again: its worker has died, or failed."""

_PART_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Text:
    """A file that is answered at once."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """A file that lies in the bucket."""

    url: str
    size: int
    sha256: str


class BeingMade(Exception):
    """A worker is about to make the file."""


class _TooLarge(Exception):
    """It does not fit an answer."""


class HistoryFiles:
    """What the routes ask for. All calls block. `left`: the seconds until the running function ends."""

    def __init__(
        self,
        reader: HistoryReader,
        changes: ChangeReader,
        files: FileStore,
        objects: Objects,
        queue: Queue,
        *,
        now: Callable[[], float],
        left: Callable[[], float],
        most: int = MOST_INLINE,
    ) -> None:
        self._reader, self._changes, self._files, self._objects = reader, changes, files, objects
        self._queue, self._now, self._left, self._most = queue, now, left, most

    def access_review(self, integration_id: str, day: str | None, group_id: int | None) -> Text | Link:
        """Everybody's access, as of a day. Raises BeingMade, NoHistory, NotFound or Unprocessable."""
        wanted = self._reader.wanted(integration_id, day, group_id)
        file, now = self._files.get(wanted), int(self._now())
        if file is not None and now < file.asked_at + KEPT_SECONDS:
            if file.made_at is not None:
                name = _filename("access-review", wanted.day)
                return Link(self._objects.link(wanted.key, filename=name, seconds=LINK_SECONDS), file.size, file.sha256)
            if now < file.asked_at + ASKED_AGAIN_SECONDS:
                raise _too_much() if file.failed else BeingMade
        try:
            return Text(_filename("access-review", wanted.day), self._inline(wanted))
        except _TooLarge:
            self._files.put(wanted, File(asked_at=now))
            self._queue.send(file_message(wanted))
            raise BeingMade from None

    def population(self, integration_id: str, day: str | None) -> Text:
        """How much was read of what, as of a day. Raises NoHistory or Unprocessable."""
        snapshot = self._reader.snapshot(integration_id, day)
        return Text(_filename("population", snapshot.day), population_csv(integration_id, snapshot).encode())

    def leavers(self, integration_id: str, since: int | None) -> Text:
        """Who has left since a moment (unix seconds). Raises NoHistory or Unprocessable."""
        snapshot = self._reader.snapshot(integration_id, None)
        leavers = Leavers(since, snapshot.feed_from)
        # What changed after the snapshot counts, too, however late people ask from.
        begin = None if since is None else min(since, snapshot.taken_at)
        for number, entry in enumerate(self._changes.entries(integration_id, begin)):
            if number % 1_000 == 0 and self._left() < LEAST_LEFT_SECONDS:
                told = "query.since lies too far back: the changes since then cannot be read at once; give a later one."
                raise unfit("query.since", told)
            leavers.take(entry)
        lines = leavers.lines(snapshot, Reading(self._reader.parts(snapshot)).rows())
        return Text(_filename("leavers", snapshot.day), "".join(lines).encode())

    def _inline(self, wanted: Wanted) -> bytes:
        text = bytearray()
        for number, line in enumerate(self._reader.lines(wanted) or ()):
            text += line.encode()
            if len(text) > self._most or (number % 100 == 0 and self._left() < LEAST_LEFT_SECONDS):
                raise _TooLarge
        if not text:
            raise BeingMade  # Another snapshot has taken the place of this one at this very moment.
        return bytes(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """Makes what does not fit an answer. All calls block."""

    reader: HistoryReader
    files: FileStore
    objects: Objects
    exists: Callable[[str], bool]
    now: Callable[[], float]

    def handle(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Make one file; a repeated message finds it made, and makes nothing."""
        wanted = Wanted(**message["file"])
        file = self.files.get(wanted)
        if not self.exists(wanted.integration_id) or file is None or file.made_at is not None:
            return
        lines = self.reader.lines(wanted)
        if lines is None:
            return  # Whoever asks again is given a file of the snapshot that the day has now.
        try:
            written = self.objects.write(wanted.key, _parts(lines, remaining), media=f"{MEDIA}; charset=utf-8")
        except _TooLarge:
            self.files.put(wanted, File(asked_at=file.asked_at, failed=True))
            return
        now = int(self.now())
        self.files.put(wanted, File(asked_at=now, made_at=now, size=written.size, sha256=written.sha256))


def file_message(wanted: Wanted) -> dict[str, Any]:
    """The message that has a file made."""
    return {"schema": SCHEMA, "file": asdict(wanted)}


def _parts(lines: Iterable[str], remaining: Callable[[], float]) -> Iterator[bytes]:
    waiting = bytearray()
    for line in lines:
        waiting += line.encode()
        if len(waiting) > _PART_BYTES:
            if remaining() <= 0:
                raise _TooLarge
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _too_much() -> Exception:
    told = "It is more than can be written within five minutes; name a group_id to have a part of it."
    return unfit("query.group_id", f"query.group_id is missing. {told}")


def _filename(what: str, day: str) -> str:
    return f"{what}-{day}.csv"
