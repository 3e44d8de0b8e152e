"""What callers send to plans."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gitlab_hub.provisioning.errors import TooManyOperations
from gitlab_hub.provisioning.model import MOST_STEPS
from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.operation_bodies import OperationBody
from gitlab_hub.provisioning.request_fields import Note
from gitlab_hub.web.errors import Unprocessable, unfit
from gitlab_hub.web.validation import RequestBody

MOST_TIMED = 25
"""Grants with `until` in one plan: the end of each is written together with its beginning, in one transaction."""

LONGEST_SECONDS = 365 * 86_400
"""Until the end of such a grant. The hub keeps what it has to know for it for 400 days."""


class PlanBody(RequestBody):
    """A plan to make. Nothing changes in GitLab by that."""

    operations: Annotated[
        list[OperationBody], Field(min_length=1, max_length=MOST_STEPS, description="What is to be changed.")
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


def check_ends(operations: Sequence[Operation], now: float) -> None:
    """Refuse grants that end in more than a year, or too many that end at a minute.

    Raises Unprocessable, TooManyOperations.
    """
    timed = [(number, one.until) for number, one in enumerate(operations) if one.until is not None]
    for number, until in timed:
        if until > now + LONGEST_SECONDS:
            field = f"body.operations.{number}.until"
            raise unfit(field, f"{field} must be at most 365 days away.")
    if len(timed) > MOST_TIMED:
        raise TooManyOperations(
            f"{len(timed)} grants have an until, and a plan may hold {MOST_TIMED} of these. Make several plans.",
            details={"most": MOST_TIMED, "wanted": len(timed)},
        )


def check_count(operations: Sequence[Operation]) -> None:
    """Refuse more operations than one plan may hold. Raises TooManyOperations."""
    if len(operations) > MOST_STEPS:
        raise TooManyOperations(
            f"This takes {len(operations)} operations, and a plan holds {MOST_STEPS}. Ask for less at once.",
            details={"most": MOST_STEPS, "wanted": len(operations)},
        )
