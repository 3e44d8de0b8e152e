"""A stretch of time that several tries share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gitlab_hub.gitlab.errors import HostUnreachable


class Deadline:
    """Seconds left for a call; only what happens inside `running` uses them up, or what is spent by hand.

    Timeouts of sockets are per read, so a server that drips one byte now and then would never meet one.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.left = seconds
        self._clock = clock

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End what is inside when the time is up."""
        begun = self._clock()
        try:
            async with asyncio.timeout(max(self.left, 0)):
                yield
        except TimeoutError:
            raise HostUnreachable("GitLab did not answer completely in time.") from None
        finally:
            self.left -= self._clock() - begun

    def spend(self, seconds: float) -> None:
        """Count time that passes outside."""
        self.left -= seconds
