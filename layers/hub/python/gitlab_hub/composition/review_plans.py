"""What access reviews ask for, as plans: where reviews, which only read access, meet what changes it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.model import PlanStatus, Step, StepStatus
from gitlab_hub.provisioning.operation import Kind, Mode, Operation
from gitlab_hub.provisioning.store import PlanStore

if TYPE_CHECKING:
    from gitlab_hub.access.reviews.remediation import Key, Remedy
    from gitlab_hub.provisioning.service import PlanService


class ReviewPlans:
    """Plans as reviews know them. All calls block.

    `service`: None for functions that only read what became of plans.
    """

    def __init__(self, store: PlanStore, service: "PlanService | None", now: Callable[[], float]) -> None:
        self._store, self._service, self._now = store, service, now

    def make(self, integration_id: str, remedies: "Sequence[Remedy]", *, note: str, actor: str) -> str:
        """Make a plan and give its id. Raises TooManyOperations, or what else keeps a plan from being made."""
        from gitlab_hub.provisioning.requests import check_count

        if self._service is None:
            raise RuntimeError("this function makes no plans")
        operations = [operation_of(one) for one in remedies]
        check_count(operations)
        seed = f"{note}/{self._now()}"
        return self._service.make(integration_id, operations, note=note, actor=actor, seed=seed)[0].id

    def status(self, integration_id: str, plan_id: str) -> str | None:
        """How a plan stands; None: it can no longer be applied, and never was."""
        plan = self._store.get(integration_id, plan_id)
        status = PlanStatus.EXPIRED if plan is None else plan.status_at(self._now())
        return None if status is PlanStatus.EXPIRED else str(status)

    def done(self, integration_id: str, plan_id: str) -> "Mapping[Key, int | None]":
        """What a plan is about, and when each of it was done (unix seconds); None: it was not."""
        plan = self._store.get(integration_id, plan_id)
        return {} if plan is None else {_key(step): _done_at(step) for step in self._store.steps(plan)}


def operation_of(remedy: "Remedy") -> Operation:
    """The operation that brings a remedy about."""
    kind, number, account_id = remedy.key
    lowers = remedy.level is not None
    return Operation(
        kind=Kind.GRANT if lowers else Kind.REVOKE,
        account_id=account_id,
        resource_type=ResourceType(kind),
        resource_id=number,
        access_level=remedy.level,
        mode=str(Mode.EXACTLY) if lowers else None,
        expires_on=remedy.expires_on if lowers else None,
        expected_level=remedy.expected,
    )


def _key(step: Step) -> "Key":
    one = step.operation
    return str(one.resource_type), one.resource_id, one.account_id


def _done_at(step: Step) -> int | None:
    was_so = step.status is StepStatus.SKIPPED and step.error is None
    return step.settled_at if step.status is StepStatus.APPLIED or was_so else None
