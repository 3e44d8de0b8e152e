"""Figures out of a range's sums: what the routes show. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from gitlab_hub.pipelines.figures.day import Day
from gitlab_hub.pipelines.figures.definitions import DefinitionName
from gitlab_hub.pipelines.figures.evidence import recoveries
from gitlab_hub.pipelines.figures.facts import ENDS, OTHER
from gitlab_hub.pipelines.figures.sketch import Sums, add, exact_quantile, mean, quantiles

Answer = dict[str, Any]

MOST_JOBS = 20
"""Jobs that are named for each class of failures."""

_MINUTE_MS = 60_000


def summary(day: Day, definition: DefinitionName = "hub") -> Answer:
    """How many pipelines there were, how they ended, and how long they took and waited.

    With GitLab's definition the sums are those of pipelines that started in the range.
    """
    counts = dict.fromkeys((*ENDS, OTHER), 0) | _statuses(day.core, definition)
    ended = counts["success"] + counts["failed"]
    whole = sum(counts.values()) if definition == "gitlab" else ended
    return {
        "pipelines": sum(counts.values()),
        "by_status": counts,
        "success_rate": share(counts["success"], whole),
        "duration": duration(day.core.get("duration", {})),
        "queue": queue(day.core.get("queue", {})),
    }


def duration(sketch: Mapping[str, Any]) -> Answer:
    """How long pipelines or jobs ran, in seconds."""
    p50, p75, p95 = quantiles(sketch, (0.5, 0.75, 0.95))
    return {"p50": p50, "p75": p75, "p95": p95, "mean": mean(sketch)}


def queue(sketch: Mapping[str, Any]) -> Answer:
    """How long jobs waited, in seconds."""
    p50, p95 = quantiles(sketch, (0.5, 0.95))
    return {"p50": p50, "p95": p95}


def counted(sketch: Mapping[str, Any]) -> int:
    """How many values a sketch is of."""
    return int(sketch.get("n", 0))


def failures(day: Day) -> list[Answer]:
    """Failed attempts by class, the most frequent first, with the jobs that failed most."""
    jobs: dict[str, list[tuple[int, str]]] = {}
    for name, job in day.detail.get("jobs", {}).items():
        for failure_class, count in job.get("failures", {}).items():
            jobs.setdefault(failure_class, []).append((-count, name))
    found = sorted(day.core.get("failures", {}).items(), key=lambda one: (-one[1], one[0]))
    return [
        {
            "key": name,
            "failure_class": name,
            "count": count,
            "jobs": [{"name": job, "count": -times} for times, job in sorted(jobs.get(name, []))[:MOST_JOBS]],
        }
        for name, count in found
    ]


def flaky_row(row: Mapping[str, Any]) -> Answer:
    """A flaky job as it is shown."""
    return {
        **row,
        "key": f"{row['project_id']}/{row['job_name']}",
        "rate": share(row["commits"], row["ran"]),
        "wasted_minutes": minutes(row["wasted"]),
    }


def mttr(ends: Iterable[Iterable[list[int]]]) -> Answer:
    """How long projects took to recover, in seconds; `ends` project by project."""
    found = sorted(seconds for one in ends for seconds in recoveries(one))
    return {"recoveries": len(found), "median": exact_quantile(found, 0.5), "p90": exact_quantile(found, 0.9)}


def cost(work: Mapping[str, Mapping[str, int]], prices: Mapping[str, float]) -> Answer:
    """What jobs ran, in minutes, and what that costs; None where a type of runner has no price.

    `work`: type of runner → milliseconds that were `run`, `retried`, `flaky`. `prices`: type of runner → price of a
    minute; `default` is that of all others.
    """
    spent: Sums = {}
    for part in work.values():
        add(spent, part)
    prices_of = {name: prices.get(name, prices.get("default")) for name in work}
    shown = {f"{name}_minutes": minutes(spent.get(name, 0)) for name in ("retried", "flaky")}
    amounts = {name: _amount(work, prices_of, name) for name in ("run", "retried", "flaky")}
    return {
        "minutes": minutes(spent.get("run", 0)),
        **shown,
        "cost": amounts["run"],
        "retried_cost": amounts["retried"],
        "flaky_cost": amounts["flaky"],
    }


def minutes(milliseconds: int) -> float:
    """Milliseconds as minutes."""
    return round(milliseconds / _MINUTE_MS, 3)


def _statuses(core: Mapping[str, Any], definition: DefinitionName) -> dict[str, int]:
    if definition == "dx":
        return dict(core.get("worst", {}))
    if definition == "gitlab":
        return dict(core.get("statuses", {}))
    counts: Sums = {}
    for by_status in core.get("statuses", {}).values():
        add(counts, by_status)
    return counts


def share(part: int, whole: int) -> float | None:
    """A part of a whole, between 0 and 1; None where there is nothing."""
    return round(part / whole, 6) if whole else None


def _amount(work: Mapping[str, Mapping[str, int]], prices: Mapping[str, float | None], name: str) -> float | None:
    amount = 0.0
    for runner_type, spent in work.items():
        price = prices[runner_type]
        if price is None and spent.get(name):
            return None
        amount += spent.get(name, 0) * (price or 0) / _MINUTE_MS
    return round(amount, 4) if any(price is not None for price in prices.values()) else None
