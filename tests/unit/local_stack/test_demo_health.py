"""What the demo says of how CI is doing."""

import io
from typing import Any

from rich.console import Console

from local.demo.health import deliveries, flakiest, health

NOTHING: dict[str, Any] = {"p50": None, "p75": None, "p95": None, "mean": None}


def printed(what: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=140, highlight=False).print(what)
    return out.getvalue()


def test_figures_are_told_with_their_units() -> None:
    summary = {"pipelines": 1_234, "success_rate": 0.8125, "duration": {**NOTHING, "p50": 61.2, "p95": 1_800.4}}
    said = printed(health(summary, {"minutes": 5_000.4, "cost": 40.0, "retried_cost": None}))
    assert all(text in said for text in ("1,234", "81%", "61 s", "1,800 s", "5,000", "$40.00", "none"))


def test_nothing_to_tell_is_told_as_that() -> None:
    said = printed(
        health(
            {"pipelines": 0, "success_rate": None, "duration": NOTHING},
            {"minutes": 0, "cost": None, "retried_cost": None},
        )
    )
    assert said.count("none") == 5


def test_deliveries_are_told_with_their_units_and_where_there_are_none() -> None:
    figures = {"deployments": 1_200, "deployment_frequency_per_day": 13.333333, "lead_time_median": 7_200.0}
    said = printed(deliveries({**figures, "change_failure_rate": 0.25, "time_to_restore_median": 1_800.0}))
    assert all(text in said for text in ("1,200", "13.33", "7,200 s", "25%", "1,800 s"))
    unread = dict.fromkeys((*figures, "change_failure_rate", "time_to_restore_median"))
    assert printed(deliveries(unread)).count("none") == 5


def test_the_job_that_wasted_most_is_shown_with_its_price() -> None:
    row = {"job_name": "[bold]e2e[/bold]", "project_id": 8, "commits": 1, "failed": 4, "wasted_minutes": 250.0}
    said = printed(flakiest(row, "acme/app", 3))
    assert "[bold]e2e[/bold]" in said, "names are no markup"
    assert all(text in said for text in ("$2.00", "acme/app", "flakiest of 3 jobs"))
