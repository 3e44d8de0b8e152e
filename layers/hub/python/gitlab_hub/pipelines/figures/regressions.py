"""What got worse lately in a project: its default branch turned red, or a job became slower or fails more often. Pure.

| | is told where |
|---|---|
| the default branch turned red | its last pipeline to end failed, and an earlier one of these days had succeeded |
| a job is slower | its p95 is `TIMES_SLOWER` times that of the days before, and `SECONDS_SLOWER` longer |
| a job fails more often | its share of failed attempts is `POINTS_MORE` higher, and `TIMES_MORE` times as high |

Jobs are those of pipelines on the default branch, and need `FEWEST` attempts lately and before: of fewer neither a p95
nor a share says anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitlab_hub.pipelines.figures.answers import counted
from gitlab_hub.pipelines.figures.day import REST, Day
from gitlab_hub.pipelines.figures.evidence import turns
from gitlab_hub.pipelines.figures.sketch import quantiles

LATELY_DAYS, BEFORE_DAYS = 2, 14
"""Today and yesterday, compared with the days before them."""

FEWEST = 20
TIMES_SLOWER, SECONDS_SLOWER = 1.5, 30
TIMES_MORE, POINTS_MORE = 2, 0.2

Figure = Literal["p95_seconds", "failed_percent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A job that got worse: which figure of it, as it was and as it is."""

    job: str
    figure: Figure
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Red:
    """The pipeline that turned a default branch red, and when it ended (unix seconds)."""

    pipeline_id: int
    at: int


def turned_red(ends: Iterable[list[int]]) -> Red | None:
    """The first failure behind the last success of these ends (as `evidence` keeps them); None where there is none."""
    kept = turns(ends)
    if not any(success for *_, success in kept) or kept[-1][3]:
        return None
    _, pipeline_id, ended, _ = kept[-1]
    return Red(pipeline_id, ended)


def is_mended(ends: Iterable[list[int]]) -> bool:
    """Whether the last of these ends is a success. Days without any say nothing: what was red still is."""
    kept = turns(ends)
    return bool(kept and kept[-1][3])


def regressions(lately: Day, before: Day) -> list[Regression]:
    """The jobs that got worse, by name; both days without the level of classes of refs."""
    jobs, earlier = lately.detail.get("jobs", {}), before.detail.get("jobs", {})
    names = sorted(name for name in jobs.keys() & earlier.keys() if name != REST)
    found = (one for name in names for one in (_slower(name, jobs, earlier), _failing(name, jobs, earlier)))
    return [one for one in found if one is not None]


def _slower(name: str, jobs: Mapping[str, Any], earlier: Mapping[str, Any]) -> Regression | None:
    sketch, old = (named[name].get("duration", {}) for named in (jobs, earlier))
    if min(counted(sketch), counted(old)) < FEWEST:
        return None
    (now,), (before,) = quantiles(sketch, (0.95,)), quantiles(old, (0.95,))
    if now is None or before is None or now < before * TIMES_SLOWER or now - before < SECONDS_SLOWER:
        return None
    return Regression(job=name, figure="p95_seconds", before=round(before), now=round(now))


def _failing(name: str, jobs: Mapping[str, Any], earlier: Mapping[str, Any]) -> Regression | None:
    if min(jobs[name]["count"], earlier[name]["count"]) < FEWEST:
        return None
    now, before = (sum(one.get("failures", {}).values()) / one["count"] for one in (jobs[name], earlier[name]))
    if now - before < POINTS_MORE or now < before * TIMES_MORE:
        return None
    return Regression(job=name, figure="failed_percent", before=round(before * 100), now=round(now * 100))
