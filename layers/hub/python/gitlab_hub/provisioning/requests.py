"""What callers send to plans."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StrictInt, StringConstraints, model_validator

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.gitlab.roles import MINIMAL_ACCESS, ROLES, role_name
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.errors import TooManyOperations
from gitlab_hub.provisioning.model import Kind, Mode, Operation
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

MOST_OPERATIONS = 100
"""In one plan: what twenty seconds are enough to look at."""

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


AccountId = Annotated[StrictInt, Field(ge=1, le=MAX_ID, description="GitLab's id of the account.", examples=[42])]
GroupId = Annotated[
    StrictInt, Field(ge=1, le=MAX_ID, description="GitLab's id of the group that is invited.", examples=[12])
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


class GrantBody(RequestBody):
    """Give an account a level in a group or project."""

    op: Literal["grant"]
    account_id: AccountId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The level to have.")]
    mode: Annotated[
        Mode,
        Field(description="ensure_at_least leaves whoever has more; set_exactly also lowers, and sets the end."),
    ] = Mode.AT_LEAST
    expires_at: Day | None = None
    member_role_id: Annotated[
        StrictInt | None, Field(ge=1, le=MAX_ID, description="Custom role on top of the level.", examples=[7])
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.GRANT,
            account_id=self.account_id,
            resource_type=self.resource.type,
            resource_id=self.resource.id or 0,
            access_level=self.access_level,
            mode=str(self.mode),
            expires_on=None if self.expires_at is None else self.expires_at.isoformat(),
            member_role_id=self.member_role_id,
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.resource.type is ResourceType.PROJECT and self.access_level == MINIMAL_ACCESS:
            raise rule("gives Minimal Access, which only groups have")
        return self


class RevokeBody(RequestBody):
    """Take the direct membership of an account in a group or project away; those below it stay."""

    op: Literal["revoke"]
    account_id: AccountId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    expected_level: Annotated[
        Level | None, Field(description="The level that it is thought to be; where it is another, nothing is done.")
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.REVOKE,
            account_id=self.account_id,
            resource_type=self.resource.type,
            resource_id=self.resource.id or 0,
            expected_level=self.expected_level,
        )


class ShareBody(RequestBody):
    """Invite a group into a group or project, so that its members have access there."""

    op: Literal["share"]
    group_id: GroupId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The most that its members have there.")]
    expires_at: Day | None = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.SHARE,
            group_id=self.group_id,
            resource_type=self.resource.type,
            resource_id=self.resource.id or 0,
            access_level=self.access_level,
            expires_on=None if self.expires_at is None else self.expires_at.isoformat(),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.access_level == MINIMAL_ACCESS:
            raise rule("gives Minimal Access, which groups cannot be invited with")
        return self


class UnshareBody(RequestBody):
    """End the invitation of a group, and with it the access of its members by that way."""

    op: Literal["unshare"]
    group_id: GroupId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[
        Level | None, Field(description="The level that it is thought to be; where it is another, nothing is done.")
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.UNSHARE,
            group_id=self.group_id,
            resource_type=self.resource.type,
            resource_id=self.resource.id or 0,
            expected_level=self.access_level,
        )


OperationBody = Annotated[GrantBody | RevokeBody | ShareBody | UnshareBody, Field(discriminator="op")]


class PlanBody(RequestBody):
    """A plan to make. Nothing changes in GitLab by that."""

    operations: Annotated[
        list[OperationBody], Field(min_length=1, max_length=MOST_OPERATIONS, description="What is to be changed.")
    ]
    note: Annotated[Note | None, Field(description="Why, for whoever reads it later.", examples=["OPS-1234"])] = None


class OverrideBody(RequestBody):
    """Go beyond the limits of what may change at once."""

    reason: Annotated[Note, Field(description="Why; it is kept in the audit log.", examples=["Reorganisation, OPS-7"])]


class ApplyBody(RequestBody):
    """Apply a plan as it was shown."""

    hash: Annotated[
        str, Field(min_length=1, max_length=128, description="The plan's hash: what was looked at is what is done.")
    ]
    override: OverrideBody | None = None


def check_subjects(operations: list[Operation]) -> None:
    """Refuse two operations about the same thing. Raises Unprocessable."""
    seen: dict[tuple[object, ...], int] = {}
    for number, operation in enumerate(operations):
        first = seen.setdefault(operation.subject, number)
        if first != number:
            told = f"is about the same as operations.{first}; name them once in a plan"
            field = f"body.operations.{number}"
            raise Unprocessable(
                f"{field} {told}.", details={"fields": [{"field": field, "problem": "repeated", "message": told}]}
            )


def check_count(operations: Sequence[Operation]) -> None:
    """Refuse more operations than one plan may hold. Raises TooManyOperations."""
    if len(operations) > MOST_OPERATIONS:
        raise TooManyOperations(
            f"This takes {len(operations)} operations, and a plan holds {MOST_OPERATIONS}. Ask for less at once.",
            details={"most": MOST_OPERATIONS, "wanted": len(operations)},
        )
