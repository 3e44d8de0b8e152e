"""Time as the stand-in tells it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

DAY = 86_400.0


class Clock:
    """The server's clock: runs with the real one, ahead of it by what was advanced, or stands still."""

    def __init__(
        self, epoch: float | None = None, *, frozen: bool = False, real: Callable[[], float] = time.time
    ) -> None:
        self._real = real
        self.epoch = real() if epoch is None else epoch
        self._offset = self.epoch - real()
        self._still: float | None = self.epoch if frozen else None

    @property
    def frozen(self) -> bool:
        """Whether only `advance` moves the time."""
        return self._still is not None

    def now(self) -> float:
        """Seconds since 1970, as this server sees it."""
        return self._real() + self._offset if self._still is None else self._still

    def advance(self, seconds: float) -> None:
        """Move the time forward at once."""
        if self._still is None:
            self._offset += seconds
        else:
            self._still += seconds

    def freeze(self, *, frozen: bool) -> None:
        """Stop the clock, or let it run on from where it stands."""
        now = self.now()
        self._still = now if frozen else None
        self._offset = now - self._real()


@lru_cache(maxsize=50_000)
def iso(moment: float) -> str:
    """GitLab's ISO form, truncated to milliseconds although the database knows microseconds."""
    whole, millis = divmod(int(moment * 1000 + 5e-4), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{millis:03d}Z"


def iso_or_none(moment: float | None) -> str | None:
    """Like `iso`, for what may not have happened yet."""
    return None if moment is None else iso(moment)


def day(moment: float) -> str:
    """The calendar day in UTC, as in `expires_at` and `last_activity_on`."""
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def http_date(moment: float) -> str:
    """The form of the `Date` header."""
    return formatdate(moment, usegmt=True)


def parse(text: str) -> float:
    """Read an ISO time from a query parameter; ValueError if it is none."""
    moment = datetime.fromisoformat(text.replace(" ", "+"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
