"""Moments as people say them: how long ago, and exactly. Pure."""

from datetime import UTC, date, datetime, timedelta

_STEPS = ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h"), (60 * 86_400, 86_400, "day"))
_MONTH, _YEAR = 30 * 86_400, 365 * 86_400
_JUST = 5


def relative(moment: float, now: float) -> str:
    """Say how far away a moment is: "3 min ago", "in 2 days", "just now"."""
    seconds = abs(int(moment - now))
    if seconds < _JUST:
        return "just now"
    length = _length(seconds)
    return f"in {length}" if moment > now else f"{length} ago"


def exact(moment: float) -> str:
    """Say exactly when: "2026-11-30 21:30:05 UTC"."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine(moment: float) -> str:
    """The moment as HTML's `datetime` wants it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(moment: float) -> str:
    """The day alone, in UTC: "2026-11-30"."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def end_of(text: str) -> int | str:
    """The end of a day (UTC) in unix seconds, for the API; what is no day stays as it is, and the API says so."""
    try:
        end = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        return text
    return int(end.timestamp())


def duration(seconds: float) -> str:
    """Say how long something took: "0.4 s", "12 s", "3 min 5 s", "13 days 7 h"."""
    if seconds < 10:  # noqa: PLR2004 - below that the tenths count
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:  # noqa: PLR2004 - two days
        days, hours = divmod(hours, 24)
        return f"{days} days {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _length(seconds: int) -> str:
    for below, unit, name in _STEPS:
        if seconds < below:
            return _counted(seconds // unit, name)
    return _counted(seconds // _MONTH, "month") if seconds < 2 * _YEAR else _counted(seconds // _YEAR, "year")


def _counted(number: int, name: str) -> str:
    plural = "s" if number != 1 and name not in {"s", "min", "h"} else ""
    return f"{number} {name}{plural}"
