"""What the bodies of operations are made of."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, StrictInt, StringConstraints, model_validator

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.gitlab.roles import ROLES, role_name
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

# No slash: GitLab takes none where an invitation is named in a path (lib/api/invitations.rb, `requirements`).
_EMAIL = re.compile(r"[^\s@,;<>/]{1,64}@[^\s@,;<>/]{1,255}")
_LEVELS = tuple(level for level in ROLES if level)


def _day(value: object) -> object:
    """A day, or the unix seconds of one: an expiry as the hub itself shows it."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**11:
        return datetime.fromtimestamp(value, UTC).date()
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise rule("must be a day, such as 2027-01-31, or its unix seconds") from None


def _level(value: object) -> object:
    if isinstance(value, int) and value not in _LEVELS:
        raise rule(f"must be one of {', '.join(f'{level} ({role_name(level)})' for level in _LEVELS)}")
    return value


def _email(value: object) -> object:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value.strip()):
        raise rule("must be one email address")
    return value.strip().lower()


AccountId = Annotated[StrictInt, Field(ge=1, le=MAX_ID, description="GitLab's id of the account.", examples=[42])]
GroupId = Annotated[
    StrictInt, Field(ge=1, le=MAX_ID, description="GitLab's id of the group that is invited.", examples=[12])
]
Email = Annotated[
    str, BeforeValidator(_email), Field(description="Address that is invited.", examples=["ana@example.com"])
]
Level = Annotated[StrictInt, BeforeValidator(_level), Field(examples=[30])]
Day = Annotated[
    date,
    BeforeValidator(_day),
    Field(description="First day without the access (2027-01-31, or its unix seconds).", examples=["2027-01-31"]),
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class ResourceBody(RequestBody):
    """A group or project, by its id or its full path."""

    type: Annotated[ResourceType, Field(description="group or project.")]
    id: Annotated[StrictInt, Field(ge=1, le=MAX_ID)] | None = None
    full_path: Annotated[str, Field(min_length=1, max_length=1_024)] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.id is None and self.full_path is None:
            raise rule("needs an id or a full_path")
        return self

    @property
    def place(self) -> dict[str, Any]:
        """The fields of an operation that say where."""
        return {"resource_type": self.type, "resource_id": self.id or 0}


def iso(value: date | None) -> str | None:
    """A day as operations have it."""
    return None if value is None else value.isoformat()
