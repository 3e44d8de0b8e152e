"""`python -m benchmarks.scale`: what 100,000 projects with 10 million pipelines take, written to docs/scale.md.

Worked out from what was measured with 1,000 projects of ten pipelines (results.md, "Pipelines by GraphQL and by REST"),
call by call: what grows with projects, with pipelines, with pages of jobs. Nothing of that size was run.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import JOBS
from benchmarks.measured import idle_run, number, sync
from benchmarks.prices import PRICES
from benchmarks.tables import table
from benchmarks.usage import CONNECTIONS, CORE_SHARE, GITLAB_SECONDS, HOURS

DOCUMENT = Path(__file__).parents[1] / "docs" / "scale.md"

PROJECTS, PIPELINES = 100_000, 100
"""And so many pipelines in each."""

MEASURED_PROJECTS, MEASURED_PIPELINES = 1_000, 11_004
"""What was measured, child pipelines included."""

PIPELINES_A_QUERY, PIPELINES_A_PAGE, JOBS_A_PAGE = 50, 100, 100
"""A list of more than 99 pipelines is read by REST, its pipelines in queries of GraphQL, and jobs by the project."""

WITH_TRIGGER_JOBS = 730 / 10_000
"""The share of pipelines whose trigger jobs were asked for."""

KB_A_PIPELINE, KB_A_PROJECT_DAY = 2.6, 1.8
"""What is stored of a pipeline of eight jobs with its place in the index, and of the figures of a project's day."""

DAYS = 30
"""Over so many days the pipelines are spread."""

PARTITION_WRITES = 1_000
"""Write units that one partition key takes a second ("Best practices for designing partition keys")."""

UNITS_OF_A_CHECK, UNITS_OF_A_MARK, UNITS_OF_THE_FEED = 2, 4, 2
"""A transaction checks the fence. A pipeline leaves a mark that its day is late, which goes with the day. It stands in
the feed of changes, an index that has one partition for each integration. A transaction costs twice the units."""

RUNS_A_DAY = 24
"""A sync that takes longer than its interval begins anew when it has ended; one an hour is assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """One sync of everything; seconds of one worker."""

    requests: float
    waiting: float
    computing: float
    write_units: float
    read_units: float

    @property
    def dollars(self) -> float:
        """What the function and its tables cost."""
        units = self.write_units * PRICES["write unit"] + self.read_units * PRICES["read unit"]
        return units + max(self.waiting, self.computing) * PRICES["function GB second"]


def first() -> Sync:
    """The first sync: in everything but queries of lists it grows with the pipelines."""
    measured, pipelines = sync("pipelines, first"), PROJECTS * PIPELINES
    a_pipeline = pipelines / MEASURED_PIPELINES
    requests = sum(parts().values())
    return Sync(
        requests=requests,
        waiting=requests * GITLAB_SECONDS / CONNECTIONS,
        computing=number(measured, "CPU s") / CORE_SHARE * a_pipeline,
        write_units=(number(measured, "write units") + number(measured, "control units")) * a_pipeline,
        read_units=number(measured, "read units") * a_pipeline,
    )


def parts() -> dict[str, float]:
    """The requests of a first sync."""
    return {
        "lists of pipelines and of child pipelines, by REST": PROJECTS * (math.ceil(PIPELINES / PIPELINES_A_PAGE) + 1),
        "pipelines by GraphQL": PROJECTS * PIPELINES / PIPELINES_A_QUERY,
        "jobs, listed by project": PROJECTS * math.ceil(PIPELINES * JOBS / JOBS_A_PAGE),
        "trigger jobs, listed by pipeline": PROJECTS * PIPELINES * WITH_TRIGGER_JOBS,
    }


def idle() -> Sync:
    """A later sync that finds nothing new: it grows with the projects."""
    measured, more = idle_run(), PROJECTS / MEASURED_PROJECTS
    return Sync(
        requests=number(measured, "requests") * more,
        waiting=number(measured, "requests") * more * GITLAB_SECONDS,
        computing=number(measured, "CPU s") / CORE_SHARE * more,
        write_units=(number(measured, "write units") + number(measured, "control units")) * more,
        read_units=number(measured, "read units") * more,
    )


def by_rest() -> float:
    """The requests of a first sync that asks for every pipeline, its jobs and its trigger jobs, one by one."""
    return PROJECTS * (PIPELINES * 3 + math.ceil(PIPELINES / PIPELINES_A_PAGE) + 1)


def busiest_keys() -> Iterator[list[str]]:
    """What the busiest partition keys take a second while one worker computes without a pause, and of how many."""
    measured = sync("pipelines, first")
    pipelines = MEASURED_PIPELINES * CORE_SHARE / number(measured, "CPU s")
    transactions = number(measured, "transactions") / MEASURED_PIPELINES * pipelines
    for key, units in {
        "`<integration>#changed`, the marks of late days": pipelines * UNITS_OF_A_MARK,
        "the index `by_change`, the feed of an integration": pipelines * UNITS_OF_THE_FEED,
        "`<integration>#fence`, checked by each transaction": transactions * UNITS_OF_A_CHECK,
        "`<integration>#pipelines#<project>`, a project's rows": pipelines * UNITS_OF_THE_FEED,
    }.items():
        yield [key, f"{units:,.0f}", f"{units / PARTITION_WRITES:.1%}", f"{PARTITION_WRITES / units:,.0f}"]


def stored_gb() -> float:
    """What the tables hold."""
    return PROJECTS * (PIPELINES * KB_A_PIPELINE + min(DAYS, PIPELINES) * KB_A_PROJECT_DAY) / 1e6


TEXT = """# A large GitLab

