"""What the figures were taken on."""

import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

_BUSY = 0.5
"""Load per core from which others take part of the machine."""


def facts() -> Iterator[str]:
    """One line per fact; nothing that tells whose machine it is."""
    yield f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield f"Python {platform.python_version()} ({sys.implementation.name})"
    yield ", ".join(f"{name} {version(name)}" for name in ("httpx", "httpcore", "pydantic", "boto3"))
    load = os.getloadavg()[0]
    warning = "; the machine was busy: compare within this run only" if load > _BUSY * (os.cpu_count() or 1) else ""
    yield f"Load when it began: {load:.1f}{warning}"
