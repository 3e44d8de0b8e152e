"""Fields of a hook's body by their type: what is missing or of another type is None, whatever was sent instead."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_MAX_ID = 2**63 - 1
_ZONES = {" UTC": "+00:00", "Z": "+00:00"}

Object = Mapping[str, Any]


def objects(value: Any) -> Sequence[Object]:
    """The objects of a list; anything else is no row."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def part(body: Object, name: str) -> Object:
    """An object within a body; an empty one where there is none."""
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def text(body: Object, *names: str) -> str | None:
    """The first of these fields that is a text with something in it."""
    return next((found for name in names if (found := _text(body.get(name)))), None)


def number(body: Object, *names: str) -> int | None:
    """The first of these fields that can be an id of GitLab's: a positive integer of 63 bits."""
    return next((found for name in names if (found := _number(body.get(name))) is not None), None)


def texts(value: Any) -> Iterator[str]:
    """The texts of a list."""
    if isinstance(value, list):
        yield from (found for one in value if (found := _text(one)))


def moment(body: Object, *names: str) -> int | None:
    """Unix seconds of the first of these fields that is a time in one of GitLab's spellings.

    `2016-08-12 15:26:12 UTC`, `2021-04-28 21:50:00 +0200`, and ISO 8601.
    """
    return next((found for name in names if (found := _moment(body.get(name))) is not None), None)


def _text(value: Any) -> str | None:
    # JSON can carry halves of surrogate pairs. They have no UTF-8, so no table and no queue would take them.
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_ID else None


def _moment(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    for zone, offset in _ZONES.items():
        if value.endswith(zone):
            value = value.removesuffix(zone) + offset
    try:
        found = datetime.fromisoformat(value.replace(" +", "+").replace(" -", "-"))
        seconds = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except ValueError:
        return None
    return seconds if seconds > 0 else None
