"""What GitLab's headers say about its rate limits and its clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

DEFAULT_WAIT = 60
"""Seconds to wait after a 429 without headers: GitLab's application limiter sends none, its windows are minutes."""
_MAX_DIGITS = 15
LONGEST_WAIT = 3600
"""The longest window GitLab has; whoever names a longer one is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFacts:
    """Rate facts of one answer. `retry_after` (seconds) is always set on a 429, and where the answer asks for it."""

    limited: bool = False
    limit: int | None = None
    observed: int | None = None
    remaining: int | None = None
    reset_at: int | None = None
    """Unix seconds, by the server's clock."""
    server_time: datetime | None = None
    retry_after: int | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], status: int = HTTPStatus.OK) -> "RateFacts":
        """Read the facts from headers with lower-case names."""
        limited = status == HTTPStatus.TOO_MANY_REQUESTS
        return cls(
            limited=limited,
            limit=number(headers.get("ratelimit-limit")),
            observed=number(headers.get("ratelimit-observed")),
            remaining=number(headers.get("ratelimit-remaining")),
            reset_at=number(headers.get("ratelimit-reset")),
            server_time=http_date(headers.get("date")),
            retry_after=_retry_after(headers, limited=limited),
        )


def number(text: str | None) -> int | None:
    """Read a header's plain number, or None for anything else."""
    value = (text or "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS else None


def http_date(text: str | None) -> datetime | None:
    """Read a header's date in UTC, or None for anything else."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str], *, limited: bool) -> int | None:
    seconds = _asked(headers)
    if seconds is None and limited:
        seconds = _until_reset(headers)
    if seconds is None:
        return DEFAULT_WAIT if limited else None
    return min(max(seconds, 1), LONGEST_WAIT)


def _asked(headers: Mapping[str, str]) -> int | None:
    text = headers.get("retry-after")
    moment, now = http_date(text), http_date(headers.get("date"))
    if moment is not None and now is not None:
        return int((moment - now).total_seconds())
    return number(text)


def _until_reset(headers: Mapping[str, str]) -> int | None:
    # Both are of the server's clock, so ours may be as wrong as it likes. A window that is over limits nobody, so where
    # one is named beside a refusal it is not what limits.
    reset, now = number(headers.get("ratelimit-reset")), http_date(headers.get("date"))
    left = 0 if reset is None or now is None else reset - int(now.timestamp())
    return left if left > 0 else None
