"""Metrics go to standard output of a process that logs as in Lambda, so these tests have processes of their own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAYER = Path(__file__).parents[4] / "layers" / "hub" / "python"
BEGIN = "from gitlab_hub.webhooks.deliveries.metrics import WebhookMetrics\nmetrics = WebhookMetrics('webhooks')\n"


def lines(code: str) -> list[dict[str, Any]]:
    """Run the code, and read what it wrote."""
    done = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", BEGIN + code], env={"PYTHONPATH": str(LAYER)}, capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_refusal_is_a_line_with_its_reason_and_counted() -> None:
    line, total = lines("metrics.refused('stale_timestamp')")
    assert (line["message"], line["reason"], line["function"]) == ("webhook refused", "stale_timestamp", "webhooks")
    assert (total["WebhooksRefused"], total["function"]) == ([1.0], "webhooks")


@pytest.mark.parametrize(
    ("call", "metric", "keys"),
    [
        ("ignored('paused', hook_id='hook_a_1')", "WebhooksIgnored", {"reason": "paused", "hook_id": "hook_a_1"}),
        ("unavailable(hook_id=None)", "WebhooksNotQueued", {"hook_id": None}),
        ("gave_up('dlv_a_1')", "WorkGivenUp", {"delivery_id": "dlv_a_1"}),
        ("requeued(3)", "DeliveriesSentAgain", {"count": 3}),
    ],
)
def test_what_else_is_noticed_is_a_line_and_a_metric(call: str, metric: str, keys: dict[str, Any]) -> None:
    line, counted = lines(f"metrics.{call}")
    assert {name: line.get(name) for name in keys} == keys
    assert counted[metric] == [float(keys.get("count", 1))]
