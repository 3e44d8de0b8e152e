"""The HTTP routes of figures."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.pipelines.deployments.dora import DoraReader
from gitlab_hub.pipelines.figures import views
from gitlab_hub.pipelines.figures.asked import Asked, range_of
from gitlab_hub.pipelines.figures.completeness import FiguresCompleteness
from gitlab_hub.pipelines.figures.definitions import DefinitionName, Figure, text_of
from gitlab_hub.pipelines.figures.facts import RefClass
from gitlab_hub.pipelines.figures.reader import FigureReader, with_range
from gitlab_hub.web.auth import Role
from gitlab_hub.web.errors import unfit
from gitlab_hub.web.route import Route

IntegrationId = Annotated[str, Path()]
ProjectId = Annotated[int | None, Query(ge=1, le=MAX_ID)]
GroupId = Annotated[int | None, Query(ge=1, le=MAX_ID, description="With all of its subgroups.")]
Moment = Annotated[
    str | None,
    Query(
        alias="from",
        min_length=1,
        max_length=40,
        description="Where the range begins: unix seconds, or a day or time in ISO 8601.",
        examples=["2026-11-01"],
    ),
]
End = Annotated[
    str | None,
    Query(
        alias="to",
        min_length=1,
        max_length=40,
        description="Where the range ends: unix seconds or a time in ISO 8601, or a day, which is its last one.",
        examples=["2026-11-30"],
    ),
]
RefFilter = Annotated[RefClass | None, Query(description="Only pipelines of this class of ref.")]
Definition = Annotated[DefinitionName, Query(description="By whose rules it is counted.")]

_ROWS = "What each row is about; without it there are none."

BySummary = Annotated[Literal["project", "ref_class", "source"] | None, Query(description=_ROWS)]
ByPeriod = Annotated[Literal["day", "week", "month"], Query(description="How long the part is that each row is about.")]
ByQueue = Annotated[Literal["project", "ref_class", "runner", "tag"] | None, Query(description=_ROWS)]
ByDuration = Annotated[Literal["project", "ref_class", "job"] | None, Query(description=_ROWS)]
ByCost = Annotated[Literal["project", "ref_class", "job", "runner"] | None, Query(description=_ROWS)]
ByDora = Annotated[Literal["project", "day", "week", "month"] | None, Query(description=_ROWS)]
ByProject = Annotated[Literal["project"] | None, Query(description=_ROWS)]

PATH = "/v1/integrations/<integration_id>/analytics"

NOT_SYNCED = views.MissingFigures(
    code="deployments_not_synced",
    hint="The hub has read deployments of none of these projects: the parameter ReadDeployments is false, no pipeline "
    "has changed there since it was on (POST …/sync with full reads them all), or GitLab refuses, as the sync says.",
)
NO_INCIDENTS = views.MissingFigures(
    code="incidents_not_synced",
    hint="GitLab's change failure rate and time to restore are those of its incidents, which the hub does not read. "
    "definition=hub tells both by deployments.",
)

Completeness = Callable[[Asked], FiguresCompleteness]


class FigureRoutes:
    """Shows figures of a range."""

    def __init__(
        self, reader: FigureReader, completeness: Completeness, dora: DoraReader, now: Callable[[], float]
    ) -> None:
        self._reader, self._completeness, self._dora, self._now = reader, completeness, dora, now

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        handlers: dict[str, tuple[Callable[..., Any], str]] = {
            "summary": (self.get_summary, "Show how pipelines ended, took and waited"),
            "trend": (self.get_trend, "Show the same day by day"),
            "queue": (self.get_queue, "Show how long jobs waited for a runner"),
            "duration": (self.get_duration, "Show how long pipelines and jobs ran"),
            "failures": (self.get_failures, "Show why jobs failed"),
            "flaky": (self.get_flaky, "Show which jobs are flaky"),
            "mttr": (self.get_mttr, "Show how long default branches took to recover"),
            "dora": (self.get_dora, "Show how deliveries do"),
            "cost": (self.get_cost, "Show what jobs ran and cost"),
        }
        return [
            Route(method="GET", path=f"{PATH}/{name}", handler=handler, role=Role.VIEWER, summary=summary,
                  operation=f"get_analytics_{name}")
            for name, (handler, summary) in handlers.items()
        ]  # fmt: skip

    def get_summary(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: BySummary = None,
        definition: Definition = "hub",
    ) -> views.SummaryAnswer:  # fmt: skip
        """Count pipelines by how they ended, with their success rate, and how long they took and jobs waited."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, group_by)
        told = self._told("summary", definition, asked)
        return views.SummaryAnswer(**told, **self._reader.summary(asked, definition))

    def get_trend(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: ByPeriod = "day",
        definition: Definition = "hub",
    ) -> views.SummaryAnswer:  # fmt: skip
        """Show the summary with a row for each day, week (named by its Monday) or month of the range."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, group_by)
        told = self._told("trend", definition, asked)
        return views.SummaryAnswer(**told, **self._reader.trend(asked, definition))

    def get_queue(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: ByQueue = None,
        definition: Definition = "hub",
    ) -> views.QueueAnswer:  # fmt: skip
        """Show how many seconds jobs waited for a runner."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, group_by)
        return views.QueueAnswer(**self._told("queue", definition, asked), **self._reader.queue(asked))

    def get_duration(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: ByDuration = None,
        definition: Definition = "hub",
    ) -> views.DurationAnswer:  # fmt: skip
        """Show how many seconds pipelines ran; with `group_by=job` the rows are of attempts of jobs."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, group_by)
        told = self._told("duration", definition, asked)
        return views.DurationAnswer(**told, **self._reader.duration(asked, definition))

    def get_failures(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, definition: Definition = "hub",
    ) -> views.FailuresAnswer:  # fmt: skip
        """Count failed attempts of jobs by class, with the jobs that failed most."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, None)
        return views.FailuresAnswer(**self._told("failures", definition, asked), **self._reader.failures(asked))

    def get_flaky(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, definition: Definition = "hub",
    ) -> views.FlakyAnswer:  # fmt: skip
        """List jobs that both failed and succeeded on the same commit."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, None)
        told = self._told("flaky", definition, asked)
        return views.FlakyAnswer(**_cut(told, self._reader.flaky(asked)))

    def get_mttr(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: ByProject = None,
        definition: Definition = "hub",
    ) -> views.RecoveryAnswer:  # fmt: skip
        """Show how many seconds default branches took from a failure to the next success."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, group_by)
        told = self._told("mttr", definition, asked)
        return views.RecoveryAnswer(**_cut(told, self._reader.mttr(asked)))

    def get_cost(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: ByCost = None,
        definition: Definition = "hub",
    ) -> views.CostAnswer:  # fmt: skip
        """Show how many minutes jobs ran and what they cost, with what retries and flaky jobs took of it."""
        asked = self._asked(integration_id, since, until, project_id, group_id, ref_class, group_by)
        return views.CostAnswer(**self._told("cost", definition, asked), **self._reader.cost(asked))

    def get_dora(
        self, integration_id: IntegrationId, since: Moment = None, until: End = None, project_id: ProjectId = None,
        group_id: GroupId = None, ref_class: RefFilter = None, group_by: ByDora = None, definition: Definition = "hub",
    ) -> views.DoraAnswer:  # fmt: skip
        """Show deployments to production, lead time, change failure rate and time to restore.

        Where no deployments were read, all figures are null, and `reason` says so.
        """
        if ref_class is not None:
            raise unfit("query.ref_class", "dora is told by environments, not by class of ref; leave ref_class out.")
        asked = self._asked(integration_id, since, until, project_id, group_id, None, group_by)
        named = _named("dora", definition, asked)
        completeness, is_read = self._dora.completeness(asked)
        told = {**named, "completeness": asdict(completeness)}
        if not is_read:
            return views.DoraAnswer(**told, reason=NOT_SYNCED)
        figures = self._dora.dora(asked, definition)
        whole, unknown = told["completeness"], figures.pop("without_lead_time")
        whole |= {"without_lead_time": unknown, "complete": whole["complete"] and not unknown}
        return views.DoraAnswer(**told, **figures, reason=NO_INCIDENTS if definition == "gitlab" else None)

    def _asked(
        self, integration_id: str, since: str | None, until: str | None, project_id: int | None, group_id: int | None,
        ref_class: RefClass | None, group_by: str | None,
    ) -> Asked:  # fmt: skip
        first, last = range_of(since, until, self._now())
        return Asked(
            integration_id=integration_id, first=first, last=last, project_id=project_id, group_id=group_id,
            ref_class=ref_class, group_by=group_by,
        )  # fmt: skip

    def _told(self, figure: Figure, definition: DefinitionName, asked: Asked) -> dict[str, Any]:
        """What every answer says of what it shows. Raises Unprocessable where the figure has no such definition."""
        return {**_named(figure, definition, asked), "completeness": asdict(self._completeness(asked))}


def _named(figure: Figure, definition: DefinitionName, asked: Asked) -> dict[str, Any]:
    """What an answer says of its rule and its range."""
    return {"definition": {"name": definition, "text": text_of(figure, definition)}, **with_range(asked)}


def _cut(told: dict[str, Any], figures: dict[str, Any]) -> dict[str, Any]:
    """Both, of a figure that says for how many days its evidence was cut."""
    completeness, cut = told["completeness"], figures["cut"]
    whole = completeness["complete"] and not cut
    return {**told, **figures, "completeness": {**completeness, "complete": whole, "cut": cut}}
