"""A request for access that ends by itself. Times are unix seconds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.model import Plan, Step
from gitlab_hub.provisioning.operation import Kind, Mode, Operation, day_after

PENDING_SECONDS = 86_400
"""How long a request waits for somebody to decide."""


class RequestStatus(StrEnum):
    """Where a request is. The texts are stored and part of the API; `expired` may follow from the clock alone."""

    PENDING = "pending"
    APPROVED = "approved"
    ACTIVE = "active"
    ENDED = "ended"
    DENIED = "denied"
    EXPIRED = "expired"
    FAILED = "failed"


PREFIX = "req_"
"""What the id of a request begins with."""

GIVEN = frozenset({RequestStatus.APPROVED, RequestStatus.ACTIVE})
"""The hub is about to give the access, or has given it, and has yet to take it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's yes: of which hub token, in which role, and which GitLab accounts that one belongs to."""

    token_id: str
    role: str = ""
    accounts: Sequence[int]
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A request, and what became of it.

    `seconds` or `until` says how long: the former counts from the approval. `ends_at` is set from then on, and moved
    forward where somebody ends it earlier. `end_tries` counts the plans that were to end it and did not. What gives the
    access is the step of `plan_id` with the number `step_index`; a plan of several steps came first, and whoever
    applied it has decided (`policy_id` is empty then).
    """

    id: str
    integration_id: str
    account_id: int
    account: str
    resource_type: ResourceType
    resource_id: int
    full_path: str
    access_level: int
    reason: str
    seconds: int | None
    until: int | None
    status: RequestStatus
    created_at: int
    valid_until: int
    requested_by: str
    requester_role: str
    requester_accounts: Sequence[int]
    policy_id: str
    break_glass: bool = False
    approvals: Sequence[Approval] = field(default_factory=tuple)
    decided_by: str | None = None
    decided_at: int | None = None
    comment: str | None = None
    plan_id: str | None = None
    step_index: int = 0
    end_plan_id: str | None = None
    granted_at: int | None = None
    ends_at: int | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    error: str | None = None
    review_due_at: int | None = None
    reviewed_at: int | None = None
    reviewed_by: str | None = None
    end_tries: int = 0
    version: int = 1

    def status_at(self, now: float) -> RequestStatus:
        """The status as of now."""
        waits = self.status is RequestStatus.PENDING and now >= self.valid_until
        return RequestStatus.EXPIRED if waits else self.status

    def is_over(self, now: float) -> bool:
        """Whether nothing of it is to come any more."""
        return self.status_at(now) not in {RequestStatus.PENDING, *GIVEN}

    @property
    def awaits_review(self) -> bool:
        """Whether somebody has yet to say that this use of break-glass was right."""
        return self.break_glass and self.reviewed_at is None

    def seconds_from(self, now: int) -> int:
        """How long the access would last if it began now."""
        return self.seconds if self.seconds is not None else (self.until or 0) - now

    def operation(self, now: int) -> Operation:
        """The grant, if it began now."""
        return grant(
            self.account_id, self.resource_type, self.resource_id, self.access_level, now + self.seconds_from(now)
        )

    def following(self, **changes: object) -> "AccessRequest":
        """The next version."""
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


def is_request(name: str) -> bool:
    """Whether an id among what is due is that of a request."""
    return name.startswith(PREFIX)


def grant(account_id: int, kind: ResourceType, number: int, level: int, ends_at: int) -> Operation:
    """A grant that ends: by the hub at `ends_at`, and by GitLab on the day after that (UTC) where the hub cannot."""
    return Operation(
        kind=Kind.GRANT,
        account_id=account_id,
        resource_type=kind,
        resource_id=number,
        access_level=level,
        mode=str(Mode.AT_LEAST),
        expires_on=day_after(ends_at),
    )


def request_of(plan: Plan, step: Step) -> str | None:
    """The id of the request by which what a step of an applied plan gives is ended, where there is one."""
    if plan.access_request_id is not None:
        return plan.access_request_id
    if step.operation.until is None or not step.calls or plan.applied_at is None:
        return None
    name = f"{plan.integration_id}/{plan.id}/{step.index}"
    return f"{PREFIX}{plan.applied_at:08x}{hashlib.sha256(name.encode()).hexdigest()[:12]}"
