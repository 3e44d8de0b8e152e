"""The days that a page is about: the last so many, or from one day to another; they stand in its address. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gitlab_hub.console.forms import number

CHOICES = (7, 30, 90)
USUAL = 30
MOST = 400
"""Days that the API tells figures of at once."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """From one day to another, both included (UTC); `chosen` where it is the last so many days up to today."""

    first: date
    last: date
    chosen: int | None = None

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def query(self) -> dict[str, str]:
        """What stands in an address for it: a shared "last 30 days" is the last 30 days of whoever opens it."""
        if self.chosen is not None:
            return {"days": str(self.chosen)}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def pinned(self) -> dict[str, str]:
        """The same in an address that means these very days tomorrow, too: a cursor belongs to the list of them."""
        return {**self.query, "to": self.last.isoformat()}

    @property
    def bounds(self) -> dict[str, str]:
        """What the API is asked for."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def seconds(self) -> tuple[int, int]:
        """Its first and its last second, in unix seconds."""
        first, behind = _midnight(self.first), _midnight(self.last + timedelta(days=1))
        return first, behind - 1

    def before(self) -> "DayRange | None":
        """As many days right before it; None where the calendar ends."""
        try:
            return DayRange(self.first - timedelta(days=self.days), self.first - timedelta(days=1))
        except OverflowError:
            return None


def range_of(query: Mapping[str, str], now: float) -> DayRange:
    """Read the range out of an address; what is no day, or no range, is the usual one. `days` may end `to` a day."""
    today = datetime.fromtimestamp(now, UTC).date()
    first, last = _day(query.get("from", "")), _day(query.get("to", "")) or today
    if first is not None and timedelta(0) <= last - first < timedelta(days=MOST):
        return DayRange(first, last)
    chosen = number(query.get("days", ""), most=MOST)
    is_pinned = first is None and chosen and timedelta(0) <= today - last < timedelta(days=MOST)
    last, chosen = last if is_pinned else today, chosen or USUAL
    return DayRange(last - timedelta(days=chosen - 1), last, chosen)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(1970, 1, 1) <= found < date(2200, 1, 1) else None


def _midnight(day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp())
