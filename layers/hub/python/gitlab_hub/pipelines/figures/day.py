"""The figures of one day, as sums: of a project made from its pipelines, of an integration made from its projects.

A pipeline and its jobs belong to the day (UTC) on which the pipeline was created. For each class of ref:

| in `core` | holds |
|---|---|
| `statuses` | source → status at its first end → pipelines |
| `worst` | status that counts most among its jobs → pipelines |
| `started` | day of the start → `statuses` (last status → pipelines) and `duration` |
| `duration` | sketch of finished pipelines |
| `queue` | sketch of jobs |
| `failures` | class → failed attempts |
| `work` | type of runner → `run`, `retried`, `flaky`: milliseconds |

| in `detail` | holds, each with `count` attempts |
|---|---|
| `jobs` | name → `duration`, `failures`, `work` |
| `runners` | id → `queue`, `work` |
| `tags` | tag → `queue` |
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from gitlab_hub.gitlab.fields import day_of
from gitlab_hub.pipelines.figures.facts import JobFact, PipelineFact, counted, worst
from gitlab_hub.pipelines.figures.sketch import Sums, add, note

REST = "(other)"
"""Jobs, runners and tags beyond the most frequent ones, together."""

MOST_NAMES = 500
"""Jobs, runners or tags of a day that are told apart: a row of the table has 400 KB."""


class Day:
    """One day's sums, for as many pipelines and days as are added."""

    def __init__(self, core: Sums | None = None, detail: Sums | None = None) -> None:
        self.core: Sums = {} if core is None else core
        self.detail: Sums = {} if detail is None else detail

    def count(self, fact: PipelineFact) -> None:
        """Add one pipeline with its jobs."""
        core = self.core.setdefault(fact.ref_class, {})
        _one(_part(core, "statuses", fact.source), counted(fact.first_status))
        _one(_part(core, "worst"), worst(fact))
        duration = fact.finished_duration
        if duration is not None:
            note(_part(core, "duration"), duration)
        if fact.started_at is not None:
            started = _part(core, "started", day_of(fact.started_at))
            _one(_part(started, "statuses"), counted(fact.status))
            if duration is not None:
                note(_part(started, "duration"), duration)
        saved = {job.name for job in fact.jobs if job.status == "success"}
        for job in fact.jobs:
            self._count_job(core, self.detail.setdefault(fact.ref_class, {}), job, saved)

    def add(self, other: "Day") -> None:
        """Add another day's sums."""
        add(self.core, other.core)
        add(self.detail, other.detail)

    def only(self, fields: Collection[str], part: str | None = None) -> "Day":
        """The sums of these fields, and of one part of the details: what else a day holds costs time to add up."""
        core = {name: _picked(sums, fields) for name, sums in self.core.items()}
        detail = {
            name: {part: {key: _picked(sums, fields) for key, sums in parts.get(part, {}).items()}}
            for name, parts in self.detail.items()
            if part is not None
        }
        return Day(core, detail)

    def by_ref_class(self, wanted: str | None) -> Iterator[tuple[str, "Day"]]:
        """The sums of each class of ref, or of the one that is wanted, without the level of classes."""
        for name in sorted(self.core.keys() | self.detail.keys()):
            if wanted in {None, name}:
                yield name, Day(self.core.get(name, {}), self.detail.get(name, {}))

    def of(self, ref_class: str | None) -> "Day":
        """The sums of one class of ref, or of all (None), without the level of classes."""
        return total(day for _, day in self.by_ref_class(ref_class))

    def _count_job(self, core: Sums, detail: Sums, job: JobFact, saved: set[str]) -> None:
        named = _part(detail, "jobs", job.name)
        _one(named, "count")
        places = [core]
        if job.runner is not None:
            places.append(_part(detail, "runners", job.runner))
            _one(places[-1], "count")
        for place in [*places, *(_part(detail, "tags", tag) for tag in job.tags)]:
            if job.queued is not None:
                note(_part(place, "queue"), job.queued)
        for tag in job.tags:
            _one(detail["tags"][tag], "count")
        if job.failure_class is not None:
            for place in (core, named):
                _one(_part(place, "failures"), job.failure_class)
        if job.duration is not None:
            note(_part(named, "duration"), job.duration)
            for place in (*places, named):
                add(_part(place, "work"), _work(job, job.duration, saved))


def capped(detail: Mapping[str, Any], most: int = MOST_NAMES) -> Sums:
    """Keep the most frequent jobs, runners and tags of each class of ref, and add up the others."""
    return {
        ref_class: {part: _capped(named, most) for part, named in parts.items()} for ref_class, parts in detail.items()
    }


def _capped(named: Mapping[str, Any], most: int) -> Sums:
    if len(named) <= most:
        return dict(named)
    order = sorted(named, key=lambda name: (name == REST, -named[name]["count"], name))
    kept, rest = {name: named[name] for name in order[:most]}, Sums()
    for name in order[most:]:
        add(rest, named[name])
    return {**kept, REST: rest}


def _work(job: JobFact, duration: float, saved: set[str]) -> Sums:
    """What a job ran: at all, in an attempt that was retried, and in one that failed where another succeeded."""
    spent = round(duration * 1000)
    wasted = job.is_flaw and job.name in saved
    return {job.runner_type: {"run": spent, "retried": spent * job.retried, "flaky": spent * wasted}}


def _picked(sums: Mapping[str, Any], fields: Collection[str]) -> Sums:
    return {name: sums[name] for name in fields if name in sums}


def _part(sums: Sums, *names: str) -> Sums:
    for name in names:
        sums = sums.setdefault(name, {})
    return sums


def _one(sums: Sums, name: str) -> None:
    sums[name] = sums.get(name, 0) + 1


def total(days: Iterable[Day]) -> Day:
    """The sums of many days."""
    merged = Day()
    for day in days:
        merged.add(day)
    return merged
