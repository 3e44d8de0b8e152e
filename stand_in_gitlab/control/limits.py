"""GitLab's two rate limiters: the general one with headers, and the one per endpoint without."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from stand_in_gitlab.rest.ask import Answer, reply
from stand_in_gitlab.rest.refusals import TOO_MANY

TOO_OFTEN = {"message": {"error": TOO_MANY}}


@dataclass(slots=True)
class Window:
    """A fixed window and what was counted in it."""

    limit: int
    period: float
    start: float = -inf
    seen: int = 0
    resets_at: int = 0
    """Its end by the server's clock: one moment for all answers, as GitLab computes it from the period alone."""

    def count(self, now: float, server_now: float) -> None:
        """Count one request, in a new window if the old one is over.

        GitLab's windows begin at multiples of their period, these with a request: no test meets an end by chance.
        """
        if now >= self.start + self.period:
            self.start, self.seen = now, 0
            self.resets_at = int(server_now + self.rest(now)) + 1
        self.seen += 1

    def rest(self, now: float) -> float:
        """Seconds until the window ends."""
        return max(0.0, self.start + self.period - now)


class Limits:
    """Counts requests per user; off until configured. Windows are real seconds, also while the clock stands still."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._general: tuple[int, float] | None = None
        self._per_endpoint: list[tuple[re.Pattern[str], int, float]] = []
        self._windows: dict[tuple[str, str], Window] = {}

    def configure(self, general: dict[str, float] | None, endpoints: list[dict[str, str | float]]) -> None:
        """Replace both limiters; every count starts afresh."""
        self._windows.clear()
        self._general = (int(general["limit"]), float(general["period"])) if general else None
        self._per_endpoint = [
            (re.compile(str(each["path"])), int(each["limit"]), float(each["period"])) for each in endpoints
        ]

    def check(self, caller: str, path: str, server_now: float) -> tuple[dict[str, str], Answer | None]:
        """The headers for this request's answer, and the refusal if a limit is exceeded."""
        now = self._monotonic()
        headers: dict[str, str] = {}
        if self._general:
            window = self._window(caller, "general", *self._general)
            window.count(now, server_now)
            headers = _headers(window)
            if window.seen > window.limit:
                return headers, retry_later(window.rest(now), headers)
        for pattern, limit, period in self._per_endpoint:
            if pattern.search(path):
                window = self._window(caller, pattern.pattern, limit, period)
                window.count(now, server_now)
                if window.seen > window.limit:
                    return {}, too_often()
        return headers, None

    def _window(self, caller: str, name: str, limit: int, period: float) -> Window:
        return self._windows.setdefault((caller, name), Window(limit, period))


def _headers(window: Window) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(window.limit),
        "RateLimit-Name": "throttle_authenticated_api",
        "RateLimit-Observed": str(window.seen),
        "RateLimit-Remaining": str(max(0, window.limit - window.seen)),
        "RateLimit-Reset": str(window.resets_at),
    }


def retry_later(seconds: float, headers: dict[str, str] | None = None) -> Answer:
    """The general limiter's refusal."""
    return Answer(429, b"Retry later\n", {**(headers or {}), "Retry-After": str(int(seconds) + 1)}, "text/plain")


def too_often() -> Answer:
    """The endpoint limiter's refusal: nothing says for how long."""
    return reply(TOO_OFTEN, 429)
