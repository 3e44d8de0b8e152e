"""Where the time of a pipeline went: each attempt of its jobs on one line, waiting for a runner and running. Pure.

What a job waited is GitLab's `queued_duration`, up to its start; before that it waits for other jobs, and is not drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Interval = tuple[float, float]

FULL = 100.0
_LEAST = 0.4
"""The shortest bar, so that what took a moment can be seen too."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar on a line: where it begins and how long it is, from 0 to 100."""

    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One attempt of a job: `waits` for a runner, then `runs`; None for what has not begun, or nobody knows."""

    job: Row
    is_trigger: bool
    waits: Bar | None
    runs: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """A pipeline's time, in seconds, and its lines by stage.

    `ran` is while any job ran, `waited` while none ran and some waited for a runner, `idle` while neither.
    """

    begins_at: float
    seconds: float
    ran: float
    waited: float
    idle: float
    stages: Sequence[tuple[str, Sequence[Line]]]


def waterfall(pipeline: Row, jobs: Iterable[Row], triggers: Iterable[Row], now: float) -> Waterfall | None:
    """Lay out the attempts of a pipeline's jobs and trigger jobs; None where nothing of it has begun.

    Stages come in the order in which GitLab made their jobs, attempts of a job one below the other. What still runs
    runs until `now`.
    """
    rows = [(row, False) for row in jobs] + [(row, True) for row in triggers]
    times = [_intervals(row, now) for row, _ in rows]
    known = [one for pair in times for one in pair if one is not None]
    if not known:
        return None
    begins = min([start for start, _ in known] + [moment for moment in (pipeline.get("created_at"),) if moment])
    ends = max(end for _, end in known)
    seconds = max(ends - begins, 1.0)
    running = _joined(runs for _, runs in times if runs is not None)
    waiting = _joined([*running, *(waits for waits, _ in times if waits is not None)])
    ran, busy = _length(running), _length(waiting)
    lines = [
        Line(job=row, is_trigger=is_trigger, waits=_bar(waits, begins, seconds), runs=_bar(runs, begins, seconds))
        for (row, is_trigger), (waits, runs) in zip(rows, times, strict=True)
    ]
    return Waterfall(
        begins_at=begins, seconds=ends - begins, ran=ran, waited=busy - ran, idle=max(0.0, ends - begins - busy),
        stages=_by_stage(lines),
    )  # fmt: skip


def _intervals(row: Row, now: float) -> tuple[Interval | None, Interval | None]:
    """When an attempt waited for a runner, and when it ran."""
    started, queued = row.get("started_at"), row.get("queued_duration") or 0
    if started is None:
        is_waiting = row.get("status") == "pending" and queued > 0
        return ((now - queued, now) if is_waiting else None), None
    ended = row.get("finished_at")
    if ended is None:
        ended = started + row["duration"] if row.get("duration") and row.get("status") != "running" else now
    runs = (float(started), float(max(started, ended)))
    return ((started - queued, float(started)) if queued > 0 else None), runs


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same moments without overlaps, in order."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _length(intervals: Iterable[Interval]) -> float:
    return sum(end - start for start, end in intervals)


def _bar(interval: Interval | None, begins: float, seconds: float) -> Bar | None:
    if interval is None:
        return None
    start, end = interval
    width = min(FULL, max(_LEAST, (end - start) * FULL / seconds))
    return Bar(round(min((start - begins) * FULL / seconds, FULL - width), 2), round(width, 2))


def _by_stage(lines: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    stages: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: line.job["id"]):
        stages.setdefault(line.job.get("stage") or "", []).append(line)
    return [(name, sorted(some, key=_together(some))) for name, some in stages.items()]


def _together(lines: Iterable[Line]) -> Any:
    """Attempts of a job stand where its first one does."""
    first: dict[str, int] = {}
    for line in lines:
        first.setdefault(str(line.job.get("name")), line.job["id"])
    return lambda line: (first[str(line.job.get("name"))], line.job["id"])
