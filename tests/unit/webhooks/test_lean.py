"""What the receiver's function costs to start, and what it may cost to run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from gitlab_hub.storage.aws import QUICK
from gitlab_hub.webhooks.receiver import BUDGET_SECONDS

LAYER = Path(__file__).parents[3] / "layers" / "hub" / "python"
HEAVY = ("pydantic", "httpx", "boto3", "aws_lambda_powertools.event_handler")


def test_the_receiver_starts_without_what_it_does_not_use() -> None:
    code = (
        "import sys, gitlab_hub.webhooks.front, gitlab_hub.webhooks.receive_feature, gitlab_hub.web.entry;"
        "import gitlab_hub.webhooks.notices, gitlab_hub.webhooks.secrets;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", code], env={"PYTHONPATH": str(LAYER)}, capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_a_call_that_begins_within_the_budget_ends_within_eight_seconds() -> None:
    quick: Any = QUICK  # botocore names no attributes of its configurations.
    tries = quick.retries["total_max_attempts"]
    longest_pause = 2 ** (tries - 1) - 1  # botocore's standard mode: random, at most 1, 2, 4 … seconds.
    longest = tries * (quick.connect_timeout + quick.read_timeout) + longest_pause
    assert longest <= 4
    assert BUDGET_SECONDS + longest <= 8
