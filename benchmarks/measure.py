"""What a process has used so far, as its operating system counts."""

import math
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

_MIB = 1024 * 1024
# Linux counts in KiB, macOS in bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Time and memory of this process up to a moment."""

    wall: float
    cpu: float
    peak_mib: float

    @classmethod
    def now(cls) -> "Usage":
        """Read the counters."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.perf_counter(), used.ru_utime + used.ru_stime, used.ru_maxrss * _UNIT / _MIB)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The sample that so many of a hundred are not above."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
