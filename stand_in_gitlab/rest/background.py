"""What GitLab answers first and does later, in jobs of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.state import Company


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done from a moment on."""

    due: float
    work: Callable[[], None]


class BackgroundJobs:
    """Does what is due by the server's clock whenever somebody looks, `deletion_delay` seconds after it was asked."""

    def __init__(self, company: Company, clock: Clock) -> None:
        self._company, self._clock = company, clock
        self._waiting: list[Job] = []

    def later(self, work: Callable[[], None]) -> None:
        """Have something done in a while; with no delay it is done by the next call."""
        self._waiting.append(Job(self._clock.now() + self._company.behaviour.deletion_delay, work))

    def catch_up(self) -> int:
        """Do everything that is due, in the order in which it was asked for; returns how much that was."""
        now = self._clock.now()
        due = [job for job in self._waiting if job.due <= now]
        self._waiting = [job for job in self._waiting if job.due > now]
        for job in due:
            job.work()
        return len(due)
