"""How fast figures over a million jobs are answered, and how long their export takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.analytics_estate import JOBS, PIPELINES, PROJECTS
from benchmarks.children import answer_of, dynamo
from benchmarks.starts import ENVIRONMENT
from benchmarks.tables import table

WORKER = "benchmarks.analytics_worker"
FORMATS = ("csv", "jsonl", "parquet")
ANSWER_COLUMNS = ("figure", "p50 ms", "p95 ms", "CPU ms", "requests", "items read")
EXPORT_COLUMNS = ("format", "jobs", "seconds", "CPU seconds", "files", "MB", "peak memory MiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """What was measured over so many stored jobs."""

    jobs: int
    adding_up: float
    """Seconds of the processor to add up one day of all projects."""
    answers: Mapping[str, Mapping[str, float]]
    exports: Mapping[str, Mapping[str, float]]


def measured(*, quick: bool) -> Analytics:
    """Store the estate, or a twentieth of it, ask everything, and export all jobs in each format."""
    share, times = (0.05, 5) if quick else (1.0, 20)
    with dynamo() as store:
        told: dict[str, str] = {"AWS_ENDPOINT_URL": store.endpoint, **ENVIRONMENT}
        adding_up: float = answer_of(WORKER, "store", str(share), **told)
        answers: Any = answer_of(WORKER, "ask", str(times), **told)
        exports = {name: answer_of(WORKER, "export", name, **told) for name in FORMATS}
    jobs = int(PROJECTS * share) * PIPELINES * JOBS
    return Analytics(jobs=jobs, adding_up=adding_up, answers=answers, exports=exports)


def analytics_tables(found: Analytics) -> tuple[str, str]:
    """One row for every question, and one for every format."""
    names = ("p50", "p95", "cpu", "requests", "items")
    answers = [[what, *(f"{told[name]:,.0f}" for name in names)] for what, told in found.answers.items()]
    exports = [
        [name, f"{told['rows']:,.0f}", f"{told['seconds']:.1f}", f"{told['cpu']:.1f}", f"{told['files']:,.0f}",
         f"{told['mb']:.1f}", f"{told['peak']:.0f}"]
        for name, told in found.exports.items()
    ]  # fmt: skip
    return table(ANSWER_COLUMNS, answers), table(EXPORT_COLUMNS, exports)
