"""The plans of a request: one that gives the access, one that takes it back; each is carried out like any other.

A plan is written as one that is being applied, in one transaction with the request's next version and with the row that
has the request looked at. So there is no access that nobody would end, and no end that nobody asked for.
"""

import hashlib
from collections.abc import Callable

from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.provisioning.errors import PlanBlocked
from gitlab_hub.provisioning.ledger import Ledger
from gitlab_hub.provisioning.limits import in_window, spending
from gitlab_hub.provisioning.model import Plan, PlanStatus, Step, plan_hash
from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.planner import Planner, limited
from gitlab_hub.provisioning.store import PlanStore
from gitlab_hub.provisioning.timed.errors import AccessHeld
from gitlab_hub.provisioning.timed.model import AccessRequest, RequestStatus
from gitlab_hub.provisioning.timed.store import RequestStore
from gitlab_hub.storage.due import AT_ONCE
from gitlab_hub.storage.ports import Put

HUB = "hub"
"""Who takes access back when its time is over."""


class RequestPlans:
    """Makes and begins the plans of requests. All calls block."""

    def __init__(
        self,
        *,
        plans: PlanStore,
        requests: RequestStore,
        ledger: Ledger,
        planner: Planner,
        audit: Audit,
        now: Callable[[], float],
    ) -> None:
        self._plans, self._requests, self._ledger, self._planner = plans, requests, ledger, planner
        self._audit, self._now = audit, now

    def step(self, connection: GitLabConnection, operation: Operation, *, to_end: bool = False) -> Step:
        """What an operation would come to. Raises GitLabError."""
        [step], _ = self._planner.look(connection, {0: operation}, to_end=to_end)
        return step

    def give(
        self, connection: GitLabConnection, request: AccessRequest, *, actor: str, beside: list[Put]
    ) -> AccessRequest | None:
        """Begin to give what was asked for; None where the request, or what is left of the limits, is another by now.

        `request`: as whoever decided has changed it. Raises PlanBlocked, AccessHeld or GitLabError.
        """
        now = int(self._now())
        ends_at = now + request.seconds_from(now)
        steps, touches = self._planner.look(connection, {0: request.operation(now)})
        entries, version = self._ledger.spent(connection.base_url)
        spent = in_window(entries, now)
        [step] = limited(steps, touches, spent)
        check(step)
        plan = self._plan(request, step, actor=actor, at=now, purpose="grant", not_after=ends_at)
        approved = request.following(
            status=RequestStatus.APPROVED, plan_id=plan.id, ends_at=ends_at, decided_at=now, full_path=step.full_path
        )
        spend = self._ledger.spend(
            connection.base_url, [*spent, spending(touches, plan_id=plan.id, at=now)], version=version, now=now
        )
        begun = self._begin(plan, step, [spend, *beside, *self._requests.puts(approved, look_at=AT_ONCE)])
        return approved if begun else None

    def take_back(self, request: AccessRequest, step: Step, *, given: Plan) -> Plan | None:
        """Begin to take back what was given; None where the request is another by now."""
        now = int(self._now())
        plan = self._plan(request, step, actor=HUB, at=now, purpose=f"end/{request.end_tries}", undoes=given.id)
        ending = request.following(end_plan_id=plan.id, end_tries=request.end_tries + 1)
        return plan if self._begin(plan, step, self._requests.puts(ending, look_at=now)) else None

    def _begin(self, plan: Plan, step: Step, beside: list[Put]) -> bool:
        told = {"operations": [step.sentence], "hash": plan.hash, "access_request_id": plan.access_request_id}
        self._audit.record(
            AuditAction.PLAN_APPLY,
            actor=plan.created_by,
            integration_id=plan.integration_id,
            target=plan.id,
            after=told,
        )
        return self._plans.begin_new(plan, [step], *beside)

    def _plan(
        self,
        request: AccessRequest,
        step: Step,
        *,
        actor: str,
        at: int,
        purpose: str,
        undoes: str | None = None,
        not_after: int | None = None,
    ) -> Plan:
        seed = f"{request.integration_id}/{request.id}/{request.version}/{purpose}"
        return Plan(
            id=f"plan_{at:08x}{hashlib.sha256(seed.encode()).hexdigest()[:12]}",
            integration_id=request.integration_id,
            hash=plan_hash(request.integration_id, [step]),
            status=PlanStatus.APPLYING,
            created_at=at,
            created_by=actor,
            expires_at=at,
            step_count=1,
            note=f"Access request {request.id}",
            undoes=undoes,
            applied_at=at,
            applied_by=actor,
            access_request_id=request.id,
            not_after=not_after,
        )


def check(step: Step) -> None:
    """Refuse what cannot be given. Raises PlanBlocked or AccessHeld."""
    if step.refusals:
        raise PlanBlocked(
            "This access cannot be given now; the refusals say why.",
            details={"operations": [{"index": 0, "refusals": list(step.refusals)}]},
        )
    if not step.calls:
        raise AccessHeld(f"{step.sentence}. It would not be the hub's to take back.")
