"""How long a cold start of every function takes on this machine, with and without compiled layers."""

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import ROOT, ChildFailed, environment
from benchmarks.layers import lay_out

STARTING = Path(__file__).with_name("starting.py")
_ENTRY = re.compile(r"entries\.(\w+)\((.*)\)\(event")
_QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/"

ENVIRONMENT = {
    "INTEGRATIONS_TABLE": "integrations",
    "ACCESS_TABLE": "access",
    "PIPELINES_TABLE": "pipelines",
    "DELIVERIES_TABLE": "deliveries",
    "SYNC_ACCOUNTS_QUEUE_URL": f"{_QUEUE}accounts",
    "SYNC_PIPELINES_QUEUE_URL": f"{_QUEUE}pipelines",
    "DELIVERIES_QUEUE_URL": f"{_QUEUE}deliveries.fifo",
    "BUILDS_QUEUE_URL": f"{_QUEUE}builds.fifo",
    "PROVISIONER_FUNCTION": "provisioner",
    "EXPORTER_FUNCTION": "exporter",
    "DEAD_LETTERS_QUEUE_URLS": ",".join(f"{_QUEUE}dead-{number}" for number in range(4)),
    "BUILDS_BUS": "builds",
    "EXPORTS_BUCKET": "exports",
    "PUBLIC_URL": "https://hub.example.com",
    "SECRET_PREFIX": "gitlab-hub/benchmark/",  # pragma: allowlist secret
    "MASTER_KEY_SECRET": "master",  # pragma: allowlist secret
    "OWNER_TOKEN_SECRET": "owner",  # pragma: allowlist secret
    "POWERTOOLS_SERVICE_NAME": "gitlab-hub",
    "POWERTOOLS_METRICS_NAMESPACE": "gitlab-hub",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The cold start of one function, in milliseconds; medians."""

    function: str
    plain: float
    compiled: float
    build: float
    modules: int


def starts(tries: int) -> Iterator[Start]:
    """Measure every function."""
    with TemporaryDirectory() as plain_home, TemporaryDirectory() as compiled_home:
        plain = lay_out(Path(plain_home), precompiled=False)
        compiled = lay_out(Path(compiled_home), precompiled=True)
        for app in sorted((ROOT / "functions").glob("*/app.py")):
            slow = [_start(app, plain) for _ in range(tries)]
            fast = [_start(app, compiled) for _ in range(tries)]
            yield Start(
                function=app.parent.name,
                plain=_median(slow, "import", "build"),
                compiled=_median(fast, "import", "build"),
                build=_median(fast, "build"),
                modules=int(fast[0]["modules"]),
            )


def entry_of(app: Path) -> list[str]:
    """The function of `composition.entries` that an app.py calls, and the folder that it gives it, if it does."""
    found = _ENTRY.search(app.read_text())
    if found is None:
        raise ChildFailed(app.parent.name)
    return [found[1], str(app.parent)] if found[2] else [found[1]]


def _start(app: Path, search: Sequence[Path]) -> dict[str, float]:
    # Layers cannot be written to in Lambda, so what is not compiled there never will be.
    env = environment(PYTHONPATH=os.pathsep.join(map(str, search)), PYTHONDONTWRITEBYTECODE="1", **ENVIRONMENT)
    command = [sys.executable, "-S", str(STARTING), str(app.parent), *entry_of(app)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own file
    if done.returncode != 0:
        raise ChildFailed(app.parent.name)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _median(samples: Sequence[dict[str, float]], *names: str) -> float:
    return 1000 * statistics.median(sum(sample[name] for name in names) for sample in samples)
