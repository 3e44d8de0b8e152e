"""What takes a plan back: each step that was carried out, the other way round. Pure."""

from collections.abc import Sequence

from gitlab_hub.provisioning.instead import as_it_went
from gitlab_hub.provisioning.model import Step, StepStatus
from gitlab_hub.provisioning.operation import IN_BACKGROUND, Kind, Operation
from gitlab_hub.provisioning.operations.table import OPERATIONS


def undoing(steps: Sequence[Step]) -> list[Operation]:
    """The operations that lead back to where the steps of a plan began, the last one first."""
    return [back for _, back in reversed(_ways_back(steps)) if back is not None]


def left_out(steps: Sequence[Step]) -> list[int]:
    """The numbers of the steps that were carried out and that nothing takes back."""
    return [number for number, back in _ways_back(steps) if back is None]


def _ways_back(steps: Sequence[Step]) -> list[tuple[int, Operation | None]]:
    carried_out = (as_it_went(step) for step in steps if _is_done(step))
    done = [step for step in carried_out if step.before != step.after]
    # Whose deletion GitLab has taken gets nothing back, least of all a way in while it goes on.
    deleted = {step.operation.account_id for step in done if step.operation.kind is Kind.DELETE_ACCOUNT}
    return [(step.index, None if step.operation.account_id in deleted else _back(step)) for step in done]


def _back(step: Step) -> Operation | None:
    return OPERATIONS[step.operation.kind].back(step)


def _is_done(step: Step) -> bool:
    """Whether GitLab has what was planned, or works on it. What an administrator has to approve, it has not."""
    kind = step.operation.kind
    waits = step.status is StepStatus.ACCEPTED and (kind in IN_BACKGROUND or OPERATIONS[kind].waits_for is not None)
    return waits or step.status is StepStatus.APPLIED or step.instead is not None
