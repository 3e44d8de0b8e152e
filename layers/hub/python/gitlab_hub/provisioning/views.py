"""What callers get to see of plans."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel

from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.fields import midnight
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.model import Call, Plan, PlanStatus, Step, StepStatus
from gitlab_hub.provisioning.operation import ON_ACCOUNTS, Kind, Operation
from gitlab_hub.provisioning.refusals import ADVICE, ON_ACCOUNT, ON_CREDENTIAL, Code
from gitlab_hub.provisioning.states import AccountState, CredentialState, CredentialStatus, Instead, Membership, State
from gitlab_hub.provisioning.timed.model import request_of


class PlanResource(BaseModel):
    """A group or project that a plan is about."""

    type: ResourceType
    id: int
    full_path: str


class PlanCredential(BaseModel):
    """A token or key that a plan is about."""

    kind: CredentialKind
    id: int

    @classmethod
    def of(cls, operation: Operation) -> "PlanCredential | None":
        """Show it; None for an operation that is about none."""
        if operation.credential_kind is None:
            return None
        return cls(kind=CredentialKind(operation.credential_kind), id=operation.credential_id)


class MembershipView(BaseModel):
    """What an account, an invited group or an invited address has in a group or project itself."""

    access_level: int
    role: str
    expires_at: int | None
    member_role_id: int | None

    @classmethod
    def of(cls, state: Membership) -> "MembershipView":
        """Show a membership."""
        return cls(
            access_level=state.access_level,
            role=role_name(state.access_level),
            expires_at=midnight(state.expires_on),
            member_role_id=state.member_role_id,
        )


class AccountStateView(BaseModel):
    """Whether an account can be used."""

    state: str


class CredentialStateView(BaseModel):
    """Whether a token or key still opens anything."""

    status: CredentialStatus


StateView = MembershipView | AccountStateView | CredentialStateView


def state_view(state: State | None) -> StateView | None:
    """Show a state."""
    match state:
        case None:
            return None
        case Membership():
            return MembershipView.of(state)
        case AccountState():
            return AccountStateView(state=state.state)
        case CredentialState():
            return CredentialStateView(status=state.status)


class InsteadView(BaseModel):
    """What GitLab did in the place of what was planned: somebody's direct membership, before and after."""

    account_id: int
    before: MembershipView | None
    after: MembershipView

    @classmethod
    def of(cls, instead: Instead | None) -> "InsteadView | None":
        """Show it."""
        if instead is None:
            return None
        before = None if instead.before is None else MembershipView.of(instead.before)
        return cls(account_id=instead.account_id, before=before, after=MembershipView.of(instead.after))


class CallView(BaseModel):
    """A request that is sent to GitLab."""

    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: dict[str, Any] | None

    @classmethod
    def of(cls, call: Call) -> "CallView":
        """Show a request."""
        return cls.model_validate({"method": call.method, "path": call.shown, "body": call.body})


class RefusalView(BaseModel):
    """Why an operation is refused."""

    code: Code
    hint: str


class PlanOperationView(BaseModel):
    """One operation: what it changes, how, what stands against it, and what became of it."""

    index: int
    op: Kind
    account_id: int | None
    group_id: int | None
    email: str | None
    username: str | None
    resource: PlanResource | None
    credential: PlanCredential | None
    sentence: str
    before: StateView | None
    after: StateView | None
    calls: list[CallView]
    refusals: list[Code]
    explanations: list[RefusalView]
    status: StepStatus
    error: str | None
    hint: str | None
    gitlab_request_id: str | None
    instead: InsteadView | None
    settled_at: int | None
    until: int | None
    access_request_id: str | None

    @classmethod
    def of(cls, plan: Plan, step: Step) -> "PlanOperationView":
        """Show an operation."""
        one, codes = step.operation, [Code(code) for code in step.refusals]
        place = None
        if one.resource_type is not None:
            place = PlanResource(type=one.resource_type, id=one.resource_id, full_path=step.full_path)
        special = ON_ACCOUNT if one.kind in ON_ACCOUNTS else ON_CREDENTIAL if one.credential_kind is not None else {}
        hints = {**ADVICE, **special}
        advice = hints.get(Code(step.error)) if step.error in list(Code) else None
        return cls(
            index=step.index,
            op=one.kind,
            account_id=one.account_id or None,
            group_id=one.group_id,
            email=one.email,
            username=one.username,
            resource=place,
            credential=PlanCredential.of(one),
            sentence=step.sentence,
            before=state_view(step.before),
            after=state_view(step.after),
            calls=[CallView.of(call) for call in step.calls],
            refusals=codes,
            explanations=[RefusalView(code=code, hint=hints[code]) for code in codes],
            status=step.status,
            error=step.error,
            hint=step.hint or advice,
            gitlab_request_id=step.gitlab_request_id,
            instead=InsteadView.of(step.instead),
            settled_at=step.settled_at,
            until=one.until,
            access_request_id=request_of(plan, step),
        )


class PlanSummary(BaseModel):
    """A plan without its operations."""

    id: str
    hash: str
    status: PlanStatus
    expires_at: int
    operation_count: int
    created_at: int
    created_by: str
    note: str | None
    undoes: str | None
    applied_at: int | None
    applied_by: str | None
    override_reason: str | None
    finished_at: int | None
    access_request_id: str | None

    @classmethod
    def of(cls, plan: Plan, *, now: float) -> "PlanSummary":
        """Show a plan in a list."""
        return cls(**_shown(plan, now))


class PlanView(PlanSummary):
    """A plan: what it would change, or has changed."""

    summary: str
    operations: list[PlanOperationView]


class PlanEnvelope(BaseModel):
    """One plan."""

    plan: PlanView

    @classmethod
    def of(cls, plan: Plan, steps: Sequence[Step], *, now: float) -> "PlanEnvelope":
        """Show a plan."""
        shown = [PlanOperationView.of(plan, step) for step in steps]
        return cls(plan=PlanView(**_shown(plan, now), summary=summary(plan, steps), operations=shown))


class PlanList(BaseModel):
    """A page of plans."""

    plans: list[PlanSummary]
    next_cursor: str | None


def summary(plan: Plan, steps: Sequence[Step]) -> str:
    """Say in a line how a plan stands: "3 operations: 2 applied, 1 failed"."""
    refused = sum(bool(step.refusals) for step in steps)
    idle = sum(not step.calls and not step.refusals for step in steps)
    count = f"{len(steps)} operation{'s' * (len(steps) != 1)}"
    if plan.status in {PlanStatus.READY, PlanStatus.BLOCKED}:
        told = [f"{len(steps) - refused - idle} to apply", f"{refused} refused", f"{idle} already so"]
    else:
        found = Counter(str(step.status) for step in steps)
        told = [f"{found[status]} {status}" for status in map(str, StepStatus)]
    return f"{count}: {', '.join(one for one in told if not one.startswith('0 ')) or 'nothing to do'}"


def _shown(plan: Plan, now: float) -> dict[str, Any]:
    return {
        "id": plan.id,
        "hash": plan.hash,
        "status": plan.status_at(now),
        "expires_at": plan.expires_at,
        "operation_count": plan.step_count,
        "created_at": plan.created_at,
        "created_by": plan.created_by,
        "note": plan.note,
        "undoes": plan.undoes,
        "applied_at": plan.applied_at,
        "applied_by": plan.applied_by,
        "override_reason": plan.override,
        "finished_at": plan.finished_at,
        "access_request_id": plan.access_request_id,
    }
