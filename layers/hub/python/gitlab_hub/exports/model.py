"""An export: what was asked for, how far it is, and where its files lie. Pure; times are unix seconds."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from gitlab_hub.errors import HubError
from gitlab_hub.exports.keys import prefix_of

DAY = 86_400


class Dataset(StrEnum):
    """What can be exported."""

    PIPELINES = "pipelines"
    JOBS = "jobs"
    DEPLOYMENTS = "deployments"
    ACCOUNTS = "accounts"
    GRANTS = "grants"
    CHANGES = "changes"
    GITLAB_CREDENTIALS = "gitlab_credentials"


DAILY = frozenset({Dataset.PIPELINES, Dataset.JOBS})
"""Whose files are of one project and one day each."""

TIMED = DAILY | {Dataset.DEPLOYMENTS, Dataset.CHANGES}
"""Whose rows have a time that `from` and `to` are about."""

OF_PROJECTS = frozenset(Dataset) - {Dataset.ACCOUNTS}
"""Whose rows can be of one project."""


class Format(StrEnum):
    """How the files are written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def ending(self) -> str:
        """What the names of its files end with."""
        return "jsonl.gz" if self is Format.JSONL else str(self)

    @property
    def media(self) -> str:
        """The type of its files."""
        return _MEDIA[self]


_MEDIA = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/gzip",
    Format.PARQUET: "application/vnd.apache.parquet",
}


class Status(StrEnum):
    """Where an export is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens."""
        return self in {Status.DONE, Status.FAILED}


# Why an export fails.

GAVE_UP, TOO_LARGE, NO_PARQUET = "export_gave_up", "export_too_large", "parquet_unavailable"

MOST_FILES = 20_000

HINTS = {
    GAVE_UP: "Making it failed five times, or took longer than a day; look at the exporter's log, and ask for it anew.",
    TOO_LARGE: f"It would have more than {MOST_FILES:,} files; name a project_id, or a shorter time.",
    NO_PARQUET: "The exporter has no DuckDB in its layers; deploy what `make build` makes, or ask for csv or jsonl.",
}


class TooManyExports(HubError):
    """As many exports of the integration as may be made at the same time are not done yet."""

    code = "too_many_exports"
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to have. `since` is the first moment of a row, `until` the first one behind all rows."""

    integration_id: str
    dataset: Dataset
    format: Format
    since: int | None = None
    until: int | None = None
    project_id: int | None = None

    def holds(self, moment: int | None) -> bool:
        """Whether a row of this time is wanted. One without a time is, where no range is asked for."""
        if moment is None:
            return self.since is None and self.until is None
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Behind what the export goes on: the sort key of a project (where the dataset has projects), and a row in it."""

    project: str = ""
    after: str | None = None


BEGINNING = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export. `place`, `slices` and what is counted are as of the last checkpoint."""

    id: str
    asked: Asked
    created_at: int
    created_by: str
    expires_at: int
    status: Status = Status.QUEUED
    place: Place = BEGINNING
    slices: int = 0
    """How many slices of work are written down; the next one names its objects by this number."""
    files: int = 0
    rows: int = 0
    size: int = 0
    done: int = 0
    total: int | None = None
    """Projects gone through, and how many there are; None where there are none to go through."""
    tries: int = 0
    """How many workers have begun since the last checkpoint."""
    was_interrupted: bool = False
    """Whether a worker ended without having said how far it is: it may have left objects that nobody counts."""
    leased_until: int = 0
    """Until when the worker that has it may be alive."""
    manifest_size: int = 0
    manifest_sha256: str = ""
    finished_at: int | None = None
    error: str | None = None
    version: int = 1

    def is_held(self, now: float) -> bool:
        """Whether a worker may be at it."""
        return self.status is Status.RUNNING and now < self.leased_until


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One object with rows."""

    key: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Which file a row belongs into; nothing where the dataset is not daily."""

    project_id: int | None = None
    day: str | None = None

    @property
    def folder(self) -> str:
        """The part of a key that names it, as Hive and its successors do."""
        return "" if self.day is None else f"project={self.project_id}/day={self.day}/"


WHOLE = Partition()
UNDATED = "undated"
"""The day of a pipeline of which GitLab tells no time."""


def key_of(export: Export, partition: Partition, slice_number: int) -> str:
    """The key of a file. A slice that is done again writes the same objects anew, and whole."""
    asked = export.asked
    name = f"part-{slice_number:06d}.{asked.format.ending}"
    return f"{prefix_of(asked.integration_id, export.id)}dataset={asked.dataset}/{partition.folder}{name}"


def manifest_key(export: Export) -> str:
    """The key of the list of an export's files."""
    return f"{prefix_of(export.asked.integration_id, export.id)}manifest.json"


# What becomes of an export; each gives the next version, to be written where the one before stands.


def claimed(export: Export, *, until: int) -> Export:
    """A worker begins, and may be alive until then."""
    return _next(
        export,
        status=Status.RUNNING,
        leased_until=until,
        tries=export.tries + 1,
        was_interrupted=export.was_interrupted or export.tries > 0,
    )


def released(export: Export, *, is_clean: bool, counts: bool) -> Export:
    """The worker ends for now. `is_clean`: it has written down how far it is; else whether it `counts` as a try."""
    return _next(
        export,
        leased_until=0,
        tries=export.tries if counts else 0,
        was_interrupted=export.was_interrupted or not is_clean,
    )


def advanced(export: Export, files: list[File], *, place: Place, done: int) -> Export:
    """A slice is written down."""
    return _next(
        export,
        place=place,
        slices=export.slices + 1,
        files=export.files + len(files),
        rows=export.rows + sum(file.rows for file in files),
        size=export.size + sum(file.size for file in files),
        done=export.done + done,
        tries=1,
    )


def finished(export: Export, *, at: int, manifest_size: int, manifest_sha256: str) -> Export:
    """Everything is there."""
    return _next(
        export,
        status=Status.DONE,
        leased_until=0,
        finished_at=at,
        done=export.done if export.total is None else export.total,
        manifest_size=manifest_size,
        manifest_sha256=manifest_sha256,
    )


def failed(export: Export, code: str, *, at: int) -> Export:
    """It will not be done."""
    return _next(export, status=Status.FAILED, leased_until=0, finished_at=at, error=code)


def _next(export: Export, **changes: object) -> Export:
    return replace(export, version=export.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows of one partition, as they are read; `place` is behind them. `ends_project`: no more of this project."""

    rows: list[dict[str, object]] = field(default_factory=list)
    place: Place
    partition: Partition = WHOLE
    ends_project: bool = False
