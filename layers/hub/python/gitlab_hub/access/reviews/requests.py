"""What callers send to access reviews."""

from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from gitlab_hub.access.reviews.model import Decision, NewDecision, Scope
from gitlab_hub.access.reviews.service import NewReview
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

MOST_DECISIONS = 200

_Id = Annotated[StrictInt, Field(ge=0, le=MAX_ID)]
_Level = Annotated[StrictInt, Field(ge=1, le=50)]
_Name = Annotated[str, Field(min_length=1, max_length=255)]


class ReviewScopeBody(RequestBody):
    """What to review: a group with all below it, one project, or (neither named) everything."""

    group_id: _Id | None = None
    project_id: _Id | None = None
    min_access_level: Annotated[
        _Level | None, Field(description="Only this level and those above it.", examples=[30])
    ] = None
    kinds: Annotated[
        list[AccountKind] | None,
        Field(min_length=1, max_length=10, description="Only accounts of these kinds.", examples=[["human"]]),
    ] = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.group_id is not None and self.project_id is not None:
            raise rule("names a group_id or a project_id, not both")
        return self

    @property
    def scope(self) -> Scope:
        """What is asked for."""
        return Scope(
            group_id=self.group_id,
            project_id=self.project_id,
            min_access_level=self.min_access_level,
            kinds=tuple(sorted({str(kind) for kind in self.kinds or ()})),
        )


class ReviewBody(RequestBody):
    """A review to make. `reviewers` may decide whatever their role: ids of hub tokens, or usernames in GitLab."""

    title: Annotated[
        str, Field(min_length=1, max_length=200, description="What people call it.", examples=["Q4 2026: shop"])
    ]
    scope: Annotated[ReviewScopeBody, Field(description="What is reviewed.")]
    due_at: Annotated[StrictInt, Field(gt=0, lt=10**11)] | None = None
    reviewers: Annotated[
        list[_Name],
        Field(
            max_length=50,
            description="Who decides: ids of hub tokens, or usernames of people to whom hub tokens belong.",
            examples=[["jane"]],
        ),
    ] = []  # noqa: RUF012 - pydantic copies defaults

    @property
    def wanted(self) -> NewReview:
        """What is asked for."""
        return NewReview(title=self.title, scope=self.scope.scope, due_at=self.due_at, reviewers=self.reviewers)


class DecisionBody(RequestBody):
    """One decision. `change` needs the level to lower the access to."""

    item_id: Annotated[str, Field(min_length=1, max_length=20)]
    decision: Annotated[
        Decision, Field(description="keep, revoke, or change (lower to access_level).", examples=["keep"])
    ]
    comment: Annotated[str, Field(max_length=1_000)] | None = None
    access_level: Annotated[
        _Level | None, Field(description="For change: the level it is to have, lower than it is.", examples=[20])
    ] = None

    @property
    def new_decision(self) -> NewDecision:
        """What is asked for."""
        return NewDecision(
            item_id=self.item_id, decision=self.decision, comment=self.comment, access_level=self.access_level
        )


class DecisionsBody(RequestBody):
    """Decisions about items of one review: all of them are taken, or, where one is wrong, none."""

    decisions: Annotated[
        list[DecisionBody],
        Field(min_length=1, max_length=MOST_DECISIONS, description="At most 200, each about another item."),
    ]
