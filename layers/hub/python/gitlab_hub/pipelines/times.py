"""GitLab's ISO times as numbers: milliseconds, as exact as its answers are, and seconds, which is what ours give."""

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


def millis(value: Any) -> int | None:
    """Unix milliseconds of an ISO time; None where there is none or it is not one."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Integer arithmetic: a float would round a seek position up, past rows that share its millisecond.
    return (moment - _EPOCH) // _MILLISECOND


def seconds(value: Any) -> int | None:
    """Unix seconds of an ISO time; None where there is none."""
    moment = millis(value)
    return None if moment is None else moment // 1000


def from_datetime(moment: datetime) -> int:
    """Unix milliseconds of an aware time."""
    return (moment - _EPOCH) // _MILLISECOND


def iso(moment: int) -> str:
    """The ISO text that GitLab's filters take, exact to the millisecond."""
    return (_EPOCH + moment * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
