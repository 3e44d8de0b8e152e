"""What the models find wrong, told without repeating what was sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.web.errors import Unprocessable

_MAX_FIELDS = 20
_MAX_NAME = 100

# The texts of these say what the schema wants; others may quote the input.
_SAYS_ONLY_SCHEMA = frozenset(
    {
        "bool_parsing", "bool_type", "dict_type", "enum", "extra_forbidden", "greater_than", "greater_than_equal",
        "int_parsing", "int_type", "less_than", "less_than_equal", "list_type", "literal_error", "missing",
        "model_attributes_type", "string_pattern_mismatch", "string_too_long", "string_too_short", "string_type",
        "too_long", "too_short",
    }
)  # fmt: skip


def refusal_of(errors: Iterable[Mapping[str, Any]]) -> HubError:
    """Turn a model's findings into one refusal; an id in the path that cannot be one is an unknown id."""
    found = list(errors)
    if any(error["loc"][0] == "path" for error in found):
        return NotFound("There is no such id.")
    return _unprocessable(found)


def unexpected_fields(names: Iterable[str]) -> Unprocessable:
    """Refuse the fields of a body where the route takes none."""
    return _unprocessable(
        [{"loc": ("body", name), "type": "extra_forbidden", "msg": "No such field"} for name in names]
    )


def _unprocessable(errors: Sequence[Mapping[str, Any]]) -> Unprocessable:
    fields = [_field(error) for error in errors[:_MAX_FIELDS]]
    names = ", ".join(field["field"] for field in fields)
    return Unprocessable(f"Correct these and send the request again: {names}.", details={"fields": fields})


def _field(error: Mapping[str, Any]) -> dict[str, str]:
    name = ".".join(str(part) for part in error["loc"])[:_MAX_NAME]
    field = {"field": name, "problem": str(error["type"])}
    if error["type"] in _SAYS_ONLY_SCHEMA:
        field["message"] = str(error["msg"])
    return field
