"""What the receiver's function costs to start, and what it may cost to run."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.storage.aws import QUICK
from gitlab_hub.webhooks.receiving.receiver import BUDGET_SECONDS

LAYER = Path(__file__).parents[4] / "layers" / "hub" / "python"
HEAVY = (
    "pydantic",
    "httpx",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "gitlab_hub.composition.settings",
)


ENVIRONMENT = {
    "INTEGRATIONS_TABLE": "integrations",
    "DELIVERIES_TABLE": "deliveries",
    "DELIVERIES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/deliveries.fifo",
    "MASTER_KEY_SECRET": "master",
    "OWNER_TOKEN_SECRET": "owner",
}


def loaded(code: str, names: Iterable[str]) -> str:
    """Which of these modules an interpreter has loaded once it has run this."""
    done = subprocess.run(  # noqa: S603 our own interpreter
        [sys.executable, "-c", f"import sys, {code}; print([name for name in {names!r} if name in sys.modules])"],
        env={"PYTHONPATH": str(LAYER), **ENVIRONMENT},
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


def test_the_receiver_starts_without_what_it_does_not_use() -> None:
    modules = ("receiving.receiver", "deliveries.metrics", "hooks.secrets")
    code = ", ".join(f"gitlab_hub.webhooks.{name}" for name in modules)
    assert loaded(f"{code}, gitlab_hub.web.entry", (*HEAVY, "boto3")) == "[]"


@pytest.mark.parametrize("entry", ["webhooks_api", "authorizer"])
def test_entries_that_somebody_waits_for_are_built_without_it_too(entry: str) -> None:
    # boto3 comes along: no call is answered without it.
    assert (
        loaded(f"gitlab_hub.composition.entries; gitlab_hub.composition.entries.{entry}()", (*HEAVY, "boto3"))
        == "['boto3']"
    )


def test_a_call_that_begins_within_the_budget_ends_within_eight_seconds() -> None:
    quick: Any = QUICK  # botocore names no attributes of its configurations.
    tries = quick.retries["total_max_attempts"]
    longest_pause = 2 ** (tries - 1) - 1  # botocore's standard mode: random, at most 1, 2, 4 … seconds.
    longest = tries * (quick.connect_timeout + quick.read_timeout) + longest_pause
    assert longest <= 4
    assert BUDGET_SECONDS + longest <= 8
