"""Pipelines by GraphQL and by REST's lists: first syncs, repeats, and what an hour of later syncs asks of GitLab."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import cases
from benchmarks.cases import JOBS, Case
from benchmarks.syncs import Bench, Figures, bench_of
from benchmarks.tables import table

KIND = "pipelines"
RUNS, MINUTES = 12, 5
"""An hour, at the default interval."""

REST_SECONDS = 6 * 3600
"""How long before that hour nothing happens any more, so that all projects but the active ones are idle."""

ACTIVE_SHARE = 100
"""One of so many projects is active."""

HOURS_AT_MS = 50
"""The hours are measured at this latency alone: how often GitLab is asked does not depend on it."""

COLUMNS = ("pipelines by", "projects", "runs", "active projects", "new pipelines", "requests", "per idle project-hour",
           "per new pipeline", "CPU s", "items written", "write units", "read units",
           "control units")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """All syncs of an hour, and those of the hour before, in which nothing happened."""

    case: Case
    idle: Sequence[Figures]
    active: Sequence[Figures]
    pipelines: int
    """Pipelines that began in the active hour, child pipelines too."""


def measured(*, quick: bool, profile: bool = False) -> Iterator[Figures | Hour]:
    """Every case's first two syncs; at one latency also an hour of each way."""
    for case in cases.pipelines(quick=quick):
        with bench_of(case, profile=profile) as bench:
            for ordinal in ("first", "second"):
                yield bench.figures(KIND, ordinal)
            if case.latency_ms == HOURS_AT_MS:
                yield _Hours(case, bench).measured()


class _Hours:
    """Two hours of a company that has come to rest, the second with some projects at work."""

    def __init__(self, case: Case, bench: Bench) -> None:
        self._case, self._bench, self._ahead = case, bench, 0
        self._chance = random.Random(1)

    def measured(self) -> Hour:
        """Let the company rest, then sync an hour without work and one with."""
        self._later(REST_SECONDS)
        list(self._hour([]))  # deployments of new projects come a hundred projects at a time
        gitlab = self._bench.gitlab
        closed = set(gitlab.control("GET", "ground-truth")["projects_without_builds"])
        open_ = [row["id"] for row in gitlab.truth("projects") if row["id"] not in closed and not row["archived"]]
        at_work = self._chance.sample(open_, self._case.projects // ACTIVE_SHARE)
        idle = list(self._hour([]))
        before = len(gitlab.truth(KIND))
        active = list(self._hour(at_work))
        return Hour(case=self._case, idle=idle, active=active, pipelines=len(gitlab.truth(KIND)) - before)

    def _hour(self, at_work: Sequence[int]) -> Iterator[Figures]:
        for number in range(RUNS):
            self._later(MINUTES * 60)
            now = self._bench.gitlab.control("GET", "clock")["now"]
            begun = sorted((now - self._chance.uniform(0, MINUTES * 60), project) for project in at_work)
            for moment, project in begun:
                self._bench.gitlab.change("add_pipeline", project_id=project, jobs=JOBS, created=moment)
            yield self._bench.figures(KIND, f"run {number + 1}", ahead=self._ahead)

    def _later(self, seconds: int) -> None:
        self._bench.gitlab.control("POST", "advance", {"seconds": seconds, "idle": True})
        self._ahead += seconds


def hours_table(hours: Sequence[Hour]) -> str:
    """Two rows for each way: the idle hour and the one in which some projects are active."""
    return table(COLUMNS, [row for hour in hours for row in _rows(hour)])


def way(case: Case) -> str:
    """How pipelines are read, in words."""
    return f"{'REST' if case.by_rest else 'GraphQL'}{', deployments too' if case.deployments else ''}"


def _rows(hour: Hour) -> Iterator[list[str]]:
    idle, active = (sum(one.requests for one in runs) for runs in (hour.idle, hour.active))
    projects, an_hour = hour.case.projects, idle * RUNS / len(hour.idle)
    yield [*_head(hour, hour.idle), "0", "0", f"{idle:,}", f"{an_hour / projects:.2f}", "", *_costs(hour.idle)]
    more = (active - idle * len(hour.active) / len(hour.idle)) / hour.pipelines
    at_work = str(projects // ACTIVE_SHARE)
    yield [
        *_head(hour, hour.active),
        at_work,
        str(hour.pipelines),
        f"{active:,}",
        "",
        f"{more:.1f}",
        *_costs(hour.active),
    ]


def _head(hour: Hour, runs: Sequence[Figures]) -> list[str]:
    return [way(hour.case), f"{hour.case.projects:,}", str(len(runs))]


def _costs(runs: Sequence[Figures]) -> list[str]:
    billed = ("items_written", "write_units", "read_units")
    data = [f"{sum(one.data.get(name, 0) for one in runs):,}" for name in billed]
    control = sum(one.control.get("write_units", 0) for one in runs)
    return [f"{sum(one.cpu for one in runs):.1f}", *data, f"{control:,}"]
