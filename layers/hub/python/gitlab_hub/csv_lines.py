"""Lines of CSV by RFC 4180, in which no cell is taken for a formula. Pure."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell that spreadsheets calculate begins with, full-width signs too (OWASP, "CSV Injection")."""


def cell(value: Any) -> str:
    """Spell a value; what is unknown is empty, and a text that would be a formula gets an apostrophe in front."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def time(moment: int | None) -> str | None:
    """A time as spreadsheets and people read it: ISO 8601, UTC."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def csv_line(values: Iterable[Any]) -> str:
    """Write one line."""
    return cells_line([cell(value) for value in values])


def cells_line(cells: Iterable[str]) -> str:
    """Write one line of cells that are spelled already."""
    written = StringIO(newline="")
    csv.writer(written).writerow(cells)
    return written.getvalue()
