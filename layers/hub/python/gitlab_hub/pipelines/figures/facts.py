"""What figures take from a stored pipeline and its jobs. Pure: everything follows from the stored rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from gitlab_hub.gitlab.fields import seconds
from gitlab_hub.pipelines.attempts import INFRA, job_failure_class
from gitlab_hub.pipelines.model import is_terminal
from gitlab_hub.storage.ports import Item

RefClass = Literal["default_branch", "merge_request", "tag", "other"]
REF_CLASSES: tuple[RefClass, ...] = ("default_branch", "merge_request", "tag", "other")

ENDS = ("success", "failed", "canceled", "skipped")
OTHER = "other"

CHILD = "parent_pipeline"
_MERGE_REQUEST_SOURCES = ("merge_request_event", "external_pull_request_event")
_MERGE_REQUEST_REFS = "refs/merge-requests/"

_WORST_FIRST = ("failed", "canceled", "success", "running")

LONGEST = 315_360_000
"""Seconds, ten years: what GitLab says to have taken longer, or less than no time, is no duration."""

COMMIT_BYTES = 8
"""Of a digest of a commit's id, which is what figures keep: 64 bits tell the commits of one project apart."""


@dataclass(frozen=True, slots=True)
class JobFact:
    """One attempt of a job; times in seconds."""

    id: int
    name: str
    status: str
    retried: bool
    failure_class: str | None
    duration: float | None
    queued: float | None
    finished_at: int | None
    runner: str | None
    runner_type: str
    tags: tuple[str, ...]

    @property
    def is_flaw(self) -> bool:
        """Whether it failed for a reason that may lie in the job itself, and not in what it runs on."""
        return self.status == "failed" and self.failure_class != INFRA


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFact:
    """One pipeline; times in unix seconds, durations in seconds."""

    id: int
    project_id: int
    created_at: int
    started_at: int | None
    ended_at: int | None
    """When it ended for the first time."""
    status: str
    first_status: str
    """How it ended for the first time, or what it is doing."""
    ref_class: RefClass
    source: str
    commit: str
    duration: float | None
    jobs: Sequence[JobFact] = field(default_factory=tuple)

    @property
    def finished_duration(self) -> float | None:
        """How long it took, once it is at its end."""
        return self.duration if is_terminal(self.status) else None


def ref_class(pipeline: Mapping[str, Any], default_branch: str | None) -> RefClass:
    """What a pipeline ran for.

    Pipelines of merge requests have refs of their own (`refs/merge-requests/:iid/head`, docs.gitlab.com/ci/pipelines/
    merge_request_pipelines), which their child pipelines have too.
    """
    ref = pipeline.get("ref") or ""
    if pipeline.get("source") in _MERGE_REQUEST_SOURCES or ref.startswith(_MERGE_REQUEST_REFS):
        return "merge_request"
    if pipeline.get("tag"):
        return "tag"
    return "default_branch" if default_branch and ref == default_branch else "other"


def pipeline_fact(pipeline: Item, jobs: Iterable[Item], default_branch: str | None) -> PipelineFact:
    """What figures take from a stored pipeline (as `reader.shown` unpacks it) and all attempts of its jobs."""
    return PipelineFact(
        id=pipeline["id"],
        project_id=pipeline["project_id"],
        created_at=seconds(pipeline["created_at"]) or 0,
        started_at=seconds(pipeline.get("started_at")),
        ended_at=pipeline.get("first_terminal_at"),
        status=pipeline["status"],
        first_status=pipeline.get("first_terminal_status") or pipeline["status"],
        ref_class=ref_class(pipeline, default_branch),
        source=pipeline.get("source") or "unknown",
        commit=_digest(pipeline.get("sha") or ""),
        duration=_lasting(pipeline.get("duration")),
        jobs=[job_fact(job) for job in jobs],
    )


def _lasting(value: float | None) -> float | None:
    return value if value is not None and 0 <= value <= LONGEST else None


def _digest(sha: str) -> str:
    return blake2b(sha.encode(), digest_size=COMMIT_BYTES).hexdigest() if sha else ""


def job_fact(job: Item) -> JobFact:
    """What figures take from a stored job."""
    runner = job.get("runner") or {}
    return JobFact(
        id=job["id"],
        name=str(job.get("name")),
        status=job["status"] or "unknown",
        retried=job["retried"],
        # Rows of an earlier release have no class where the reason is unknown.
        failure_class=job_failure_class(job),
        duration=_lasting(job.get("duration")),
        queued=_lasting(job.get("queued_duration")),
        finished_at=seconds(job.get("finished_at")),
        runner=runner_name(runner),
        runner_type=runner.get("runner_type") or "unknown",
        tags=tuple(job.get("tag_list") or ()),
    )


def runner_name(runner: Mapping[str, Any]) -> str | None:
    """How a runner is called in figures and filters: by its id, which stays when it is described anew."""
    number = runner.get("id")
    return None if number is None else str(number)


def counted(status: str) -> str:
    """The status as figures count it: the four ends, and one word for everything else."""
    return status if status in ENDS else OTHER


def worst(fact: PipelineFact) -> str:
    """The status that counts most among all attempts of a pipeline's jobs; its own, where it has none.

    The order is that of DX's pipelines API (help.getdx.com/en/articles/8691575-pipelines-api): failure, canceled,
    success, running.
    """
    statuses = {job.status for job in fact.jobs}
    return counted(next((status for status in _WORST_FIRST if status in statuses), fact.status))
