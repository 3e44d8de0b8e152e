"""`/metrics`: how each integration is doing, for Prometheus.

Samples are per integration, so their number is bounded by what is connected and not by what runs in it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from gitlab_hub.gitlab.fields import day_of
from gitlab_hub.pipelines.figures import answers
from gitlab_hub.pipelines.figures.asked import DAY_SECONDS
from gitlab_hub.pipelines.figures.day import Day, total
from gitlab_hub.pipelines.figures.store import FigureStore, day_in
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run
from gitlab_hub.web.auth import Caller, Principal, Role
from gitlab_hub.web.errors import unfit
from gitlab_hub.web.prometheus import MEDIA, Metric, exposition
from gitlab_hub.web.route import Route

MOST_INTEGRATIONS = 100
"""Of one answer; each costs a read or two."""

MOST_INCIDENTS = 200
"""Of one integration; more are counted as so many."""

Days = Annotated[
    int, Query(ge=1, le=30, description="How many days (UTC) the figures are of, today included.", examples=[2])
]
IntegrationFilter = Annotated[
    str | None, Query(min_length=1, max_length=200, description="Only this integration.", examples=["int_0a1b2c3d"])
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSources:
    """Where the metrics come from, beside the figures of days."""

    visible: Callable[[Principal], Iterable[str]]
    """The ids of the integrations that a caller may see."""
    runs: Callable[[Sequence[str], Kind], Mapping[str, Run | Exception]]
    incidents: Callable[[str, int], Iterable[str]]
    """(integration, most) → the kinds of its open incidents."""


class MetricRoutes:
    """Shows how integrations are doing."""

    def __init__(
        self, table: Table, sources: MetricSources, now: Callable[[], float], *, most: int = MOST_INTEGRATIONS
    ) -> None:
        self._table, self._sources, self._now, self._most = table, sources, now, most

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        summary = "Show how each integration is doing, for Prometheus"
        return (
            Route(method="GET", path="/metrics", handler=self.show, role=Role.VIEWER, operation="get_metrics",
                  media="text/plain", summary=summary),
        )  # fmt: skip

    def show(self, caller: Caller, integration_id: IntegrationFilter = None, days: Days = 2) -> Response[Any]:
        """Write one sample or a few for each integration that the caller may see, at most 100 integrations.

        Figures are those of the last `days` days, today included, by the definition `hub`; all of them are gauges.
        """
        seen = self._sources.visible(caller)
        ids = list(islice((one for one in seen if integration_id in {None, one}), self._most + 1))
        if len(ids) > self._most:
            raise unfit("query.integration_id", f"There are more than {self._most} integrations: name one.")
        body = exposition(self._metrics(ids, days))
        return Response(status_code=200, content_type=MEDIA, body=body)

    def _metrics(self, ids: Sequence[str], days: int) -> list[Metric]:
        today = int(self._now())
        first, last = day_of(today - (days - 1) * DAY_SECONDS), day_of(today)
        figures = FigureMetrics()
        for integration_id in ids:
            rows = FigureStore(self._table, integration_id).days(first, last, "core")
            figures.add(integration_id, total(map(day_in, rows)).of(None))
        return [*self._states(ids), *figures.metrics]

    def _states(self, ids: Sequence[str]) -> list[Metric]:
        lag = Metric("gitlab_hub_sync_lag_seconds", "Seconds since the last sync of this kind that succeeded.")
        incidents = Metric("gitlab_hub_incidents", "Open incidents, by kind.")
        for kind in Kind:
            for integration_id, run in self._sources.runs(ids, kind).items():
                if isinstance(run, Run) and run.succeeded_at is not None:
                    lag.add(max(0, int(self._now()) - run.succeeded_at), integration=integration_id, kind=str(kind))
        for integration_id in ids:
            counts = Counter(self._sources.incidents(integration_id, MOST_INCIDENTS))
            for name, count in sorted(counts.items()):
                incidents.add(count, integration=integration_id, kind=name)
        return [lag, incidents]


class FigureMetrics:
    """Figures as metrics."""

    def __init__(self) -> None:
        self._pipelines = Metric("gitlab_hub_pipelines", "Pipelines by how they first ended.")
        self._rate = Metric("gitlab_hub_pipeline_success_ratio", "Share of pipelines that succeeded, of 0 to 1.")
        self._duration = Metric("gitlab_hub_pipeline_duration_seconds", "How long finished pipelines ran.")
        self._queue = Metric("gitlab_hub_job_queue_seconds", "How long jobs waited for a runner.")
        self._failed = Metric("gitlab_hub_failed_jobs", "Failed attempts of jobs by class.")
        self._minutes = Metric("gitlab_hub_job_minutes", "Minutes that jobs ran.")

    @property
    def metrics(self) -> list[Metric]:
        """All of them."""
        return [self._pipelines, self._rate, self._duration, self._queue, self._failed, self._minutes]

    def add(self, integration: str, day: Day) -> None:
        """Add the sums of an integration."""
        summary = answers.summary(day)
        for status, count in summary["by_status"].items():
            self._pipelines.add(count, integration=integration, status=status)
        self._rate.add(summary["success_rate"], integration=integration)
        for metric, values in ((self._duration, summary["duration"]), (self._queue, summary["queue"])):
            for name in ("p50", "p75", "p95"):
                metric.add(values.get(name), integration=integration, percentile=name)
        for name, count in sorted(day.core.get("failures", {}).items()):
            self._failed.add(count, integration=integration, failure_class=name)
        self._minutes.add(answers.cost(day.core.get("work", {}), {})["minutes"], integration=integration)
