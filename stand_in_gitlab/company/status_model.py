"""Commit statuses, which other systems post; each one is a job of its pipeline's external stage."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class CommitStatus:
    """One posted status; the id is one of the jobs' sequence."""

    id: int
    project_id: int
    pipeline_id: int
    sha: str
    ref: str
    name: str
    author_id: int
    created: float
    status: str = "created"
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None
    started: float | None = None
    finished: float | None = None
