"""Times: as the API tells them (unix seconds), as people read them, and as they type them."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub_cli.problems import WrongUsage

MINUTE, HOUR, DAY = 60, 3600, 86_400
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"([1-9]\d{0,5})([mhdw])")
_STEPS = ((2 * 365 * DAY, 365 * DAY, "years"), (120 * DAY, 30 * DAY, "months"), (2 * DAY, DAY, "days"),
          (2 * HOUR, HOUR, "hours"), (2 * MINUTE, MINUTE, "minutes"), (5, 1, "seconds"))  # fmt: skip
_IS_TIME = re.compile(r"(?:.*_)?(?:at|since|until)|deleted_at_source|from|to")
_EARLIEST = 10**8
"""A smaller number in a field that is called like a time is none: 1973 was before GitLab."""


def iso(moment: float) -> str:
    """A moment as ISO 8601, UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def relative(moment: float, *, now: float) -> str:
    """A moment as people tell it: `3 days ago`, `in 2 hours`."""
    distance = abs(moment - now)
    count, unit = next(((int(distance / size), unit) for least, size, unit in _STEPS if distance >= least), (0, ""))
    if not count:
        return "now"
    return f"{count} {unit} ago" if moment <= now else f"in {count} {unit}"


def spell(seconds: float) -> str:
    """A duration: `39 ms`, `8.4 s`, `3 min 20 s`, `2 h 5 min`."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004
    large, small, names = (HOUR, MINUTE, ("h", "min")) if seconds >= HOUR else (MINUTE, 1, ("min", "s"))
    count, rest = divmod(int(seconds), large)
    return f"{count} {names[0]} {rest // small} {names[1]}" if rest // small else f"{count} {names[0]}"


def duration(text: str) -> int:
    """Read `30m`, `12h`, `7d` or `2w`: seconds. Raises WrongUsage."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise WrongUsage(f"“{text}” is no duration.", hint="Write 30m, 12h, 7d or 2w.")
    return int(found[1]) * _UNITS[found[2]]


def days(text: str | None) -> int | None:
    """Read a whole number of days, as `30d` or `2w`; None of None. Raises WrongUsage."""
    if text is None:
        return None
    count, rest = divmod(duration(text), DAY)
    if rest:
        raise WrongUsage(f"“{text}” is not a number of days.", hint="Write 30d or 2w.")
    return count


def moment_before(text: str, *, now: float) -> int:
    """Read how far back (`7d`) or since when (`2026-11-30`, perhaps with a time): unix seconds. Raises WrongUsage."""
    if _DURATION.fullmatch(text.strip()):
        return int(now) - duration(text)
    return _moment(text, "7d")


def moment_after(text: str, *, now: float) -> int:
    """Read for how long (`2h`) or until when: unix seconds. Raises WrongUsage."""
    if _DURATION.fullmatch(text.strip()):
        return int(now) + duration(text)
    return _moment(text, "2h")


def with_iso_times(value: Any) -> Any:
    """The same answer of the API with its times in ISO 8601: what is a whole number and called like a time."""
    if isinstance(value, Mapping):
        return {name: _iso_if_time(str(name), one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_iso_times(one) for one in value]
    return value


def _iso_if_time(name: str, value: Any) -> Any:
    is_time = isinstance(value, int) and value >= _EARLIEST and _IS_TIME.fullmatch(name)
    return iso(value) if is_time else with_iso_times(value)


def _moment(text: str, example: str) -> int:
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        hint = f"Write a duration such as {example}, or a date such as 2026-11-30 or 2026-11-30T12:00:00Z (UTC)."
        raise WrongUsage(f"“{text}” is no time.", hint=hint) from None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())
