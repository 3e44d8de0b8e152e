"""Grants of plans that end at a minute: each is handed over to a request for access, which sees to the end.

The request is written as one that was decided by whoever applies the plan, in the transaction that begins the plan. So
nothing is granted whose end is not written down, and it ends as any other access for a while does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from gitlab_hub.provisioning.model import Plan, Step
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.timed.model import GIVEN, AccessRequest, Approval, RequestStatus, request_of
from gitlab_hub.provisioning.timed.store import RequestStore
from gitlab_hub.storage.due import AT_ONCE
from gitlab_hub.storage.ports import Put
from gitlab_hub.web.principal import Role


class TimedSteps:
    """What steps with `until` need beside their plan. All calls block."""

    def __init__(self, requests: RequestStore, now: Callable[[], float]) -> None:
        self._requests, self._now = requests, now

    def checked(self, integration_id: str, steps: Sequence[Step]) -> list[Step]:
        """The steps, with those refused for whose account and place another request is not over."""
        return [
            replace(step, refusals=tuple(sorted({*step.refusals, str(Code.REQUEST_EXISTS)})))
            if _is_timed(step) and self._rival(integration_id, step) is not None
            else step
            for step in steps
        ]

    def beginning(self, plan: Plan, steps: Iterable[Step]) -> list[Put]:
        """The writes of the requests of a plan that is about to begin (`checked` has refused nothing)."""
        puts: list[Put] = []
        for step in filter(_is_timed, steps):
            request = _request(plan, step)
            puts.append(self._requests.claim(request, instead_of=self._requests.claimed_by(request)))
            puts += self._requests.puts(request, look_at=AT_ONCE)
        return puts

    def ending(self, undone: Plan, steps: Iterable[Step], *, actor: str) -> list[Put]:
        """The writes by which what a plan gave for a while ends now, as it is taken back."""
        now, puts = int(self._now()), list[Put]()
        for request in self._requests_of(undone, steps).values():
            if request.status in GIVEN and (request.ends_at or 0) > now:
                ending = request.following(ends_at=now, ended_by=actor)
                puts += self._requests.puts(ending, look_at=AT_ONCE)
        return puts

    def ended(self, plan: Plan, steps: Iterable[Step]) -> set[int]:
        """The numbers of the steps of which nothing is left to take back, as their time is over."""
        found = self._requests_of(plan, steps)
        return {index for index, request in found.items() if request.is_over(self._now())}

    def _requests_of(self, plan: Plan, steps: Iterable[Step]) -> dict[int, AccessRequest]:
        if plan.undoes is not None:  # What has ended access is no beginning of it.
            return {}
        names = {step.index: name for step in steps if (name := request_of(plan, step)) is not None}
        found = {index: self._requests.get(plan.integration_id, name) for index, name in names.items()}
        return {index: request for index, request in found.items() if request is not None}

    def _rival(self, integration_id: str, step: Step) -> AccessRequest | None:
        """The request that is not over for the same account and place."""
        one = step.operation
        name = self._requests.claim_of(integration_id, *one.resource, one.account_id)
        other = None if name is None else self._requests.get(integration_id, name)
        return None if other is None or other.is_over(self._now()) else other


def _is_timed(step: Step) -> bool:
    """Whether a step gives something that the hub is to end."""
    return step.operation.until is not None and bool(step.calls)


def _request(plan: Plan, step: Step) -> AccessRequest:
    one, at = step.operation, plan.applied_at or 0
    kind, number = one.resource
    by = plan.applied_by or plan.created_by
    return AccessRequest(
        id=str(request_of(plan, step)),
        integration_id=plan.integration_id,
        account_id=one.account_id,
        account=step.subject,
        resource_type=kind,
        resource_id=number,
        full_path=step.full_path,
        access_level=one.access_level or 0,
        reason=plan.note or f"Plan {plan.id}",
        seconds=None,
        until=one.until,
        status=RequestStatus.APPROVED,
        created_at=at,
        valid_until=one.until or at,
        requested_by=plan.created_by,
        requester_role=str(Role.ADMIN),
        requester_accounts=(),
        policy_id="",
        approvals=(Approval(token_id=by, accounts=(), at=at),),
        decided_by=by,
        decided_at=at,
        plan_id=plan.id,
        step_index=step.index,
        ends_at=one.until,
    )
