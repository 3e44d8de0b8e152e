"""What the API shows of pipelines and jobs: GitLab's field names and what we derived, and nothing else.

Times are unix seconds. Whatever is not named here does not leave the hub.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from gitlab_hub.gitlab.fields import seconds


def _as_seconds(value: Any) -> Any:
    return seconds(value) if isinstance(value, str) else value


Time = Annotated[int | None, BeforeValidator(_as_seconds)]
Number = int | float | None


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore")


class UserView(View):
    """Who started it."""

    id: int | None = None
    username: str | None = None
    name: str | None = None


class RunnerView(View):
    """Where it ran."""

    id: int | None = None
    description: str | None = None
    runner_type: str | None = None


class PipelineView(View):
    """A pipeline."""

    id: int
    iid: int | None = None
    project_id: int
    sha: str | None = None
    before_sha: str | None = None
    ref: str | None = None
    tag: bool | None = None
    status: str
    source: str | None = None
    name: str | None = None
    created_at: Time = None
    updated_at: Time = None
    started_at: Time = None
    finished_at: Time = None
    committed_at: Time = None
    duration: Number = None
    queued_duration: Number = None
    coverage: str | Number = None
    web_url: str | None = None
    yaml_errors: str | None = None
    user: UserView | None = None
    job_count: int | None = None
    bridge_count: int | None = None
    ref_class: str | None = None
    failure_class: str | None = None
    first_terminal_status: str | None = None
    first_terminal_at: Time = None
    deleted_at_source: Time = None


class JobView(View):
    """One attempt of a job."""

    id: int
    name: str | None = None
    stage: str | None = None
    status: str | None = None
    ref: str | None = None
    tag: bool | None = None
    allow_failure: bool | None = None
    created_at: Time = None
    started_at: Time = None
    finished_at: Time = None
    erased_at: Time = None
    duration: Number = None
    queued_duration: Number = None
    coverage: str | Number = None
    failure_reason: str | None = None
    web_url: str | None = None
    tag_list: list[str] = []
    user: UserView | None = None
    runner: RunnerView | None = None
    attempt_no: int
    attempt_count: int
    retried: bool
    failure_class: str | None = None
    first_terminal_status: str | None = None
    first_terminal_at: Time = None


class FoundJob(JobView):
    """One attempt of a job, with the pipeline that it belongs to."""

    project_id: int
    pipeline_id: int
    ref_class: str | None = None


class TreeBridge(JobView):
    """A trigger job and the pipeline that it started, as far as the hub has it."""

    downstream_pipeline: "TreePipeline | None" = None


class TreePipeline(PipelineView):
    """A pipeline with its trigger jobs; `truncated` where there is more below than is shown."""

    stored: bool
    truncated: bool = False
    bridges: list[TreeBridge] = []


class PipelineList(BaseModel):
    """A page of pipelines."""

    pipelines: list[PipelineView]
    next_cursor: str | None


class PipelineAnswer(BaseModel):
    """One pipeline."""

    pipeline: PipelineView


class JobList(BaseModel):
    """A page of jobs."""

    jobs: list[JobView]
    next_cursor: str | None


class FoundJobList(BaseModel):
    """A page of jobs of many pipelines."""

    jobs: list[FoundJob]
    next_cursor: str | None


class TreeAnswer(BaseModel):
    """A pipeline with everything that it started."""

    pipeline: TreePipeline
