"""Trying again: bounded, with full jitter, and with the sleeping given by the caller."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gitlab_hub.storage.ports import StorageUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often to try, and how long to wait in between."""

    tries: int = 8
    first: float = 0.05
    longest: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def until_done(self, attempt: Callable[[], T | None]) -> T:
        """Call `attempt` until it gives something. Raises StorageUnavailable when all tries were used up."""
        for number in range(self.tries):
            if number:
                self.sleep(self.random() * min(self.longest, self.first * 2**number))
            result = attempt()
            if result is not None:
                return result
        raise StorageUnavailable("The table is too busy; try again in a moment.", retry_after=5)
