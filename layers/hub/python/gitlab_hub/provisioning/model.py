"""What a plan to change something in GitLab looks like. Times are unix seconds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.states import Instead, State, stored

PLAN_SECONDS = 15 * 60
"""How long a plan may be applied: what it shows was true when it was made."""

MOST_STEPS = 100
"""In one plan: what twenty seconds are enough to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to GitLab that changes something; `path` is relative to /api/v4."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    @property
    def shown(self) -> str:
        """The path with its query."""
        return self.path + (
            f"?{'&'.join(f'{name}={value}' for name, value in self.query.items())}" if self.query else ""
        )


class StepStatus(StrEnum):
    """What became of an operation. `accepted`: GitLab took it, and has not done it yet."""

    PENDING = "pending"
    APPLIED = "applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An operation as it was planned, and what became of it.

    `subject`: whom it is about, as people call it. `refusals` are codes of `refusals.Code` in order of their names.
    `before` and `after`: what that has in the resource itself, or is itself; None for nothing. `full_path` is empty
    where there is no resource, or GitLab shows none. `tries` counts the writes that were about to go out, `sent_at` is
    the last one's moment until its outcome is known, `taken_at` that of GitLab's answer to what it does later.
    `instead`: what GitLab did in the place of what was planned.
    """

    index: int
    operation: Operation
    subject: str
    full_path: str
    sentence: str
    before: State | None
    after: State | None
    calls: Sequence[Call] = ()
    refusals: Sequence[str] = ()
    status: StepStatus = StepStatus.PENDING
    error: str | None = None
    hint: str | None = None
    gitlab_request_id: str | None = None
    instead: Instead | None = None
    tries: int = 0
    sent_at: int | None = None
    taken_at: int | None = None
    settled_at: int | None = None
    version: int = 1

    @property
    def is_settled(self) -> bool:
        """Whether nothing is to be done about it any more."""
        return self.status is not StepStatus.PENDING

    @property
    def is_done(self) -> bool:
        """Whether it is as it was to be, or on its way there in GitLab; it may have been so from the start."""
        was_so = self.status is StepStatus.SKIPPED and self.error is None
        return was_so or self.status in {StepStatus.APPLIED, StepStatus.ACCEPTED}

    def settled(self, status: StepStatus, *, at: int, error: str | None = None, hint: str | None = None) -> "Step":
        """The step at its end."""
        return replace(self, status=status, error=error, hint=hint, sent_at=None, settled_at=at)

    @property
    def promise(self) -> dict[str, Any]:
        """What whoever looked at the plan has agreed to."""
        told: dict[str, Any] = {"operation": asdict(self.operation), "refusals": list(self.refusals)}
        told |= {"before": stored(self.before), "after": stored(self.after)}
        return {**told, "calls": [asdict(call) for call in self.calls]}


class PlanStatus(StrEnum):
    """Where a plan is. `expired` follows from the clock and is never stored."""

    READY = "ready"
    BLOCKED = "blocked"
    APPLYING = "applying"
    APPLIED = "applied"
    PARTLY_APPLIED = "partly_applied"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Some operations that are applied together; what they are stands in its steps."""

    id: str
    integration_id: str
    hash: str
    status: PlanStatus
    created_at: int
    created_by: str
    expires_at: int
    step_count: int
    note: str | None = None
    undoes: str | None = None
    """The plan that it takes back."""
    applied_at: int | None = None
    applied_by: str | None = None
    override: str | None = None
    """Why an owner let it go beyond the limits."""
    finished_at: int | None = None
    access_request_id: str | None = None
    """The request for access that it gives or takes back."""
    not_after: int | None = None
    """When nothing of it may be begun any more, in unix seconds: what it gives would be over."""
    version: int = 1

    @property
    def ends_access(self) -> bool:
        """Whether it takes back what was given for a while."""
        return self.access_request_id is not None and self.undoes is not None

    def status_at(self, now: float) -> PlanStatus:
        """The status as of now."""
        waits = self.status in {PlanStatus.READY, PlanStatus.BLOCKED}
        return PlanStatus.EXPIRED if waits and now >= self.expires_at else self.status


def plan_hash(integration_id: str, steps: Sequence[Step]) -> str:
    """Name what a plan promises: the same for the same changes of the same things, and for nothing else."""
    told = [integration_id, *(step.promise for step in sorted(steps, key=lambda step: step.index))]
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def ended(steps: Sequence[Step]) -> PlanStatus:
    """The status of a plan whose steps are all settled."""
    return PlanStatus.APPLIED if all(step.is_done for step in steps) else PlanStatus.PARTLY_APPLIED
