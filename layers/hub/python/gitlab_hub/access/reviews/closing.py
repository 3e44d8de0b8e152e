"""Closing a review, and making the plan that carries its decisions out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gitlab_hub.access.reviews.model import Decision, Review
from gitlab_hub.access.reviews.remediation import Plans, WhyLeftOut, remediation
from gitlab_hub.access.reviews.store import ReviewStore
from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import Conflict, HubError, NotFound
from gitlab_hub.web.principal import Principal

TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A closed review. `refusal`: why no plan could be made; `left_out`: decisions that the plan does not carry out."""

    review: Review
    plan_status: str | None = None
    refusal: HubError | None = None
    left_out: Mapping[str, WhyLeftOut] = field(default_factory=dict)


class ReviewClosing:
    """Closes reviews. All calls block.

    A review is closed first, whatever becomes of its plan: closing it again makes the plan where there is none that can
    still be applied.
    """

    def __init__(self, store: ReviewStore, plans: Plans, audit: Audit, now: Callable[[], float]) -> None:
        self._store, self._plans, self._audit, self._now = store, plans, audit, now

    def close(self, integration_id: str, review_id: str, caller: Principal) -> Closed:
        """End a review, whose decisions stay as they are then, and make a plan of them. Raises NotFound or Conflict."""
        review = self._closed(integration_id, review_id, caller)
        if not review.counts[Decision.REVOKE] + review.counts[Decision.CHANGE]:
            return Closed(review=review)
        wanted = remediation(self._store.items(integration_id, review))
        status = None if review.plan_id is None else self._plans.status(integration_id, review.plan_id)
        if status is not None or not wanted.remedies:
            return Closed(review=review, plan_status=status, left_out=wanted.left_out)
        note = f"Access review {review.title} ({review.id})"
        try:
            plan_id = self._plans.make(integration_id, wanted.remedies, note=note, actor=caller.token_id)
        except HubError as error:
            return Closed(review=review, refusal=error, left_out=wanted.left_out)
        review, status = self._planned(integration_id, review, plan_id), self._plans.status(integration_id, plan_id)
        return Closed(review=review, plan_status=status, left_out=wanted.left_out)

    def _closed(self, integration_id: str, review_id: str, caller: Principal) -> Review:
        noted = False
        for _ in range(TRIES):
            review = self._review(integration_id, review_id)
            if review.is_closed:
                return review
            if not noted:
                target = {"integration_id": integration_id, "target": review.id}
                self._audit.record(AuditAction.REVIEW_CLOSE, actor=caller.token_id, after=dict(review.counts), **target)
                noted = True
            closed = review.closed(by=caller.token_id, at=int(self._now()))
            if self._store.change(integration_id, closed):
                return closed
        raise Conflict("Others are deciding in this review at the same moment; send it again.", retry_after=1)

    def _planned(self, integration_id: str, review: Review, plan_id: str) -> Review:
        """The review with its plan; of two that were made at once, the one that was written last."""
        for _ in range(TRIES):
            planned = replace(review, plan_id=plan_id, version=review.version + 1)
            if self._store.change(integration_id, planned):
                return planned
            review = self._review(integration_id, review.id)
        raise Conflict("Others are closing this review at the same moment; send it again.", retry_after=1)

    def _review(self, integration_id: str, review_id: str) -> Review:
        review = self._store.get(integration_id, review_id)
        if review is None:
            raise NotFound("There is no such review.")
        return review
