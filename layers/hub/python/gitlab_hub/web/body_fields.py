"""Which fields a body has at some place, for whoever sent another one."""

from collections.abc import Iterator, Sequence
from inspect import isclass
from typing import Any, get_args

from pydantic import BaseModel


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
