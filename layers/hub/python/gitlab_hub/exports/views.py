"""What callers get to see of exports."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gitlab_hub.exports.model import HINTS, Dataset, Export, Format, Status
from gitlab_hub.exports.service import LinkedFile

_URL = "https://gitlab-hub-exports.s3.eu-west-1.amazonaws.com/exports/int_0a1b2c3d/…"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # pragma: allowlist secret

Url = Annotated[
    str, Field(description="Where it can be had for a quarter of an hour; ask again for another one.", examples=[_URL])
]
Bytes = Annotated[int, Field(description="How many bytes it has.", examples=[48_211])]
Sha256 = Annotated[str, Field(description="Its SHA-256 in hexadecimal digits.", examples=[_SHA256])]


class FileView(BaseModel):
    """One file, with a link to it."""

    path: Annotated[
        str,
        Field(
            description="Where it lies below the export.",
            examples=["dataset=pipelines/project=15/day=2026-11-30/part-000000.parquet"],
        ),
    ]
    url: Url
    rows: Annotated[int, Field(description="How many rows it has.", examples=[412])]
    bytes: Bytes
    sha256: Sha256


class ManifestView(BaseModel):
    """The list of all files, with a link to it."""

    url: Url
    bytes: Bytes
    sha256: Sha256


class ProgressView(BaseModel):
    """How far it is."""

    done: Annotated[int, Field(description="Projects that are done.", examples=[12])]
    total: Annotated[
        int | None, Field(description="Projects there are; null: none to go through, or not known yet.", examples=[30])
    ]


class FailureView(BaseModel):
    """Why it failed."""

    code: Annotated[str, Field(description="A stable word for programs.", examples=["export_too_large"])]
    hint: Annotated[str, Field(description="What to do.", examples=["Name a project_id, or a shorter time."])]


class ExportSummary(BaseModel):
    """An export, without its files."""

    model_config = ConfigDict(populate_by_name=True)

    id: Annotated[str, Field(description="Id of the export.", examples=["exp_6ab2f1000a1b2c3d4e5f"])]
    dataset: Annotated[Dataset, Field(description="What it is of.", examples=["pipelines"])]
    format: Annotated[Format, Field(description="How it is written.", examples=["parquet"])]
    since: Annotated[
        int | None,
        Field(
            alias="from",
            description="First second that it is of, in unix seconds; null: from the beginning.",
            examples=[1_793_491_200],
        ),
    ]
    until: Annotated[
        int | None,
        Field(
            alias="to",
            description="First second behind that, in unix seconds; null: no end.",
            examples=[1_796_083_200],
        ),
    ]
    project_id: Annotated[int | None, Field(description="The project that it is of; null: of all.", examples=[15])]
    status: Annotated[Status, Field(description="queued, running, done or failed.", examples=["done"])]
    progress: ProgressView
    rows: Annotated[int, Field(description="Rows that are written by now.", examples=[48_211])]
    bytes: Annotated[int, Field(description="Bytes of all files by now.", examples=[1_204_332])]
    file_count: Annotated[int, Field(description="Files by now.", examples=[31])]
    created_at: int
    created_by: str
    finished_at: Annotated[int | None, Field(description="When it was done, or failed, in unix seconds.")]
    expires_at: Annotated[int, Field(description="When it and its files are removed, in unix seconds.")]
    error: FailureView | None

    @classmethod
    def of(cls, export: Export) -> "ExportSummary":
        """Show an export."""
        return cls(**_told(export))


class ExportView(ExportSummary):
    """An export with its files, once it is done."""

    files: Annotated[list[FileView], Field(description="Its files, at most `limit` of them; none before it is done.")]
    manifest: Annotated[ManifestView | None, Field(description="The list of all files; null before it is done.")]

    @classmethod
    def with_files(
        cls, export: Export, files: Sequence[LinkedFile], manifest: LinkedFile | None, prefix: str
    ) -> "ExportView":
        """Show an export with links."""
        shown = [_file(one, prefix) for one in files]
        listed = None if manifest is None else ManifestView(**_sizes(manifest))
        return cls(**_told(export), files=shown, manifest=listed)


class ExportEnvelope(BaseModel):
    """One export; `next_cursor` leads to more of its files."""

    export: ExportView
    next_cursor: str | None


class ExportList(BaseModel):
    """A page of exports."""

    exports: list[ExportSummary]
    next_cursor: str | None


def _told(export: Export) -> dict[str, Any]:
    asked = export.asked
    error = None if export.error is None else FailureView(code=export.error, hint=HINTS.get(export.error, ""))
    return {
        "id": export.id,
        "dataset": asked.dataset,
        "format": asked.format,
        "since": asked.since,
        "until": asked.until,
        "project_id": asked.project_id,
        "status": export.status,
        "progress": ProgressView(done=export.done, total=export.total),
        "rows": export.rows,
        "bytes": export.size,
        "file_count": export.files,
        "created_at": export.created_at,
        "created_by": export.created_by,
        "finished_at": export.finished_at,
        "expires_at": export.expires_at,
        "error": error,
    }


def _file(one: LinkedFile, prefix: str) -> FileView:
    return FileView(path=one.file.key.removeprefix(prefix), rows=one.file.rows, **_sizes(one))


def _sizes(one: LinkedFile) -> dict[str, Any]:
    return {"url": one.url, "bytes": one.file.size, "sha256": one.file.sha256}
