"""Reading single fields of what GitLab sends: the right type, storable, or told to be missing.

Nobody can count on a type: releases differ, and a server may send anything. What reads a value (`text`, `number`, …) or
the first of some fields (`first_text`, …) is lenient, and gives None for whatever else was sent. What is called
`strict_…` raises UnexpectedResponse: the row cannot be without the field, so the whole page counts as not read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from gitlab_hub.gitlab.errors import UnexpectedResponse

GitLabRow = Mapping[str, Any]
T = TypeVar("T")

LARGEST_ID = 2**63 - 1
"""GitLab's ids are `bigint` (its db/structure.sql)."""

ID_DIGITS = 12
MAX_ID: int = 10**ID_DIGITS - 1
"""The largest id of GitLab's that a sort key holds."""

MAX_TEXT = 1_000
"""GitLab's own limits are lower (255 for names and paths); this one keeps a row small whatever a server sends."""

MAX_ROWS = 1_000
"""Shares or identities of one row."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


# Values.


def text(value: Any, most: int | None = MAX_TEXT) -> str | None:
    """Read a text, shortened where absurd (None = never) and storable.

    JSON can carry halves of surrogate pairs. They have no UTF-8, so no table and no queue would take them.
    """
    return value[:most].encode("utf-8", "replace").decode() if isinstance(value, str) else None


def number(value: Any, *, least: int = 0, most: int | None = MAX_ID) -> int | None:
    """Read an id or a level. In Python a bool is an int, in JSON it is not."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and value >= least and (most is None or value <= most) else None


def padded(number: int) -> str:
    """An id of GitLab's as text that sorts like the number."""
    return f"{number:0{ID_DIGITS}d}"


def flag(value: Any) -> bool | None:
    """Read a yes or no."""
    return value if isinstance(value, bool) else None


def mapping(value: Any) -> GitLabRow:
    """Read an object; anything else is an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows_in(value: Any) -> Sequence[GitLabRow]:
    """The objects of a list; anything else is no row."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def texts_in(value: Any) -> Iterator[str]:
    """The texts of a list that have something in them."""
    if isinstance(value, list):
        yield from (found for one in value if (found := text(one, None)))


def millis(value: Any) -> int | None:
    """Read a time as unix milliseconds, as exact as GitLab's answers are.

    ISO 8601, and as webhooks spell it: `2016-08-12 15:26:12 UTC`, `2021-04-28 21:50:00 +0200`.
    """
    if not isinstance(value, str):
        return None
    if value.endswith(" UTC"):
        value = value.removesuffix(" UTC") + "+00:00"
    try:
        moment = datetime.fromisoformat(value.replace(" +", "+").replace(" -", "-"))
    except ValueError:
        return None
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def seconds(value: Any) -> int | None:
    """Read a time as unix seconds; what is no time is unknown, not a failure of the whole page."""
    moment = millis(value)
    return None if moment is None else moment // 1000


def day(value: Any) -> str | None:
    """Read a date, which stays a text: a day has no second."""
    found = _date(value)
    return found.isoformat() if found else None


def midnight(value: Any) -> int | None:
    """Read the last day of an access or a token: GitLab ends it with the first second (UTC) of that day."""
    found = _date(value)
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()) if found else None


def _date(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


# Fields of a row.


def part(row: GitLabRow, name: str) -> GitLabRow:
    """Read an object inside a row; one that is missing or null is empty."""
    return mapping(row.get(name))


def first_text(row: GitLabRow, *names: str) -> str | None:
    """The first of these fields that is a text with something in it, whatever its length."""
    return _first(row, names, lambda value: text(value, None) or None)


def first_id(row: GitLabRow, *names: str) -> int | None:
    """The first of these fields that can be an id of GitLab's."""
    return _first(row, names, lambda value: number(value, least=1, most=LARGEST_ID))


def first_moment(row: GitLabRow, *names: str) -> int | None:
    """Unix seconds of the first of these fields that is a time."""
    return _first(row, names, lambda value: number(seconds(value), least=1))


def strict_number(row: GitLabRow, name: str) -> int:
    """Read an id or a level. Raises UnexpectedResponse."""
    value = number(row.get(name))
    if value is None:
        raise _unusable(name)
    return value


def strict_text(row: GitLabRow, name: str) -> str:
    """Read a text with something in it. Raises UnexpectedResponse."""
    value = text(row.get(name))
    if not value:
        raise _unusable(name)
    return value


def strict_rows(row: GitLabRow, name: str) -> list[GitLabRow]:
    """Read a list of objects; none is an empty one. Raises UnexpectedResponse where it would outgrow an item."""
    found = row.get(name) or []
    if not isinstance(found, list) or len(found) > MAX_ROWS or not all(isinstance(one, dict) for one in found):
        raise _unusable(name)
    return found


def ci_is_off(project: GitLabRow) -> bool:
    """Whether nobody can read jobs in a project, whatever their role: a 403 there says nothing about the token.

    GitLab's app/policies/project_policy.rb: with builds disabled nobody reads jobs, without a repository nobody reads
    pipelines either; lib/api/ci/pipelines.rb wants both for the list of pipelines. `jobs_enabled` counts only where a
    release has nothing better: it says whether *this* user has the feature, so it is false for an outsider too where
    `builds_access_level` is private (lib/api/entities/project.rb).
    """
    if project.get("repository_access_level") == "disabled":
        return True
    level = project.get("builds_access_level")
    return level == "disabled" if isinstance(level, str) else project.get("jobs_enabled") is False


def is_below(path: str, group: str) -> bool:
    """Whether a full path lies under a group's. GitLab's paths do not differ by case (app/models/route.rb)."""
    return path.lower().startswith(f"{group.lower()}/")


def is_within(path: str, group: str) -> bool:
    """Whether a full path is a group's own, or lies under it."""
    return is_below(f"{path}/", group)


def _first(row: GitLabRow, names: Sequence[str], read: Callable[[Any], T | None]) -> T | None:
    return next((found for name in names if (found := read(row.get(name))) is not None), None)


def _unusable(name: str) -> UnexpectedResponse:
    return UnexpectedResponse(f"GitLab sent a row without a usable {name}; nothing of its page was taken.")


# Times as GitLab's filters take them.


def from_datetime(moment: datetime) -> int:
    """Unix milliseconds of an aware time."""
    # Integer arithmetic: a float would round a seek position up, past rows that share its millisecond.
    return (moment - _EPOCH) // _MILLISECOND


def day_of(moment: int) -> str:
    """The day (UTC) of unix seconds, as GitLab writes days: "2026-11-30"."""
    return (_EPOCH + timedelta(seconds=moment)).date().isoformat()


def iso(moment: int) -> str:
    """The ISO text of unix milliseconds, exact to the millisecond."""
    return (_EPOCH + moment * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
