"""How access that is over is taken back: judged by what GitLab shows at that moment. Pure.

The hub takes back what it gave, and nothing else. What a person changed by hand in the meantime stays.
"""

from enum import Enum, auto

from gitlab_hub.provisioning.model import Step, StepStatus
from gitlab_hub.provisioning.operation import NO_ROLE, Kind, Mode, Operation
from gitlab_hub.provisioning.states import Membership, membership_of

LATE_WRITES_SECONDS = 600
"""How long a write without an answer is watched for: it may take effect after the hub has given it up."""


class End(Enum):
    """What is to be done at the end."""

    OVER = auto()
    """Nothing: nothing is left of what was given."""
    TAKE_BACK = auto()
    WATCH = auto()
    """Nothing yet: what was given may still come."""
    BY_HAND = auto()
    """Nothing: a person has given something else."""


def end_of(step: Step, now_is: Membership | None, *, now: int, today: str) -> End:
    """Judge by the step that gave the access, and by what the account has there now; `today` is a day (UTC, ISO)."""
    if now_is == step.after:
        return End.TAKE_BACK
    if now_is == step.before or now_is is None:
        return End.WATCH if _may_still_come(step, now=now, today=today) else End.OVER
    before = membership_of(step.before)
    return End.OVER if before is not None and now_is.access_level < before.access_level else End.BY_HAND


def gitlab_has_ended(step: Step, *, today: str) -> bool:
    """Whether GitLab's own end of what was given is over: its job comes in the night of that day, so a day later."""
    given = membership_of(step.after)
    return given is not None and given.expires_on is not None and given.expires_on < today


def _may_still_come(step: Step, *, now: int, today: str) -> bool:
    if step.status is StepStatus.ACCEPTED:  # until an administrator of GitLab decides, or the day of its end
        given = membership_of(step.after)
        return given is not None and given.expires_on is not None and today < given.expires_on
    is_unsure = step.status is not StepStatus.APPLIED and step.tries > 0
    return is_unsure and now - (step.settled_at or now) < LATE_WRITES_SECONDS


def taking_back(step: Step, *, today: str, lowers: bool = True) -> Operation:
    """The operation that leads back to what was there before; without that (or its end is past), to nothing.

    Not `lowers`: take the membership away instead, for where GitLab takes no lower level than from a group above.
    """
    one, before, after = step.operation, membership_of(step.before), membership_of(step.after)
    if before is None or not lowers or (before.expires_on is not None and before.expires_on <= today):
        return Operation(
            kind=Kind.REVOKE,
            account_id=one.account_id,
            resource_type=one.resource_type,
            resource_id=one.resource_id,
            expected_level=None if after is None else after.access_level,
        )
    return Operation(
        kind=Kind.GRANT,
        account_id=one.account_id,
        resource_type=one.resource_type,
        resource_id=one.resource_id,
        access_level=before.access_level,
        mode=str(Mode.EXACTLY),
        expires_on=before.expires_on,
        member_role_id=before.member_role_id or NO_ROLE,
    )
