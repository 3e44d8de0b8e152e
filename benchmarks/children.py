"""Child processes: what is measured, and the stand-ins it is measured against."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATIENCE = 10.0


class ChildFailed(Exception):
    """A child process ended with an error; its own words stand above."""


def environment(**extra: str) -> dict[str, str]:
    """What a child knows: the code, and nothing of the person's own AWS account."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/hub/python")]),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",  # pragma: allowlist secret
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **extra,
    }


def answer_of(module: str, *arguments: str, given: str = "", **extra: str) -> Any:
    """Run a module to its end; the JSON it prints."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603 - our own modules
        command, cwd=ROOT, env=environment(**extra), input=given, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise ChildFailed(module)
    return json.loads(done.stdout)


class Dynamo:
    """The running stand-in DynamoDB."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    @classmethod
    def named(cls) -> "Dynamo":
        """The one that this process was told to ask for AWS."""
        return cls(int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]))

    def bills(self) -> Mapping[str, Mapping[str, int]]:
        """What every table was asked for so far."""
        return self._ask("GET", "/")

    def take(self, milliseconds: float) -> None:
        """Let every operation take so long."""
        self._ask("PUT", f"/{milliseconds}")

    def _ask(self, method: str, path: str) -> Mapping[str, Mapping[str, int]]:
        request = urllib.request.Request(self.endpoint + path, method=method)  # noqa: S310 - http on loopback
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - http on loopback
            bills: dict[str, dict[str, int]] = json.load(answer)
        return bills


@contextmanager
def dynamo() -> Iterator[Dynamo]:
    """Run the stand-in DynamoDB until the block ends."""
    command = [sys.executable, "-m", "benchmarks.dynamo"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=pipe, text=True) as process:  # noqa: S603 - our own module
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("READY "):
                raise ChildFailed("benchmarks.dynamo")
            yield Dynamo(int(line.split()[1]))
        finally:
            process.terminate()
            process.wait(PATIENCE)
