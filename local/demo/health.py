"""How CI is doing: how often pipelines succeed, how long they take, what is delivered, what the flakiest job wastes."""

import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.hub import Hub

PRICE = 0.008
"""Dollars for a minute, made up for the demo: about what a small runner costs at list prices."""

DAYS = 90


def show_health(console: Console, hub: Hub, integration_id: str) -> None:
    """Ask for the figures of everything that is stored, and print them."""
    asked = {"from": int(time.time()) - DAYS * 86_400}
    analytics = f"/v1/integrations/{integration_id}/analytics"
    summary, flaky, cost = (
        hub.call("GET", f"{analytics}/{name}", query=asked) for name in ("summary", "flaky", "cost")
    )
    console.print(health(summary, cost))
    console.print(deliveries(hub.call("GET", f"{analytics}/dora", query=asked)))
    rows = flaky["rows"]
    worst = max(rows, key=lambda one: float(one["wasted_minutes"]), default=None)
    if worst is None:
        console.print("No job has both failed and succeeded on one commit: GET …/analytics/flaky")
        return
    project = hub.call("GET", f"/v1/integrations/{integration_id}/projects/{worst['project_id']}")["project"]
    console.print(flakiest(worst, project["full_path"], len(rows)))


def health(summary: dict[str, Any], cost: dict[str, Any]) -> Table:
    """The figures in a line."""
    table = Table("pipelines", "success rate", "p50", "p95", "job minutes", "cost", "of it retried")
    table.title, table.title_justify = "How CI is doing: GET …/analytics/summary and …/cost", "left"
    duration = summary["duration"]
    table.add_row(
        f"{summary['pipelines']:,}",
        _share(summary["success_rate"]),
        _seconds(duration["p50"]),
        _seconds(duration["p95"]),
        f"{cost['minutes']:,.0f}",
        _dollars(cost["cost"]),
        _dollars(cost["retried_cost"]),
    )
    return table


def deliveries(dora: dict[str, Any]) -> Table:
    """DORA's figures in a line."""
    table = Table("deployments", "a day", "lead time", "change failure rate", "time to restore")
    table.title, table.title_justify = "How deliveries do, by DORA: GET …/analytics/dora", "left"
    a_day = dora["deployment_frequency_per_day"]
    table.add_row(
        "none" if dora["deployments"] is None else f"{dora['deployments']:,}",
        "none" if a_day is None else f"{a_day:.2f}",
        _seconds(dora["lead_time_median"]),
        _share(dora["change_failure_rate"]),
        _seconds(dora["time_to_restore_median"]),
    )
    return table


def flakiest(row: dict[str, Any], path: str, of: int) -> Table:
    """The job that wasted most by failing and succeeding on the same commit, and what that cost."""
    table = Table("flakiest job", "project", "commits", "failed there", "wasted minutes", "cost")
    table.title, table.title_justify = f"The flakiest of {of} jobs: GET …/analytics/flaky", "left"
    wasted = row["wasted_minutes"]
    figures = (f"{row['commits']:,}", f"{row['failed']:,}", f"{wasted:,.1f}", _dollars(wasted * PRICE))
    table.add_row(escape(row["job_name"]), path, *figures)
    return table


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:,.0f} s"


def _dollars(value: float | None) -> str:
    return "none" if value is None else f"${value:,.2f}"
