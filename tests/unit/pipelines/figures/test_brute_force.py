"""Figures equal a second computation over the pipelines themselves, whatever changed late and in what order.

`FIGURE_HISTORIES` sets how many random histories are tried; a few in every run, thousands in a long one.
"""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import quantiles
from typing import Any

import pytest

from gitlab_hub.gitlab.fields import seconds
from tests.unit.pipelines.figures.figure_world import MONDAY, FigureWorld, attempt, pipeline, when

HISTORIES = int(os.environ.get("FIGURE_HISTORIES", "4"))
DAYS = 5
STATUSES = ("success", "success", "success", "failed", "failed", "canceled", "skipped", "running", "manual")
REASONS = ("script_failure", "api_failure", "job_execution_timeout", "invented_by_gitlab_20", None)
REFS = (("main", "push"), ("main", "schedule"), ("dev", "push"), ("refs/merge-requests/1/head", "merge_request_event"))

Pipeline = dict[str, Any]
Jobs = list[dict[str, Any]]


class History:
    """Random pipelines that change, are stored as they do, and are counted now and then."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - test data
        self.world = FigureWorld()
        for number in (7, 8):
            self.world.project(number, f"acme/{number}")
        self.pipelines: dict[int, tuple[Pipeline, Jobs]] = {}
        self.first: dict[int, tuple[str, int]] = {}
        """Pipeline → how and when it ended for the first time."""

    def play(self, steps: int) -> None:
        """Go on with new and changed pipelines; a worker that counts may be stopped half-way."""
        for _ in range(steps):
            new = len(self.pipelines) + 1
            number = new if not self.pipelines or self.draw.random() < 0.6 else self.draw.choice(list(self.pipelines))
            self._change(number)
            if self.draw.random() < 0.1:
                self._count(self.draw.choice([None, 0, 1, 2]))
        self._count(None)

    def _change(self, number: int) -> None:
        draw = self.draw
        status = draw.choice(STATUSES)
        before, jobs = self.pipelines.get(number, (None, []))
        made = before or pipeline(number, project=draw.choice([7, 8]), at=draw.random() * DAYS * 24)
        ref, source = draw.choice(REFS)
        created = MONDAY + round(draw.random() * DAYS * 86_400) if before is None else None
        fixed = {"sha": f"{draw.randint(1, 12):040x}", "ref": ref, "source": source} if before is None else {}
        times = {"created_at": when(created), "started_at": when(created + draw.randint(0, 100_000))} if created else {}
        began = moment({**made, **times}["created_at"])
        # On the same day: which success a failure over midnight is recovered with, a day need not tell exactly.
        ended = min(began + draw.choice([60, 9_000, 40_000]), began // 86_400 * 86_400 + 86_399)
        made = {**made, **fixed, **times, "status": status, "duration": draw.choice([None, draw.randint(1, 5_000)]),
                "finished_at": when(ended), "updated_at": when(ended)}  # fmt: skip
        for _ in range(draw.randint(0, 3)):
            failed = draw.random() < 0.4
            jobs = [
                *jobs,
                attempt(
                    number * 100 + len(jobs), draw.choice("abc"), "failed" if failed else draw.choice(STATUSES),
                    failure_reason=draw.choice(REASONS), duration=draw.choice([None, draw.random() * 500]),
                    queued_duration=draw.choice([None, draw.random() * 60]), finished_at=when(ended),
                ),
            ]  # fmt: skip
        self.pipelines[number] = made, jobs
        if status in {"success", "failed", "canceled", "skipped"}:
            self.first.setdefault(number, (status, ended))
        self.world.save(made, jobs)

    def _count(self, stop_after: int | None) -> None:
        self.world.try_count(stop_after=stop_after)

    def of(self, days: Iterable[int], project: int | None) -> list[tuple[Pipeline, Jobs]]:
        """The pipelines that were created on some days (0 = Monday)."""
        starts = {MONDAY + day * 86_400 for day in days}
        return [
            (made, jobs)
            for made, jobs in self.pipelines.values()
            if moment(made["created_at"]) // 86_400 * 86_400 in starts and project in {None, made["project_id"]}
        ]


def moment(text: str) -> int:
    found = seconds(text)
    assert found is not None
    return found


def cut(values: list[float], percent: int) -> float | None:
    """A percentile by another library."""
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def check_summary(history: History, shown: Mapping[str, Any], rows: list[tuple[Pipeline, Jobs]]) -> None:
    ends = Counter(history.first.get(made["id"], (made["status"], 0))[0] for made, _ in rows)
    by_status = {name: ends[name] for name in ("success", "failed", "canceled", "skipped")}
    other = len(rows) - sum(by_status.values())
    assert shown["by_status"] == {**by_status, "other": other}
    whole = ends["success"] + ends["failed"]
    assert shown["success_rate"] == (pytest.approx(ends["success"] / whole, abs=1e-6) if whole else None)
    done = {"success", "failed", "canceled", "skipped"}
    durations = [float(made["duration"]) for made, _ in rows if made["duration"] is not None and made["status"] in done]
    queued = [job["queued_duration"] for _, jobs in rows for job in jobs if job["queued_duration"] is not None]
    for name, values, percents in (("duration", durations, (50, 75, 95)), ("queue", queued, (50, 95))):
        for percent in percents:
            expected = cut(values, percent)
            assert shown[name][f"p{percent}"] == (
                None if expected is None else pytest.approx(expected, rel=0.01, abs=0.01)
            )


def flaky_of(rows: list[tuple[Pipeline, Jobs]]) -> dict[tuple[int, str], tuple[int, int, int, float]]:
    """(project, job) → commits on which it did both, failures and successes on them, rate."""
    pairs: dict[tuple[int, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for made, jobs in rows:
        for job in jobs:
            failed = job["status"] == "failed" and job["failure_reason"] != "api_failure"
            if failed or job["status"] == "success":
                pairs[made["project_id"], job["name"]][made["sha"]][0 if failed else 1] += 1
    found = {}
    for key, commits in pairs.items():
        both = [pair for pair in commits.values() if all(pair)]
        if both:
            share = len(both) / len(commits)
            found[key] = len(both), sum(one[0] for one in both), sum(one[1] for one in both), round(share, 6)
    return found


def recovered(history: History, rows: list[tuple[Pipeline, Jobs]]) -> list[int]:
    """Seconds of each recovery on the default branch, sorted."""
    found = []
    for project in (7, 8):
        ends = sorted(
            (moment(made["created_at"]), made["id"], *history.first[made["id"]])
            for made, _ in rows
            if made["project_id"] == project and made["ref"] == "main" and made["id"] in history.first
        )
        ends = [end for end in ends if end[2] in {"success", "failed"}]
        while any(end[2] == "success" for end in ends):
            # Behind the first success, the first failure; behind its end, the next success.
            while ends[0][2] != "success":
                ends.pop(0)
            failure = next((end for end in ends if end[2] == "failed"), None)
            repaired = failure and next(
                (end for end in ends if end > failure and end[2] == "success" and end[0] >= failure[3]), None
            )
            if not failure or not repaired:
                break
            found.append(repaired[3] - failure[3])
            ends = ends[ends.index(repaired) :]
    return sorted(found)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_figures_equal_a_second_computation(seed: int) -> None:
    history = History(seed)
    for _ in range(3):
        history.play(25)
        first = history.draw.randint(0, DAYS - 1)
        last = history.draw.randint(first, DAYS)
        project = history.draw.choice([None, 7])
        asked = {"from": f"2026-03-{2 + first:02}", "to": f"2026-03-{2 + last:02}"}
        asked |= {} if project is None else {"project_id": str(project)}
        rows, world = history.of(range(first, last + 1), project), history.world
        check_summary(history, world.get("summary", **asked), rows)
        check_summary(history, world.get("summary", **asked, group_by="project"), rows)
        failed = Counter(job["failure_reason"] for _, jobs in rows for job in jobs if job["status"] == "failed")
        classes = {"script": "script_failure", "infra": "api_failure", "timeout": "job_execution_timeout"}
        counts = {row["key"]: row["count"] for row in world.get("failures", **asked)["rows"]}
        assert [counts.get(name, 0) for name in classes] == [failed[reason] for reason in classes.values()]
        assert counts.get("unknown", 0) == failed["invented_by_gitlab_20"] + failed[None]
        flaky = {
            (row["project_id"], row["job_name"]): (row["commits"], row["failed"], row["success"], row["rate"])
            for row in world.get("flaky", **asked)["rows"]
        }
        assert flaky == flaky_of(rows)
        spent = sum(job["duration"] or 0 for _, jobs in rows for job in jobs)
        assert world.get("cost", **asked)["minutes"] == pytest.approx(spent / 60, abs=0.01)
        shown = world.get("mttr", **asked)
        expected = recovered(history, rows)
        assert (shown["recoveries"], shown["median"]) == (len(expected), cut([float(one) for one in expected], 50))
