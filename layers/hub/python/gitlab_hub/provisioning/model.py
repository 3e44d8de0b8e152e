"""What can be wanted of GitLab, and what a plan to bring it about looks like.

Times are unix seconds. An expiry of GitLab's is a day (`expires_on`, ISO): access ends with its first second (UTC).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.states import Instead, State, stored

PLAN_SECONDS = 15 * 60
"""How long a plan may be applied: what it shows was true when it was made."""

MOST_STEPS = 100
"""In one plan: what twenty seconds are enough to look at."""

NO_ROLE = 0
"""In the place of a custom role's id: none. Without a word about it, one stays as long as the level does."""


Resource = tuple[ResourceType, int]
"""A group or project by its id."""

Where = tuple[ResourceType | None, int]
"""A group or project, or `GITLAB`."""

GITLAB: Where = (None, 0)
"""Where an operation is that is about no group or project."""


class Kind(StrEnum):
    """What an operation does. The texts are stored and part of the API."""

    GRANT = "grant"
    REVOKE = "revoke"
    SHARE = "share"
    UNSHARE = "unshare"
    INVITE = "invite"
    UPDATE_INVITATION = "update_invitation"
    CANCEL_INVITATION = "cancel_invitation"
    BLOCK = "block"
    UNBLOCK = "unblock"
    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    CREATE_ACCOUNT = "create_account"
    DELETE_ACCOUNT = "delete_account"
    REVOKE_CREDENTIAL = "revoke_credential"
    OFFBOARD = "offboard"


CLOSING = frozenset({Kind.BLOCK, Kind.DEACTIVATE, Kind.DELETE_ACCOUNT})
"""Those after which an account cannot be used, so that it looks after no group any more."""

ON_ACCOUNTS = CLOSING | {Kind.UNBLOCK, Kind.ACTIVATE, Kind.CREATE_ACCOUNT, Kind.OFFBOARD}
"""Those that are about an account itself."""

IN_BACKGROUND = frozenset({Kind.DELETE_ACCOUNT, Kind.OFFBOARD})
"""Those that GitLab answers first and does later."""

_RANKS = {
    **dict.fromkeys((Kind.CREATE_ACCOUNT, Kind.UNBLOCK, Kind.ACTIVATE), 0),
    **dict.fromkeys((Kind.BLOCK, Kind.DEACTIVATE), 2),
    **dict.fromkeys((Kind.REVOKE, Kind.UNSHARE, Kind.CANCEL_INVITATION, Kind.OFFBOARD), 3),
    Kind.REVOKE_CREDENTIAL: 4,
    Kind.DELETE_ACCOUNT: 5,
}
"""When each kind is done among those of its plan: 0 the first, 1 where nothing is said."""


class Mode(StrEnum):
    """Whether a grant may leave more than it names: `ensure_at_least` never lowers and never shortens."""

    AT_LEAST = "ensure_at_least"
    EXACTLY = "set_exactly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that somebody wants; which fields it has follows from its kind.

    It is about an account (`account_id`, else 0), a group that is invited (`group_id`), or an address (`email`, in
    lower case). What has no group or project, as a change of an account itself, has no `resource_type`. An account that
    is to be made has a `username` and a `name`, perhaps what a `provider` of sign-ins knows it by (`extern_uid`).
    `until`: when the hub ends what a grant gives (unix seconds); `expires_on` is then the day after.
    `deletes`: whether whoever leaves is deleted at the end.
    """

    kind: Kind
    resource_type: ResourceType | None = None
    resource_id: int = 0
    account_id: int = 0
    group_id: int | None = None
    email: str | None = None
    access_level: int | None = None
    mode: str | None = None
    expires_on: str | None = None
    until: int | None = None
    member_role_id: int | None = None
    expected_level: int | None = None
    username: str | None = None
    name: str | None = None
    external: bool | None = None
    provider: str | None = None
    extern_uid: str | None = None
    credential_kind: str | None = None
    """Of a token or key (`gitlab/credential_kinds.py`) with `credential_id`, and whose or where it is beside."""
    credential_id: int = 0
    deletes: bool = False

    @property
    def rank(self) -> int:
        """When it is done among those of its plan: new owners come first, and nobody goes before they are there.

        An account is closed before anything is taken from it, and deleted when all else is done.
        """
        return _RANKS.get(self.kind, 0 if self.access_level == OWNER else 1)

    @property
    def subject(self) -> tuple[object, ...]:
        """What it changes: a plan has one operation for each."""
        aspect = self.kind if self.kind is Kind.DELETE_ACCOUNT else self.username
        credential = self.credential_kind, self.credential_id
        return self.resource_type, self.resource_id, self.account_id, self.group_id, self.email, aspect, *credential

    @property
    def holder(self) -> int:
        """The account or group that is to have something; 0 where it is known by an address only, or nobody is."""
        return 0 if self.credential_kind is not None else self.group_id or self.account_id

    @property
    def resource(self) -> Resource:
        """The group or project. Raises TypeError for an operation that is about none."""
        if self.resource_type is None:
            raise TypeError(f"{self.kind} is about no group or project")
        return self.resource_type, self.resource_id

    @property
    def where(self) -> Where:
        """The group or project, or what stands for the whole GitLab."""
        return self.resource_type, self.resource_id

    @property
    def place(self) -> str:
        """The group or project, where no better name for it is known."""
        return f"{self.resource_type} {self.resource_id}"


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


def day_after(moment: int) -> str:
    """The day (UTC, ISO) after a moment: when GitLab ends what the hub was to end at that moment, and could not."""
    return (datetime.fromtimestamp(moment, UTC).date() + timedelta(days=1)).isoformat()


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


def in_order(operations: Mapping[int, Operation]) -> list[int]:
    """The order in which operations are looked at and done, by their numbers in the plan."""
    return sorted(operations, key=lambda number: (operations[number].rank, number))


def ended(steps: Sequence[Step]) -> PlanStatus:
    """The status of a plan whose steps are all settled."""
    return PlanStatus.APPLIED if all(step.is_done for step in steps) else PlanStatus.PARTLY_APPLIED
