"""What takes a plan back: each step that was carried out, the other way round. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from gitlab_hub.provisioning.model import NO_ROLE, Kind, Mode, Operation, Step, StepStatus


def undoing(steps: Sequence[Step]) -> list[Operation]:
    """The operations that lead back to where the steps of a plan began, the last one first."""
    done = [step for step in steps if step.status is StepStatus.APPLIED and step.before != step.after]
    return [_back(step) for step in reversed(done)]


def _back(step: Step) -> Operation:
    one, before = step.operation, step.before
    plain = replace(one, access_level=None, mode=None, expires_on=None, member_role_id=None, expected_level=None)
    if before is None:
        expected = None if step.after is None else step.after.access_level
        return replace(plain, kind=Kind.REVOKE, expected_level=expected)
    return replace(
        plain,
        kind=Kind.GRANT,
        mode=Mode.EXACTLY,
        access_level=before.access_level,
        expires_on=before.expires_on,
        member_role_id=before.member_role_id or NO_ROLE,
    )
