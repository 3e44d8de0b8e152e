from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.web.validation import refusal_of, unexpected_fields


def test_a_text_that_may_quote_the_input_is_left_out() -> None:
    error = refusal_of([{"loc": ("body", "url"), "type": "value_error", "msg": "Value error, glpat-canary is no URL"}])
    assert error.details == {"fields": [{"field": "body.url", "problem": "value_error"}]}
    assert "canary" not in str(error)


def test_a_text_about_the_schema_helps() -> None:
    error = refusal_of([{"loc": ("query", "limit"), "type": "less_than_equal", "ctx": {"le": 200}}])
    assert error.details["fields"][0]["message"] == "must be at most 200"
    assert "query.limit must be at most 200" in str(error)


def test_what_is_told_is_bounded() -> None:
    error = unexpected_fields(f"{n}{'x' * 500}" for n in range(500))
    assert len(error.details["fields"]) == 20
    assert len(str(error)) < 3000


def test_an_id_that_cannot_be_one_is_an_unknown_id() -> None:
    found = [
        {"loc": ("body", "x"), "type": "missing", "msg": ""},
        {"loc": ("path", "n"), "type": "int_parsing", "msg": ""},
    ]
    assert isinstance(refusal_of(found), NotFound)


class Color(StrEnum):
    RED = "red"
    DARK_BLUE = "dark blue"


class Bus(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["bus"]
    name: str = "own"


class Queue(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["queue"]
    url: str = ""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    color: Color = Color.RED
    mode: Literal["on", "off"] = "on"
    day: datetime | date | None = None
    target: Annotated[str, Field(min_length=2)] | StrictInt | None = None
    count: Annotated[int, Field(ge=1, le=9)] = 1
    strict: StrictBool = True
    names: Annotated[list[str], Field(min_length=1)] = ["a"]
    code: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    to: Annotated[Bus | Queue, Field(discriminator="type")] | None = None
    all: list[Bus] = []


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"color": "reed"}, "body.color", "must be red or dark blue"),
        ({"mode": "of"}, "body.mode", "must be on or off"),
        ({"day": "2026-13-45"}, "body.day", "must be an ISO 8601 date or time"),
        ({"target": []}, "body.target", "must be a text, or must be a whole number"),
        ({"target": "x"}, "body.target", "needs 2 or more characters, or must be a whole number"),
        ({"count": 10}, "body.count", "must be at most 9"),
        ({"count": 0}, "body.count", "must be at least 1"),
        ({"count": "many"}, "body.count", "must be a whole number"),
        ({"strict": "yes"}, "body.strict", "must be true or false"),
        ({"names": []}, "body.names", "needs 1 or more entries"),
        ({"code": "A"}, "body.code", "must match the pattern ^[a-z]+$"),
        ({"to": {"type": "queue", "name": "x"}}, "body.to.queue.name", "is not known here; it may be type or url"),
        ({"all": [{"type": "bus", "url": "x"}]}, "body.all.0.url", "is not known here; it may be name or type"),
        ({"to": {"type": "train"}}, "body.to", "must be bus or queue"),
        ({"to": {}}, "body.to", "needs the field 'type'"),
        ({"colour": "red"}, "body.colour", "is not known here; it may be one of all, code, color"),
    ],
)
def test_every_rule_is_said_in_the_message_and_beside_the_field(body: dict[str, Any], field: str, says: str) -> None:
    error = refused(body)
    (found,) = error.details["fields"]
    assert found["field"] == field
    assert says in found["message"]
    assert f"{field} {says}" in str(error)


def test_the_allowed_values_can_be_read_by_a_program() -> None:
    assert refused({"color": "blue"}).details["allowed"] == ["red", "dark blue"]
    assert refused({"colour": "blue"}).details["allowed"] == sorted(Body.model_fields)


def refused(body: dict[str, Any]) -> HubError:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate(body)
    errors = caught.value.errors()
    return refusal_of([{**error, "loc": ("body", *error["loc"])} for error in errors], model=Body)
