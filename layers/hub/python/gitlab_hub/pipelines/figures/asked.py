"""What somebody asks figures for: which days, of which projects."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gitlab_hub.gitlab.fields import day_of, millis
from gitlab_hub.pipelines.figures.facts import RefClass
from gitlab_hub.web.errors import unfit

DEFAULT_DAYS = 30
MOST_DAYS = 400
DAY_SECONDS = 86_400
_LATEST = 9_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which figures; both days are included."""

    integration_id: str
    first: str
    last: str
    project_id: int | None = None
    group_id: int | None = None
    ref_class: RefClass | None = None
    group_by: str | None = None

    @property
    def days(self) -> list[str]:
        """All days of the range."""
        start, count = date.fromisoformat(self.first), self.count
        return [(start + timedelta(days=number)).isoformat() for number in range(count)]

    @property
    def count(self) -> int:
        """How many days the range has."""
        return (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1

    @property
    def begins_at(self) -> int:
        """The first second of the range, in unix seconds."""
        return _midnight(self.first)

    @property
    def ends_at(self) -> int:
        """The first second behind the range, in unix seconds."""
        return _midnight(self.last) + DAY_SECONDS


def range_of(since: str | None, until: str | None, now: float) -> tuple[str, str]:
    """The first and the last day (UTC) of what was asked for: whole days, the last 30 where nothing is said.

    Both are unix seconds, times or days in ISO 8601. A moment as `until` is where the range ends, a day is its last
    one. Raises Unprocessable.
    """
    last = day_of(int(now)) if until is None else _last(until)
    earliest = date.fromisoformat(last) - timedelta(days=DEFAULT_DAYS - 1)
    first = earliest.isoformat() if since is None else _day("query.from", since, lambda moment: moment)
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    if days < 1:
        raise unfit("query.from", "query.from lies behind query.to; give an earlier one.")
    if days > MOST_DAYS:
        raise unfit("query.from", f"Ask for at most {MOST_DAYS} days at a time.")
    return first, last


def _last(until: str) -> str:
    return _day("query.to", until, lambda moment: moment - 1)


def _day(field: str, given: str, moment_of: Callable[[int], int]) -> str:
    if given.isascii() and given.isdigit() and int(given) <= _LATEST:
        return day_of(max(0, moment_of(int(given))))
    try:
        return _day_of_time(given, moment_of) if "T" in given else _bounded(date.fromisoformat(given).isoformat())
    except ValueError:
        raise unfit(
            field, f"{field} is unix seconds, or a day or a time like 2026-11-30 or 2026-11-30T12:00:00Z."
        ) from None


def _bounded(day: str) -> str:
    if not 0 <= _midnight(day) <= _LATEST:
        raise ValueError(day)
    return day


def _day_of_time(given: str, moment_of: Callable[[int], int]) -> str:
    moment = millis(given.replace(" ", "+"))
    if moment is None or not 0 <= moment // 1000 <= _LATEST:
        raise ValueError(given)
    return day_of(max(0, moment_of(moment // 1000)))


def _midnight(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp())
