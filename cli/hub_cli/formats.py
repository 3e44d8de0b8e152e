"""What a column of a table is, and how its values are told: to people in a table, exactly in CSV. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub_cli.answers import Row
from hub_cli.safe_text import cell, visible
from hub_cli.times import iso, relative, spell

UNKNOWN = "\u2013"
"""What stands in a table where nothing is known."""


class Format(StrEnum):
    """How a command tells what it found."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    TIME = "time"
    """Unix seconds."""
    DURATION = "duration"
    """Seconds."""
    NUMBER = "number"
    SHARE = "share"
    """A part of one: 0.8 is 80 %."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and what of a row stands there (by itself the field of the name)."""

    name: str
    of: Callable[[Row], Any] | None = None
    kind: Kind = Kind.TEXT
    is_for_programs: bool = False
    """Whether a table leaves it out, for want of room."""

    @property
    def is_right_aligned(self) -> bool:
        """Whether figures stand in it."""
        return self.kind in {Kind.DURATION, Kind.NUMBER, Kind.SHARE}

    def value(self, row: Row) -> Any:
        """What stands there; None where the hub does not know."""
        return row.get(self.name) if self.of is None else self.of(row)

    def shown(self, row: Row, *, now: float) -> str:
        """The value for a person, on one line."""
        value = self.value(row)
        if value is None or value == "":
            return UNKNOWN
        if isinstance(value, bool):
            return "yes" if value else "no"
        return visible(_SHOWN[self.kind](value, now))

    def exact(self, row: Row) -> str:
        """The value for a spreadsheet."""
        value = self.value(row)
        if self.kind is Kind.TIME and isinstance(value, int | float):
            return iso(value)
        return cell(_joined(value))


def field(*names: str) -> Callable[[Row], Any]:
    """Take a value from inside a row; None where anything on the way there is missing."""

    def of(row: Row) -> Any:
        value: Any = row
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return of


def _joined(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(_joined(one)) for one in value)
    return value


_SHOWN: dict[Kind, Callable[[Any, float], str]] = {
    Kind.TEXT: lambda value, _: str(_joined(value)) or UNKNOWN,
    Kind.TIME: lambda value, now: relative(value, now=now),
    Kind.DURATION: lambda value, _: spell(value),
    Kind.NUMBER: lambda value, _: f"{value:,}",
    Kind.SHARE: lambda value, _: f"{value * 100:.1f} %",
}
