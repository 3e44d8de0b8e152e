"""The dashboard: one, on demand, over metrics that exist."""

import json
import re
from typing import Any

from tests.unit.template.test_alarms import COUNTING, named_in
from tests.unit.template.transformed import resources, source, transformed

DIMENSIONS = {
    "AWS/ApiGateway": ("ApiId", {"Count", "4xx", "5xx", "Latency"}),
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles"}),
    "AWS/SQS": ("QueueName", {"ApproximateAgeOfOldestMessage"}),
    "AWS/Scheduler": ("ScheduleGroup", {"InvocationAttemptCount"}),
    "gitlab-hub": ("service", set[str]().union(*map(named_in, COUNTING))),
}
"""What is shown of each namespace: its dimension, and the metrics that it has (as in test_alarms)."""


def body() -> dict[str, Any]:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    parsed: dict[str, Any] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    return parsed


def rows() -> list[list[Any]]:
    """All metrics that are shown; a dot stands for what the row above has there (CloudWatch, "Dashboard body")."""
    shown: list[list[Any]] = []
    for widget in body()["widgets"]:
        above: list[Any] = []
        for row in widget["properties"].get("metrics", []):
            above = [before if part == "." else part for part, before in zip(row, above or row, strict=False)]
            shown.append(above)
    return shown


def test_it_is_made_on_demand_only() -> None:
    # Beyond three in an account, a dashboard costs more than the rest of an idle hub.
    assert transformed()["Resources"]["HubDashboard"]["Condition"] == "HasDashboard"
    assert source()["Parameters"]["Dashboard"]["Default"] == "false"


def test_it_shows_metrics_that_exist() -> None:
    assert len(rows()) <= 50  # more, and even the first dashboard of an account costs
    for namespace, metric, dimension, *_ in rows():
        wanted, known = DIMENSIONS[namespace]
        assert (dimension, metric in known) == (wanted, True), metric


def test_it_shows_every_function_and_every_queue_with_work() -> None:
    named = set(re.findall(r"\$\{(\w+)", json.dumps(body())))
    queues = {name for name, queue in resources("AWS::SQS::Queue").items() if "RedrivePolicy" in queue}
    assert named >= set(resources("AWS::Lambda::Function")) | queues | {"HttpApi", "Schedules"}
