"""What a pipeline is before time is asked: when its jobs will start and how they will end."""

from dataclasses import dataclass, field

WAITING_OUTCOMES = frozenset({"manual", "scheduled"})


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One run of one job, planned through to its end."""

    id: int
    name: str
    stage: str
    created: float
    queued: float
    started: float
    finished: float
    outcome: str
    allow_failure: bool = False
    failure_reason: str | None = None
    downstream: int | None = None
    external: bool = False
    """A posted commit status: part of the pipeline's state, but no job of the API's lists."""

    @property
    def ran(self) -> bool:
        """Whether a runner ever touches it."""
        return self.outcome in {"success", "failed", "canceled"}

    def status(self, now: float) -> str:
        """What GitLab says of it at this moment."""
        if now < self.queued:
            return "created"
        if not self.ran:
            return self.outcome
        if now < self.started:
            return "pending"
        return "running" if now < self.finished else self.outcome


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """A pipeline; its planned attempts follow from the seed, later ones are in `extra`."""

    id: int
    iid: int
    project_id: int
    created: float
    source: str
    ref: str
    sha: str
    user_id: int
    shape: str
    jobs: int
    job_base: int
    settled_before: bool
    tag: bool = False
    source_sha: str | None = None
    """Of a pipeline for the result of a merge: the head of the merge request."""
    parent_id: int | None = None
    child: "Pipeline | None" = None
    extra: list[Attempt] = field(default_factory=list)
    erased: dict[int, float] = field(default_factory=dict)
    touched: float | None = None
    undated: bool = False
    """Whether `updated_at` is null, as in rows of long ago."""
    unmoved_since: float | None = None
    """From when on `updated_at` stays as it is, whatever becomes of the pipeline."""


@dataclass(frozen=True, slots=True)
class State:
    """A pipeline at one moment."""

    status: str
    updated: float
    started: float | None
    finished: float | None
