"""Telemetry that a test can look at."""

import sys
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class MemoryTelemetry:
    """Keeps what the entries report."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    failures: list[tuple[str, BaseException | None, dict[str, Any]]] = field(default_factory=list)
    waits: list[tuple[str, int]] = field(default_factory=list)

    def begin(self) -> None:
        """Do nothing."""

    def done(self, function: str, **keys: Any) -> None:
        """Keep the line."""
        self.lines.append({"function": function, **keys})

    def failure(self, metric: str, function: str, **keys: Any) -> None:
        """Keep the exception that is being handled."""
        self.failures.append((metric, sys.exc_info()[1], {"function": function, **keys}))

    def late(self, function: str, seconds: int) -> None:
        """Keep how long work has waited."""
        self.waits.append((function, seconds))
