"""What the API shows of figures. Times are in seconds, moments in unix seconds; null is "there is none"."""

from pydantic import BaseModel, ConfigDict, Field


class FigureModel(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class DefinitionShown(FigureModel):
    """The rule that the figures follow."""

    name: str = Field(description="hub, gitlab or dx.", examples=["hub"])
    text: str = Field(description="The rule in words.", examples=["success / (success + failed), …"])


class CompletenessShown(FigureModel):
    """How whole the figures are."""

    complete: bool = Field(description="Whether they tell all that GitLab had at `until`.")
    projects: int = Field(description="How many projects they are of.", examples=[12])
    unread: int = Field(description="Projects that were never read, or not the last time.", examples=[0])
    owed: int = Field(description="Pipelines that GitLab lists and does not show.", examples=[0])
    without_details: int = Field(
        description="Pipelines of which only lists were read so far: they have no times and durations yet.",
        examples=[0],
    )
    pending: bool = Field(description="Whether something is stored that they do not count yet.")
    cut: int = Field(
        0,
        description="Days of projects on which more happened than the hub keeps for this figure (flaky, mttr).",
        examples=[0],
    )
    without_lead_time: int = Field(
        0, description="Deployments whose merge requests are not known (dora).", examples=[0]
    )
    until: int | None = Field(
        description="Up to when all changes are stored, in unix seconds.", examples=[1_790_000_000]
    )


class FiguresAnswer(FigureModel):
    """What every answer with figures says."""

    definition: DefinitionShown
    first_second: int = Field(alias="from", description="First second, in unix seconds.", examples=[1_787_443_200])
    end: int = Field(
        alias="to", description="First second behind the range, in unix seconds.", examples=[1_790_035_200]
    )
    timezone: str = Field(description="Where days begin.", examples=["UTC"])
    completeness: CompletenessShown


class Duration(FigureModel):
    """How long pipelines or jobs ran, in seconds."""

    p50: float | None = Field(None, description="Half took at most so many seconds.", examples=[412.0])
    p75: float | None = Field(None, description="Three quarters took at most so many seconds.", examples=[655.0])
    p95: float | None = Field(None, description="95 % took at most so many seconds.", examples=[1803.5])
    mean: float | None = Field(None, description="The mean, in seconds.", examples=[503.2])


class Queue(FigureModel):
    """How long jobs waited, in seconds."""

    p50: float | None = Field(None, description="Half waited at most so many seconds.", examples=[4.1])
    p95: float | None = Field(None, description="95 % waited at most so many seconds.", examples=[62.0])


class ByStatus(FigureModel):
    """How many pipelines ended how."""

    success: int = Field(0, description="Pipelines that succeeded.", examples=[180])
    failed: int = Field(0, description="Pipelines that failed.", examples=[20])
    canceled: int = Field(0, description="Pipelines that were canceled.", examples=[3])
    skipped: int = Field(0, description="Pipelines that were skipped.", examples=[1])
    other: int = Field(0, description="Pipelines that have not ended, or in another way.", examples=[2])


class Summary(FigureModel):
    """How pipelines ended, how long they took and waited."""

    pipelines: int = Field(description="How many pipelines.", examples=[206])
    by_status: ByStatus
    success_rate: float | None = Field(description="A share from 0 to 1.", examples=[0.9])
    duration: Duration
    queue: Queue


class Keyed(FigureModel):
    """A row; of a project with its id and full path."""

    key: str = Field(description="What the row is about, by `group_by`.", examples=["2026-11-30"])
    project_id: int | None = Field(None, description="GitLab's id of the project.", examples=[7])
    full_path: str | None = Field(None, description="Full path of the project.", examples=["acme/shop"])


class SummaryRow(Keyed, Summary):
    """The summary of a part."""


class SummaryAnswer(FiguresAnswer, Summary):
    """A summary of a range."""

    rows: list[SummaryRow]


class Counted(FigureModel):
    """Of how many the figures are."""

    count: int = Field(description="Of how many pipelines or attempts of jobs.", examples=[206])


class QueueRow(Keyed, Counted, Queue):
    """How long the jobs of a part waited."""


class QueueAnswer(FiguresAnswer, Counted, Queue):
    """How long jobs waited in a range."""

    rows: list[QueueRow]


class DurationRow(Keyed, Counted, Duration):
    """How long a part ran."""


class DurationAnswer(FiguresAnswer, Counted, Duration):
    """How long pipelines ran in a range."""

    rows: list[DurationRow]


class FailedJob(FigureModel):
    """A job that failed."""

    name: str = Field(description="Name of the job.", examples=["rspec"])
    count: int = Field(description="Failed attempts.", examples=[7])


class FailureRow(FigureModel):
    """A class of failures."""

    key: str = Field(description="The class.", examples=["script"])
    failure_class: str = Field(description="The class.", examples=["script"])
    count: int = Field(description="Failed attempts.", examples=[12])
    jobs: list[FailedJob] = Field(description="The 20 jobs that failed most in this way.")


class FailuresAnswer(FiguresAnswer):
    """Why jobs failed in a range."""

    count: int = Field(description="Failed attempts.", examples=[19])
    rows: list[FailureRow]


class FlakyExample(FigureModel):
    """A failed attempt."""

    pipeline_id: int = Field(description="Its pipeline.", examples=[1001])
    job_id: int = Field(description="The attempt.", examples=[5003])


class FlakyRow(FigureModel):
    """A job that failed and succeeded on the same commit."""

    key: str = Field(description="Project and job.", examples=["7/rspec"])
    project_id: int = Field(description="GitLab's id of the project.", examples=[7])
    job_name: str = Field(description="Name of the job.", examples=["rspec"])
    commits: int = Field(description="Commits on which it did both.", examples=[3])
    failed: int = Field(description="Failed attempts on these commits.", examples=[4])
    success: int = Field(description="Successes on these commits.", examples=[3])
    rate: float | None = Field(description="Their share of all commits on which it ran, from 0 to 1.", examples=[0.06])
    wasted_minutes: float = Field(description="What the failed attempts ran, in minutes.", examples=[14.5])
    last_seen_at: int | None = Field(description="When it failed last, in unix seconds.", examples=[1_790_000_000])
    examples: list[FlakyExample] = Field(description="Its latest failures on such commits.")


class FlakyAnswer(FiguresAnswer):
    """Which jobs were flaky in a range."""

    count: int = Field(description="Flaky jobs.", examples=[2])
    wasted_minutes: float = Field(description="What their failed attempts ran, in minutes.", examples=[30.5])
    rows: list[FlakyRow] = Field(description="The flaky jobs, those that wasted most first.")


class Recovery(FigureModel):
    """How long it took to recover, in seconds."""

    recoveries: int = Field(description="How often a default branch recovered.", examples=[4])
    median: float | None = Field(description="Half took at most so many seconds.", examples=[5400.0])
    p90: float | None = Field(description="90 % took at most so many seconds.", examples=[86000.0])


class RecoveryRow(Keyed, Recovery):
    """How long a project took."""


class RecoveryAnswer(FiguresAnswer, Recovery):
    """How long default branches took to recover in a range."""

    rows: list[RecoveryRow]


class MissingFigures(FigureModel):
    """Why figures are null."""

    code: str = Field(description="A stable word for it.", examples=["deployments_not_synced"])
    hint: str = Field(description="What it means.", examples=["The hub has read deployments of none of them."])


class Dora(FigureModel):
    """How deliveries do; null where that is not known, or there is nothing to tell."""

    deployments: int | None = Field(None, description="Deployments to the production tier.", examples=[12])
    deployment_frequency_per_day: float | None = Field(None, description="Deployments a day.", examples=[0.4])
    lead_time_median: float | None = Field(None, description="From merge to deployment, in seconds.", examples=[7200.0])
    change_failure_rate: float | None = Field(None, description="A share from 0 to 1.", examples=[0.05])
    time_to_restore_median: float | None = Field(
        None, description="Until the next success, in seconds.", examples=[3600.0]
    )


class DoraRow(Keyed, Dora):
    """How deliveries of a part do."""


class DoraAnswer(FiguresAnswer, Dora):
    """How deliveries do in a range."""

    reason: MissingFigures | None = Field(
        None, description="Why figures are null; null where none is for such a reason."
    )
    rows: list[DoraRow] = []


class Cost(FigureModel):
    """What jobs ran and cost; amounts are null where a type of runner has no price."""

    minutes: float = Field(description="Minutes that jobs ran.", examples=[4200.5])
    retried_minutes: float = Field(description="Of them in attempts that were retried.", examples=[120.0])
    flaky_minutes: float = Field(description="Of them in failures of jobs that also succeeded.", examples=[60.0])
    cost: float | None = Field(None, description="What these minutes cost.", examples=[33.604])
    retried_cost: float | None = Field(None, description="What the retried ones cost.", examples=[0.96])
    flaky_cost: float | None = Field(None, description="What the flaky ones cost.", examples=[0.48])


class CostRow(Keyed, Cost):
    """What a part ran and cost."""


class CostAnswer(FiguresAnswer, Cost):
    """What jobs ran and cost in a range."""

    rows: list[CostRow]
