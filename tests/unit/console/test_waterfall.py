"""Where the time of a pipeline went: attempts on lines, and moments counted once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.console.waterfall import Bar, waterfall

CREATED = {"created_at": 1000}
NOW = 2000.0


def job(number: int, start: int | None, ran: int | None, *, queued: float | None = 0, **more: Any) -> dict[str, Any]:
    end = None if start is None or ran is None else start + ran
    usual = {"name": f"job {number}", "stage": "test", "status": "success", "duration": ran}
    return {"id": number, **usual, "started_at": start, "finished_at": end, "queued_duration": queued, **more}


def test_moments_count_once_however_many_jobs_ran_or_waited_in_them() -> None:
    jobs = [job(1, 1010, 40, queued=10), job(2, 1020, 20, queued=15), job(3, 1060, 40, queued=5)]
    found = waterfall(CREATED, jobs, [], NOW)
    assert found is not None
    assert (found.seconds, found.ran, found.waited, found.idle) == (100.0, 80.0, 15.0, 5.0)
    [(stage, lines)] = found.stages
    assert (stage, lines[0].waits, lines[0].runs) == ("test", Bar(0.0, 10.0), Bar(10.0, 40.0))


def test_a_job_that_runs_runs_until_now_and_one_that_waits_waits_until_now() -> None:
    jobs = [job(1, 1500, None, status="running"), job(2, None, None, queued=200.0, status="pending")]
    found = waterfall(CREATED, jobs, [], NOW)
    assert found is not None
    [(_, [running, pending])] = found.stages
    assert (found.seconds, found.ran, running.runs, pending.waits, pending.runs) == (
        1000.0, 500.0, Bar(50.0, 50.0), Bar(80.0, 20.0), None,
    )  # fmt: skip


@pytest.mark.parametrize("jobs", [[], [job(1, None, None)], [job(1, None, None, queued=5, status="manual")]])
def test_where_nothing_has_begun_nothing_is_drawn(jobs: list[dict[str, Any]]) -> None:
    assert waterfall(CREATED, jobs, [], NOW) is None


def test_stages_come_as_their_jobs_were_made_and_attempts_stand_together() -> None:
    jobs = [
        job(9, 1300, 10, name="test a", stage="test"), job(4, 1200, 10, name="test b", stage="test"),
        job(3, 1200, 10, name="test a", stage="test"), job(1, 1010, 10, name="make", stage="build"),
    ]  # fmt: skip
    found = waterfall(CREATED, jobs, [job(2, 1010, 10, name="start", stage="build")], NOW)
    assert found is not None
    assert [(stage, [line.job["id"] for line in lines]) for stage, lines in found.stages] == [
        ("build", [1, 2]), ("test", [3, 9, 4]),
    ]  # fmt: skip
    assert [line.is_trigger for _, lines in found.stages for line in lines] == [False, True, False, False, False]


TIMES = st.none() | st.integers(0, 10**10)
JOBS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 99), "name": st.sampled_from(["a", "b", None]), "stage": st.sampled_from(["x", None]),
            "status": st.sampled_from(["running", "pending", "failed", None]), "started_at": TIMES,
            "finished_at": TIMES, "duration": st.none() | st.floats(0, 1e6),
            "queued_duration": st.none() | st.floats(-5, 1e6),
        }
    ),
    max_size=8,
)  # fmt: skip


@given(JOBS, JOBS, TIMES)
def test_whatever_gitlab_says_bars_stay_in_their_frame(
    jobs: list[dict[str, Any]], triggers: list[dict[str, Any]], created: int | None
) -> None:
    found = waterfall({"created_at": created}, jobs, triggers, NOW)
    if found is None:
        return
    bars = [bar for _, lines in found.stages for line in lines for bar in (line.waits, line.runs) if bar]
    assert all(bar.x >= -0.01 and bar.x + bar.width <= 100.02 for bar in bars)
    assert min(found.ran, found.waited, found.idle) >= 0
    assert sum(len(lines) for _, lines in found.stages) == len(jobs) + len(triggers)