What syncing {projects:,} projects with {pipelines:,} pipelines of {jobs} jobs each takes: the first sync, every later
one, the busiest keys, the costs. Written by `python -m benchmarks.scale` from measurements with 1,000 projects of ten
pipelines ([results.md](../benchmarks/results.md#pipelines-by-graphql-and-by-rest)), scaled up by what each figure grows
with; nothing of this size was run. It assumes that GitLab answers in {gitlab:.0f} ms and that its rate limits are not
reached. Prices are those of [costs.md](costs.md).

{syncs}

"waiting" is the time that GitLab alone takes, for a first sync over {connections} connections; "computing" is what one
function of 1,024 MB needs, measured on a machine that was shared with other work. A sync takes about the longer of the
two. With requests for each pipeline on its own, the first sync would take {by_rest:,.0f} of them.

## The requests of a first sync

{parts}

## The busiest keys

One worker at a time reads an integration's pipelines. A partition key takes {limit:,} write units a second:

{keys}

So one worker stays far below the limit of a key. The number of workers in the last column would reach it: before that,
the marks of late days would have to be spread over several keys. The rows of each project are under keys of their own.

## Costs

| what | a month |
|---|---|
| the first sync, once | ${first:.2f} |
| a sync an hour that finds nothing new | ${idle:.2f} |
| {gb:.0f} GB in the tables, and their point-in-time recovery | ${kept:.2f} |

What new pipelines cost, by their number, is in [costs.md](costs.md).

## What that means

- **The worker is the bottleneck, not GitLab.** A first sync of this size computes for {days:.1f} days, in slices of
  five minutes, each of which continues where the last one ended; what is stored can be read meanwhile. A pipeline takes
  {calls} ms of CPU and three calls to DynamoDB, two of them to update the figures of its day.
- **Split a GitLab of this size into several integrations**, one for each top-level group: they are synced side by
  side (`SyncPipelinesConcurrency` of them at once), with keys, request budgets and runs of their own. An integration
  itself is not split.
- **A sync that finds nothing new takes {idle_minutes:.0f} minutes**; where that is longer than
  `PipelinesIntervalMinutes`, the next begins when it has ended. Webhooks do not wait for it.
- Figures by project read at most 20,000 rows, one for each project and day, for one answer: ask
  for a group, or for fewer days.
"""


def document() -> str:
    """The whole page."""
    begun, later = first(), idle()
    columns = ("sync", "requests", "waiting", "computing", "write units", "read units", "$")
    cells = [[name, *_cells(one)] for name, one in (("first", begun), ("nothing new", later))]
    told = [[what, f"{count:,.0f}"] for what, count in parts().items()]
    gb = stored_gb()
    return TEXT.format(
        projects=PROJECTS, pipelines=PROJECTS * PIPELINES, jobs=JOBS, gitlab=GITLAB_SECONDS * 1_000,
        connections=CONNECTIONS, limit=PARTITION_WRITES, syncs=table(columns, cells), by_rest=by_rest(),
        parts=table(("what", "requests"), [*told, ["total", f"{begun.requests:,.0f}"]]),
        keys=table(("key", "write units/s", "of its limit", "workers at the limit"), list(busiest_keys())),
        first=begun.dollars, idle=later.dollars * RUNS_A_DAY * HOURS / 24, gb=gb,
        kept=gb * (PRICES["table GB"] + PRICES["backup GB"]), days=begun.computing / 86_400,
        calls=f"{1_000 * number(sync('pipelines, first'), 'CPU s') / MEASURED_PIPELINES:.0f}",
        idle_minutes=max(later.waiting, later.computing) / 60,
    )  # fmt: skip


def _cells(one: Sync) -> list[str]:
    numbers = [f"{amount:,.0f}" for amount in (one.write_units, one.read_units)]
    return [f"{one.requests:,.0f}", _time(one.waiting), _time(one.computing), *numbers, f"{one.dollars:.2f}"]


def _time(seconds: float) -> str:
    return f"{seconds / 3_600:.1f} h"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
    print(DOCUMENT.read_text())
