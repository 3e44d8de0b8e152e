"""What is proven: every function answers every one of its events, and the API answers under `start-api`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.problems import Problem
from local.stack import Stack

TOKEN = "ghub_owner_example"  # noqa: S105 - the one in events/  # pragma: allowlist secret
_CRASHED = 500


@dataclass(frozen=True, slots=True)
class Case:
    """One function with one of its events."""

    function: str
    event: Path

    @property
    def name(self) -> str:
        """How the proof calls it."""
        return f"{self.event.parent.name}/{self.event.stem}"


def cases(template: Mapping[str, Any], events: Path) -> Iterator[Case]:
    """Every function of the template with every event there is for it. A folder's name is a function's in small."""
    folders = {f"{folder.name.replace('_', '')}function": folder for folder in events.iterdir() if folder.is_dir()}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            yield from (Case(name, event) for event in sorted(folders[name.lower()].glob("*.json")))


def environment_of(stack: Stack, functions: Sequence[str], endpoint: str) -> dict[str, dict[str, str]]:
    """What `--env-vars` takes: each function's deployed settings, with the emulator where containers see it."""
    client = stack.client("lambda")
    settings = {}
    for function in functions:
        deployed = client.get_function_configuration(FunctionName=stack.resources[function])
        settings[function] = {**deployed["Environment"]["Variables"], "AWS_ENDPOINT_URL": endpoint}
    return settings


def judge(case: Case, output: str, log: str) -> str:
    """Tell in a word what a function answered. Raises Problem where it crashed."""
    lines = [line for line in output.splitlines() if line.strip()]
    try:
        answer = json.loads(lines[-1]) if lines else None
    except ValueError:
        raise Problem(f"{case.name}: no JSON came back: {lines[-1][:200]}") from None
    if not isinstance(answer, dict):
        return "done"
    if "errorMessage" in answer or answer.get("statusCode") == _CRASHED or answer.get("batchItemFailures"):
        raise Problem(f"{case.name}: {lines[-1][:500]}\n{log[-3000:]}")
    if "isAuthorized" in answer:
        return str(answer["context"].get("role", "nobody"))
    return str(answer.get("statusCode", "done"))
