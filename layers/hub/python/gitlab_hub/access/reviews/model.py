"""An access review as the hub keeps it, and what may be decided in it. Pure; times are unix seconds."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypedDict

from gitlab_hub.gitlab.roles import ROLES

MAINTAINER = 40
"""From this level on access counts as privileged: it changes settings, and who else has access."""


class Decision(StrEnum):
    """What is to become of one access."""

    KEEP = "keep"
    REVOKE = "revoke"
    CHANGE = "change"


class ReviewStatus(StrEnum):
    """Whether decisions can still be made."""

    OPEN = "open"
    CLOSED = "closed"


UNDECIDED = "none"
"""What is counted, and asked for, where nobody has decided yet."""

Counts = Mapping[str, int]
"""How many items have which decision, `UNDECIDED` among them."""


class Reviewer(TypedDict):
    """Who reviews: an account in GitLab (`account_id`), or the hub token that `name` is the id of."""

    name: str
    account_id: int | None


class Membership(TypedDict):
    """A membership to take away."""

    type: str
    id: int
    full_path: str | None
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is reviewed: a group with everything below it, one project, or (neither named) everything.

    `kinds`: those of accounts; none = all.
    """

    group_id: int | None = None
    project_id: int | None = None
    min_access_level: int | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One review. `version` counts the changes of its row: each is made on top of the one that was read."""

    id: str
    title: str
    group_id: int | None = None
    project_id: int | None = None
    min_access_level: int | None = None
    kinds: list[str] = field(default_factory=list)
    due_at: int | None = None
    reviewers: list[Reviewer] = field(default_factory=list)
    snapshot_at: int
    created_by: str
    complete: bool
    sync_status: str
    synced_at: int | None
    unread: dict[str, int] = field(default_factory=dict)
    item_count: int
    counts: dict[str, int] = field(default_factory=dict)
    status: str = ReviewStatus.OPEN
    closed_at: int | None = None
    closed_by: str | None = None
    plan_id: str | None = None
    """The plan that carries its decisions out; None where none was made."""
    version: int = 1

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be decided any more."""
        return self.status == ReviewStatus.CLOSED

    def closed(self, *, by: str, at: int) -> "Review":
        """The review as it is once somebody has closed it."""
        return replace(self, status=ReviewStatus.CLOSED, closed_by=by, closed_at=at, version=self.version + 1)

    def recounted(self, counts: Counts) -> "Review":
        """The review after some decisions."""
        return replace(self, counts=dict(counts), version=self.version + 1)


class Earlier(TypedDict):
    """A decision that another has taken the place of."""

    decision: str | None
    new_access_level: int | None
    comment: str | None
    decided_by: str | None
    decided_at: int | None


MOST_EARLIER = 20
"""That are kept of one item, the last ones; the audit log has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What one account had in one group or project when the review was made, and what was decided about it.

    The first part never changes. `ends_at` is the first moment without the access. `source` is the full path of the
    group or project whose membership gives it, `cap` the most that the invitations on the way let through.
    """

    id: str
    account_id: int
    username: str = ""
    name: str = ""
    email: str | None = None
    email_source: str | None = None
    account_kind: str = "unknown"
    account_status: str = "unknown"
    two_factor_enabled: bool | None = None
    external: bool | None = None
    last_sign_in_at: int | None = None
    last_activity_on: str | None = None
    activity_source: str | None = None
    resource_type: str
    resource_id: int
    full_path: str
    visibility: str | None = None
    access_level: int
    custom_role: str | None = None
    kind: str
    source: str | None = None
    cap: int | None = None
    granted_at: int | None = None
    granted_by: int | None = None
    ends_at: int | None = None
    overdue: bool = False
    at_least: bool = False
    revoke_at: list[Membership] = field(default_factory=list)

    decision: str | None = None
    new_access_level: int | None = None
    comment: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    earlier: list[Earlier] = field(default_factory=list)
    """The decisions before, oldest first."""

    def at(self, moment: int) -> "Item":
        """The item with the decision that it had at a moment (unix seconds)."""
        told = (one for one in reversed([*self.earlier, self.current]) if (one["decided_at"] or 0) <= moment)
        return replace(self, **(next(told, None) or dict.fromkeys(Earlier.__annotations__)))

    @property
    def current(self) -> Earlier:
        """The decision as it is kept once another takes its place."""
        return Earlier(
            decision=self.decision,
            new_access_level=self.new_access_level,
            comment=self.comment,
            decided_by=self.decided_by,
            decided_at=self.decided_at,
        )

    @property
    def privileged(self) -> bool:
        """Whether the access is of the sort that auditors ask for first."""
        return self.access_level >= MAINTAINER

    @property
    def answer(self) -> str:
        """The decision, or that there is none."""
        return self.decision or UNDECIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """A decision that somebody wants to make about an item. `access_level`: what to lower it to."""

    item_id: str
    decision: Decision
    comment: str | None = None
    access_level: int | None = None

    def applied(self, item: Item, *, by: str, at: int) -> Item:
        """The item with this decision, in place of any that it had."""
        return replace(
            item,
            decision=str(self.decision),
            new_access_level=self.access_level,
            comment=self.comment,
            decided_by=by,
            decided_at=at,
            earlier=[*item.earlier, *([] if item.decision is None else [item.current])][-MOST_EARLIER:],
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a decision cannot be made: its place in the request, the field that is wrong, and what would be right."""

    place: int
    field: str
    message: str


def problems(decisions: Sequence[NewDecision], items: Mapping[str, Item]) -> list[Problem]:
    """Everything that is wrong with some decisions; the items are those of the review among the ones they name."""
    times = Counter(new.item_id for new in decisions)
    found: list[Problem] = []
    for place, new in enumerate(decisions):
        item = items.get(new.item_id)
        if times[new.item_id] > 1:
            found.append(Problem(place, "item_id", "must be named once in a request"))
        elif item is None:
            found.append(Problem(place, "item_id", "is no item of this review; GET …/items lists them"))
        elif (message := _wrong_level(new, item)) is not None:
            found.append(Problem(place, "access_level", message))
    return found


def _wrong_level(new: NewDecision, item: Item) -> str | None:
    level = new.access_level
    if new.decision is not Decision.CHANGE:
        return None if level is None else f"is for the decision change; leave it out to {new.decision}"
    lower = [one for one in ROLES if 0 < one < item.access_level]
    if not lower:
        return f"cannot be lower than the {item.access_level} that it is; revoke it instead"
    if level in lower:
        return None
    return f"must be lower than the {item.access_level} that it is: one of {', '.join(map(str, lower))}"


def own_items(items: Iterable[Item], accounts: Collection[int]) -> list[str]:
    """The items that are about one of these accounts."""
    return sorted(item.id for item in items if item.account_id in accounts)


def is_reviewer(review: Review, token_id: str, accounts: Collection[int]) -> bool:
    """Whether a hub token, or one of the accounts it belongs to, is among the reviewers."""
    return any(
        one["name"] == token_id if one["account_id"] is None else one["account_id"] in accounts
        for one in review.reviewers
    )


def undecided(count: int) -> dict[str, int]:
    """The counts of a review in which nothing is decided."""
    return {**dict.fromkeys(map(str, Decision), 0), UNDECIDED: count}


def recount(counts: Counts, before: Iterable[Item], after: Iterable[Item]) -> dict[str, int]:
    """The counts once some items are what they are after."""
    made, undone = Counter(item.answer for item in after), Counter(item.answer for item in before)
    return {name: count + made[name] - undone[name] for name, count in counts.items()}
