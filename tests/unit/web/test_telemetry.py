"""Logging is set up for a whole process, so each of these tests has a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LAYER = Path(__file__).parents[3] / "layers" / "hub" / "python"

AS_IN_LAMBDA = """
import logging, sys
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))  # as Lambda does
from gitlab_hub.web.telemetry import LambdaTelemetry, count
telemetry = LambdaTelemetry()
telemetry.begin()
telemetry.begin()
"""


def lines(code: str) -> list[dict[str, Any]]:
    """Run the code as a function would, and read what it wrote."""
    done = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", AS_IN_LAMBDA + code], env={"PYTHONPATH": str(LAYER)}, capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lines_of_all_modules_are_structured_and_redacted_once() -> None:
    [line] = lines("logging.getLogger('gitlab_hub.sync').warning('glpat-canary', extra={'integration_id': 'i1'})")
    assert line["message"] == "glpat-[redacted]"
    assert (line["level"], line["integration_id"], line["service"]) == ("WARNING", "i1", "gitlab_hub")


def test_lines_of_other_packages_are_redacted_too() -> None:
    [line] = lines("logging.getLogger('somebody').error('Bearer canary')")
    assert line["message"] == "Bearer [redacted]"


def test_talkative_packages_are_kept_quiet() -> None:
    assert (
        lines("logging.getLogger().setLevel('DEBUG'); logging.getLogger('httpx').info('GET /?private_token=x')") == []
    )


def test_a_failure_is_a_line_and_a_metric() -> None:
    line, metric = lines(
        "try:\n    raise ValueError('private_token=canary')\n"
        "except ValueError:\n    telemetry.failure('FailedTicks', 'sync_accounts', message_id='m1')"
    )
    assert (line["level"], line["function"], line["message_id"]) == ("ERROR", "sync_accounts", "m1")
    assert "canary" not in json.dumps(line)
    assert metric["FailedTicks"] == [1.0]
    assert metric["function"] == "sync_accounts"
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "gitlab-hub"
