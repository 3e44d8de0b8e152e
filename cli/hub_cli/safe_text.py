"""Texts that others have chosen, made safe to show: names in GitLab may hold anything.

A terminal obeys control characters (ECMA-48), so a name could clear the screen or write over what stands above it.
Marks of direction (Unicode Standard Annex #9) let a name read as another one. None of them has a place in a name.
"""

import re
from typing import Any

UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_UNSAFE_IN_JSON = re.compile(UNSAFE.pattern.replace(r"\x00-\x1f", ""))
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell that spreadsheets calculate begins with, full-width signs too (OWASP, "CSV Injection")."""


def visible(text: str) -> str:
    r"""Spell out what a terminal would obey, as Python would: `\x1b`, `\u202e`; line breaks and tabs are spaces."""
    return UNSAFE.sub(_spelled, text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(visible(line) for line in text.split("\n"))


def escaped_json(text: str) -> str:
    r"""Write what a terminal would obey as `\uXXXX` in JSON that is spelled already; it means the same."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def cell(value: Any) -> str:
    """Spell a value for CSV; a text that a spreadsheet would calculate gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = visible(str(value))
    return f"'{text}" if str(value).startswith(_FORMULA) else text


def _spelled(found: re.Match[str]) -> str:
    character = found[0]
    if character in "\t\r\n":
        return " "
    return repr(character)[1:-1] if character.isascii() else f"\\u{ord(character):04x}"
