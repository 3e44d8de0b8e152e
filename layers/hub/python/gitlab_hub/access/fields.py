"""Reading single fields of GitLab's rows: the right type, storable, or told to be missing."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from gitlab_hub.access.model import ID_DIGITS
from gitlab_hub.gitlab.errors import UnexpectedResponse

GitLabRow = Mapping[str, Any]

MAX_TEXT = 1_000
"""GitLab's own limits are lower (255 for names and paths); this one keeps a row small whatever a server sends."""

MAX_PARTS = 1_000
"""Shares or identities of one row."""


def whole(row: GitLabRow, name: str) -> int:
    """Read a number that a row cannot be without. Raises UnexpectedResponse: the page counts as not read."""
    value = number(row.get(name))
    if value is None:
        raise _unusable(name)
    return value


def required(row: GitLabRow, name: str) -> str:
    """Read a text that a row cannot be without. Raises UnexpectedResponse."""
    value = text(row.get(name))
    if not value:
        raise _unusable(name)
    return value


def number(value: object) -> int | None:
    """Read an id or a level; anything else is unknown."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**ID_DIGITS:
        return None
    return value


def text(value: object) -> str | None:
    """Read a text, shortened where absurd and without halves of characters, which no store takes."""
    return value[:MAX_TEXT].encode("utf-8", "replace").decode() if isinstance(value, str) else None


def mapping(value: object) -> GitLabRow:
    """Read an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def part(row: GitLabRow, name: str) -> GitLabRow:
    """Read an object inside a row; one that is missing or null is empty."""
    return mapping(row.get(name))


def parts(row: GitLabRow, name: str) -> list[GitLabRow]:
    """Read a list of objects inside a row. Raises UnexpectedResponse where it would outgrow an item."""
    found = row.get(name) or []
    if not isinstance(found, list) or len(found) > MAX_PARTS or not all(isinstance(one, dict) for one in found):
        raise _unusable(name)
    return found


def flag(value: object) -> bool | None:
    """Read a yes or no."""
    return value if isinstance(value, bool) else None


def moment(value: object) -> int | None:
    """Read a time as unix seconds; what is no time is unknown, not a failure of the whole page."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def day(value: object) -> str | None:
    """Read a date, which stays a text: a day has no second."""
    found = _date(value)
    return found.isoformat() if found else None


def midnight(value: object) -> int | None:
    """Read the day an access ends: GitLab counts it as over from the first second (UTC) of that day."""
    found = _date(value)
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()) if found else None


def _date(value: object) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _unusable(name: str) -> UnexpectedResponse:
    return UnexpectedResponse(f"GitLab sent a row without a usable {name}; nothing of its page was taken.")
