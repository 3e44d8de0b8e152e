"""What callers get to see of requests for access."""

from pydantic import BaseModel

from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.timed.model import AccessRequest, RequestStatus
from gitlab_hub.provisioning.views import PlanResource


class ApprovalView(BaseModel):
    """Somebody's yes."""

    token_id: str
    at: int


class AccessRequestView(BaseModel):
    """A request for access, and what became of it."""

    id: str
    status: RequestStatus
    account_id: int
    account: str
    resource: PlanResource
    access_level: int
    role: str
    reason: str
    minutes: int | None
    until: int | None
    break_glass: bool
    policy_id: str | None
    created_at: int
    expires_at: int
    requested_by: str
    approvals: list[ApprovalView]
    decided_by: str | None
    decided_at: int | None
    comment: str | None
    granted_at: int | None
    ends_at: int | None
    ended_at: int | None
    ended_by: str | None
    error: str | None
    review_due_at: int | None
    reviewed_at: int | None
    reviewed_by: str | None
    plan_id: str | None
    end_plan_id: str | None

    @classmethod
    def of(cls, request: AccessRequest, *, now: float) -> "AccessRequestView":
        """Show a request."""
        same = {name: getattr(request, name) for name in cls.model_fields if hasattr(request, name)}
        place = PlanResource(type=request.resource_type, id=request.resource_id, full_path=request.full_path)
        told = {
            "status": request.status_at(now),
            "resource": place,
            "policy_id": request.policy_id or None,
            "role": role_name(request.access_level),
            "minutes": None if request.seconds is None else request.seconds // 60,
            "expires_at": request.valid_until,
            "approvals": [ApprovalView(token_id=one.token_id, at=one.at) for one in request.approvals],
        }
        return cls(**{**same, **told})


class AccessRequestEnvelope(BaseModel):
    """One request."""

    access_request: AccessRequestView

    @classmethod
    def of(cls, request: AccessRequest, *, now: float) -> "AccessRequestEnvelope":
        """Show a request."""
        return cls(access_request=AccessRequestView.of(request, now=now))


class AccessRequestList(BaseModel):
    """A page of requests."""

    access_requests: list[AccessRequestView]
    next_cursor: str | None
