"""What is wrong with a request, told field by field without repeating what was sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import isclass
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict

from gitlab_hub.errors import HubError
from gitlab_hub.web.errors import NoSuchId, Unprocessable
from gitlab_hub.web.rules import allowed_by, either, wanted_by


class RequestBody(BaseModel):
    """A body that takes what it names and nothing else."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


# Which fields a body has at some place, for whoever sent another one.


def fields_at(model: type[BaseModel] | None, place: Sequence[str | int]) -> list[str]:
    """The names of the fields at a place as pydantic tells it; none where several models could stand there."""
    found = [] if model is None else [model]
    for part in place:
        found = list(_below(found, part))
    return sorted(found[0].model_fields) if len(found) == 1 else []


def _below(models: Sequence[type[BaseModel]], part: str | int) -> Iterator[type[BaseModel]]:
    """The models behind a field; an index leads into a list, and a tag chooses one of several models."""
    if isinstance(part, int):
        yield from models
        return
    for model in models:
        if part in model.model_fields:
            yield from _models_in(model.model_fields[part].annotation)
        elif any(part in get_args(field.annotation) for field in model.model_fields.values()):
            yield model


def _models_in(hint: Any) -> Iterator[type[BaseModel]]:
    if isclass(hint) and issubclass(hint, BaseModel):
        yield hint
    for part in get_args(hint):
        yield from _models_in(part)


_MAX_FIELDS = 20
_MAX_NAME = 100
_MAX_MESSAGE = 2000

# Pydantic ends the place of a finding about one of several types with that type's name, not with a field's.
_TYPES = frozenset({"bool", "constrained-int", "constrained-str", "date", "datetime", "int", "str"})


def refusal_of(errors: Iterable[Mapping[str, Any]], model: type[BaseModel] | None = None) -> HubError:
    """Turn a model's findings into one refusal; an id in the path that cannot be one is an unknown id.

    `model`: that of the body, to tell its fields to whoever sent another one.
    """
    fields = _merged(_field(error, model) for error in errors)
    if any(field["field"].startswith("path.") for field in fields):
        in_path = [field for field in fields if field["field"].startswith("path.")]
        return NoSuchId(_sentence(in_path), details={"fields": in_path})
    return _unprocessable(fields)


def unexpected_fields(names: Iterable[str]) -> Unprocessable:
    """Refuse the fields of a body where the route takes none."""
    return _unprocessable(
        [_told(f"body.{name}", "extra_forbidden", "is not known here; this route takes no body") for name in names]
    )


def unknown_parameters(names: Iterable[str], allowed: Sequence[str]) -> Unprocessable:
    """Refuse the parameters of a query that the route does not have."""
    says = f"is not known here; it may be {either(list(allowed))}" if allowed else "is not known here; there are none"
    return _unprocessable([_told(f"query.{name}", "unknown_parameter", says, allowed) for name in names])


def repeated_parameters(names: Iterable[str]) -> Unprocessable:
    """Refuse parameters that are given more than once and can only have one value."""
    return _unprocessable([_told(f"query.{name}", "repeated", "must be given once") for name in names])


def _unprocessable(fields: Sequence[Mapping[str, Any]]) -> Unprocessable:
    shown = list(fields[:_MAX_FIELDS])
    details: dict[str, Any] = {"fields": shown}
    if len(shown) == 1 and "allowed" in shown[0]:
        details["allowed"] = shown[0]["allowed"]
    return Unprocessable(_sentence(shown), details=details)


def _sentence(fields: Sequence[Mapping[str, Any]]) -> str:
    parts = [f"{field['field']} {field.get('message', 'is not what this route takes')}" for field in fields]
    text = f"Correct the request and send it again: {'; '.join(parts)}."
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}…"


def _field(error: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    place = [str(part) for part in error["loc"]]
    while len(place) > 1 and (place[-1] in _TYPES or place[-1].startswith("function-")):
        place.pop()
    allowed, message = allowed_by(error), wanted_by(error)
    if error["type"] == "extra_forbidden" and (known := fields_at(model, error["loc"][1:-1])):
        allowed, message = known, f"{message}; it may be {either(known)}"
    return _told(".".join(place), str(error["type"]), message, allowed)


def _told(name: str, problem: str, message: str | None, allowed: Sequence[str] = ()) -> dict[str, Any]:
    field: dict[str, Any] = {"field": name[:_MAX_NAME], "problem": problem}
    if message is not None:
        field["message"] = message
    if allowed:
        field["allowed"] = list(allowed)
    return field


def _merged(fields: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell of a field once, also where it could have had several types and had none of them."""
    merged: dict[str, dict[str, Any]] = {}
    for field in fields:
        first = merged.setdefault(field["field"], field)
        message = field.get("message")
        if first is not field and message and message not in first.get("message", ""):
            first["message"] = f"{first['message']}, or {message}" if "message" in first else message
    return list(merged.values())
