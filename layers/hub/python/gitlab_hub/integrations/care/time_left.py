"""How long the running function may still go on, for parts that were built before it was called."""

import time
from collections.abc import Callable
from typing import Any


class TimeLeft:
    """Seconds left of the invocation that was seen last; without end before the first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = float("inf")

    def see(self, context: Any) -> None:
        """Learn the end of an invocation from its Lambda context."""
        self._ends = self._clock() + context.get_remaining_time_in_millis() / 1000

    def __call__(self) -> float:
        """The seconds left."""
        return self._ends - self._clock()
