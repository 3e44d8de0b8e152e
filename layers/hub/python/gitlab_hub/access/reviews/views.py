"""What callers get to see of access reviews."""

from typing import Literal

from pydantic import BaseModel

from gitlab_hub.access.effective.paths import GrantKind
from gitlab_hub.access.grant_views import PlaceAnswer, ResourceAnswer
from gitlab_hub.access.reviews.model import Decision, Item, Review, Reviewer, ReviewStatus
from gitlab_hub.access.summary_routes import AccessCompleteness
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.roles import role_name


class ReviewScopeView(BaseModel):
    """What is reviewed; neither a group nor a project: everything."""

    group_id: int | None
    project_id: int | None
    min_access_level: int | None
    kinds: list[AccountKind]


class ReviewerView(BaseModel):
    """Who may decide: whoever shows the hub token, or one that belongs to the account."""

    name: str
    type: Literal["account", "hub_token"]
    account_id: int | None

    @classmethod
    def of(cls, reviewer: Reviewer) -> "ReviewerView":
        """Show a reviewer."""
        number = reviewer["account_id"]
        return cls(name=reviewer["name"], type="hub_token" if number is None else "account", account_id=number)


class DecisionCounts(BaseModel):
    """How many items have which decision."""

    keep: int
    revoke: int
    change: int
    none: int


class ReviewView(BaseModel):
    """An access review: what was frozen when, who decides, and how far they are."""

    id: str
    title: str
    status: ReviewStatus
    scope: ReviewScopeView
    due_at: int | None
    reviewers: list[ReviewerView]
    snapshot_at: int
    completeness: AccessCompleteness
    item_count: int
    decisions: DecisionCounts
    created_at: int
    created_by: str
    closed_at: int | None
    closed_by: str | None
    plan_id: str | None

    @classmethod
    def of(cls, review: Review) -> "ReviewView":
        """Show a review."""
        return cls(
            id=review.id,
            title=review.title,
            status=ReviewStatus(review.status),
            scope=ReviewScopeView.model_validate(review, from_attributes=True),
            due_at=review.due_at,
            reviewers=[ReviewerView.of(one) for one in review.reviewers],
            snapshot_at=review.snapshot_at,
            completeness=AccessCompleteness(
                complete=review.complete,
                status=review.sync_status,
                finished_at=review.synced_at,
                unread=review.unread,
            ),
            item_count=review.item_count,
            decisions=DecisionCounts(**review.counts),
            created_at=review.snapshot_at,
            created_by=review.created_by,
            closed_at=review.closed_at,
            closed_by=review.closed_by,
            plan_id=review.plan_id,
        )


class ReviewEnvelope(BaseModel):
    """One review."""

    review: ReviewView

    @classmethod
    def of(cls, review: Review) -> "ReviewEnvelope":
        """Show a review."""
        return cls(review=ReviewView.of(review))


class ReviewList(BaseModel):
    """A page of reviews."""

    reviews: list[ReviewView]
    next_cursor: str | None


class ReviewItemView(BaseModel):
    """What an account had in a group or project when the review was made, and what was decided about it."""

    id: str
    account_id: int
    username: str
    name: str
    account_kind: AccountKind
    account_status: str
    two_factor_enabled: bool | None
    external: bool | None
    last_sign_in_at: int | None
    last_activity_on: str | None
    resource: ResourceAnswer
    visibility: str | None
    access_level: int
    role: str
    custom_role: str | None
    kind: GrantKind
    source: str | None
    cap: int | None
    since: int | None
    granted_by: int | None
    expires_at: int | None
    overdue: bool
    privileged: bool
    at_least: bool
    revoke_at: list[PlaceAnswer]
    decision: Decision | None
    new_access_level: int | None
    comment: str | None
    decided_by: str | None
    decided_at: int | None

    @classmethod
    def of(cls, item: Item) -> "ReviewItemView":
        """Show an item."""
        same = {name: getattr(item, name) for name in cls.model_fields if hasattr(item, name)}
        same |= {
            "resource": ResourceAnswer.model_validate(
                {"type": item.resource_type, "id": item.resource_id, "full_path": item.full_path}
            ),
            "role": role_name(item.access_level),
            "since": item.granted_at,
            "expires_at": item.ends_at,
        }
        return cls.model_validate(same)


class ReviewItemList(BaseModel):
    """A page of items."""

    items: list[ReviewItemView]
    next_cursor: str | None


class DecidedItems(BaseModel):
    """The review after some decisions, and the items that these are about."""

    review: ReviewView
    items: list[ReviewItemView]

    @classmethod
    def of(cls, review: Review, items: list[Item]) -> "DecidedItems":
        """Show what was decided."""
        return cls(review=ReviewView.of(review), items=[ReviewItemView.of(item) for item in items])
