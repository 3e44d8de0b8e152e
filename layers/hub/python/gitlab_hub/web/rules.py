"""What a model asks for, in words: only what the schema wants, never what was sent."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

OWN = "rule"
"""The type of findings whose text is one of the hub's own."""

_QUOTED = re.compile(r"'([^']*)'")
A_TIME = "must be an ISO 8601 date or time, such as 2026-12-31 or 2026-12-31T18:00:00Z"
_A_NUMBER = "must be a whole number"
_PAIR = 2


def rule(text: str) -> PydanticCustomError:
    """Make the error of a validator of ours. The text says what is asked for, as in `needs a ref or a sha`."""
    return PydanticCustomError(OWN, "{text}", {"text": text})


def allowed_by(error: Mapping[str, Any]) -> list[str]:
    """The values that may stand there, where the rule lists them; else none."""
    if error["type"] in {"enum", "literal_error"}:
        return _QUOTED.findall(str(_context(error).get("expected", "")))
    if error["type"] == "union_tag_invalid":
        return _QUOTED.findall(str(_context(error).get("expected_tags", "")))
    return ["true", "false"] if error["type"] in {"bool_parsing", "bool_type"} else []


def wanted_by(error: Mapping[str, Any]) -> str | None:
    """What the rule asks for, as the end of a sentence about the field; None where nothing can be said safely."""
    if allowed := allowed_by(error):
        return f"must be {either(allowed)}"
    words = _WORDS.get(error["type"])
    return None if words is None else words.format_map(_context(error))


def either(values: list[str]) -> str:
    """List values as alternatives."""
    if len(values) <= _PAIR:
        return " or ".join(values)
    return f"one of {', '.join(values[:-1])} or {values[-1]}"


def _context(error: Mapping[str, Any]) -> Mapping[str, Any]:
    context: Mapping[str, Any] = error.get("ctx") or {}
    return context


_WORDS = {
    OWN: "{text}",
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "int_parsing": _A_NUMBER,
    "int_parsing_size": "is too large a number",
    "int_type": _A_NUMBER,
    "int_from_float": _A_NUMBER,
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "needs {min_length} or more characters",
    "string_too_long": "has at most {max_length} characters",
    "too_short": "needs {min_length} or more entries",
    "too_long": "has at most {max_length} entries",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "union_tag_not_found": "needs the field {discriminator}",
    "date_type": A_TIME,
    "date_parsing": A_TIME,
    "date_from_datetime_parsing": A_TIME,
    "date_from_datetime_inexact": A_TIME,
    "datetime_type": A_TIME,
    "datetime_parsing": A_TIME,
    "datetime_from_date_parsing": A_TIME,
    "datetime_object_invalid": A_TIME,
}
