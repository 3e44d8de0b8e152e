"""One slice of an export: rows are read until there are enough for now, and written as files.

A slice is bounded by what it reads and by what it holds. It would rather end where a day ends, so that a day of a
project is one file; a day that is too large for that has several.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gitlab_hub.exports.columns import COLUMNS
from gitlab_hub.exports.model import WHOLE, Batch, Export, File, Partition, Place, key_of
from gitlab_hub.exports.ports import Source
from gitlab_hub.exports.writers import PARTS, Part
from gitlab_hub.storage.ports import Objects

ENOUGH_ROWS, MOST_ROWS = 20_000, 40_000
"""After which a slice ends with its day, and after which it ends wherever it is."""

ENOUGH_BYTES, MOST_BYTES = 24_000_000, 48_000_000
MOST_PARTS = 300
"""Files of a slice: what is written down no sooner than they all are must fit into the end of a worker's time."""

MOST_BATCHES = 20_000
"""Batches that are looked at, those without a row among them."""

LEAST_SECONDS = 60.0
"""What a worker keeps to write down what it has read."""


@dataclass(slots=True)
class Slice:
    """What has been read; `place` is behind it."""

    place: Place
    parts: dict[Partition, Part] = field(default_factory=dict)
    rows: int = 0
    batches: int = 0
    projects: int = 0
    is_last: bool = False
    latest: Partition | None = None

    @property
    def held(self) -> int:
        """Bytes that are held."""
        return sum(part.held for part in self.parts.values())

    def is_enough(self, batch: Batch) -> bool:
        """Whether it ends before a batch."""
        held = self.held if self.rows else 0
        if self.rows >= MOST_ROWS or held >= MOST_BYTES or self.batches >= MOST_BATCHES:
            return True
        if not batch.rows or batch.partition == self.latest:
            return False
        is_full = len(self.parts) >= MOST_PARTS and batch.partition not in self.parts
        return is_full or self.rows >= ENOUGH_ROWS or held >= ENOUGH_BYTES

    def take(self, batch: Batch, make: Callable[[], Part]) -> None:
        """Add a batch."""
        if batch.rows:
            if batch.partition not in self.parts:
                self.parts[batch.partition] = make()
            for row in batch.rows:
                self.parts[batch.partition].add(row)
            self.latest = batch.partition
        self.rows += len(batch.rows)
        self.batches += 1
        self.projects += batch.ends_project
        self.place = batch.place


def read_slice(export: Export, source: Source, remaining: Callable[[], float]) -> Slice:
    """Read the next slice behind the place of an export."""
    columns = COLUMNS[export.asked.dataset]

    def make() -> Part:
        return PARTS[export.asked.format](columns)

    found = Slice(export.place)
    for batch in source.batches(export.asked, export.place):
        if found.is_enough(batch) or (found.batches and remaining() < LEAST_SECONDS):
            return found
        found.take(batch, make)
    found.is_last = True
    if not (found.parts or export.files or export.total is not None):
        found.parts[WHOLE] = make()  # A list with nothing in it is a file with the names of its columns.
    return found


def write_slice(export: Export, found: Slice, objects: Objects) -> Iterator[File]:
    """Write the files of a slice; done again it writes the same objects."""
    for partition, part in found.parts.items():
        key = key_of(export, partition, export.slices)
        written = objects.write(key, part.finish(), media=export.asked.format.media)
        yield File(key=key, rows=part.rows, size=written.size, sha256=written.sha256)
