"""When something counts as worse than before."""

from typing import Any

import pytest

from gitlab_hub.pipelines.figures.day import Day
from gitlab_hub.pipelines.figures.facts import JobFact, PipelineFact
from gitlab_hub.pipelines.figures.regressions import FEWEST, Red, Regression, regressions, turned_red


def day(*jobs: tuple[str, float, int, int]) -> Day:
    """Sums of jobs: name, seconds, successes, failures."""
    facts = [
        JobFact(number, name, status, False, "script" if status == "failed" else None, seconds, 1.0, 0, "1", "x", ())
        for name, seconds, *counts in jobs
        for status, count in zip(("success", "failed"), counts, strict=True)
        for number in range(count)
    ]
    counted = Day()
    about: dict[str, Any] = {
        "created_at": 0,
        "started_at": 0,
        "ended_at": 1,
        "status": "success",
        "first_status": "success",
    }
    counted.count(
        PipelineFact(
            id=1, project_id=7, ref_class="default_branch", source="push", commit="", duration=1, jobs=facts, **about
        )
    )
    return counted.of("default_branch")


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        (("unit", 100, 20, 0), ("unit", 60, 20, 0), [Regression(job="unit", figure="p95_seconds", before=60, now=100)]),
        (("unit", 100, 20, 0), ("unit", 70, 20, 0), []),
        (("unit", 40, 20, 0), ("unit", 20, 20, 0), []),
        (("unit", 100, FEWEST - 1, 0), ("unit", 20, 99, 0), []),
        (("unit", 100, 99, 0), ("unit", 20, FEWEST - 1, 0), []),
        (("unit", 100, 99, 0), ("e2e", 20, 99, 0), []),
        (("unit", 9, 15, 5), ("unit", 9, 20, 0), [Regression(job="unit", figure="failed_percent", before=0, now=25)]),
        (("unit", 9, 17, 3), ("unit", 9, 20, 0), []),
        (("unit", 9, 10, 10), ("unit", 9, 14, 6), []),
        (("(other)", 100, 20, 0), ("(other)", 60, 20, 0), []),
    ],
)
def test_a_job_got_worse_where_both_rules_say_so(now: Any, before: Any, found: list[Regression]) -> None:
    assert regressions(day(now), day(before)) == found


SUCCESS, FAILED = 1, 0


@pytest.mark.parametrize(
    ("ends", "red"),
    [
        ([], None),
        ([(1, FAILED)], None),
        ([(1, SUCCESS)], None),
        ([(1, SUCCESS), (2, FAILED)], Red(2, 25)),
        ([(1, SUCCESS), (2, FAILED), (3, FAILED)], Red(2, 25)),
        ([(1, SUCCESS), (2, FAILED), (3, SUCCESS)], None),
        ([(1, FAILED), (2, SUCCESS), (3, FAILED)], Red(3, 35)),
    ],
)
def test_a_branch_turned_red_with_the_first_failure_behind_its_last_success(ends: Any, red: Red | None) -> None:
    assert turned_red([[number * 10, number, number * 10 + 5, success] for number, success in ends]) == red
