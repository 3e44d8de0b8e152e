"""The HTTP route that closes an access review: it stands beside plans, because it makes one."""

from itertools import islice
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel

from gitlab_hub.access.reviews.closing import Closed, ReviewClosing
from gitlab_hub.access.reviews.remediation import WhyLeftOut
from gitlab_hub.access.reviews.views import ReviewView
from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Caller, Role

MOST_LEFT_OUT = 200
"""That are named in an answer."""


class PlanRefusal(BaseModel):
    """Why no plan was made."""

    code: str
    hint: str


class LeftOutItem(BaseModel):
    """A decision that the plan does not carry out."""

    item_id: str
    reason: WhyLeftOut


class ClosedReview(BaseModel):
    """A review that is closed, and the plan that carries its decisions out."""

    review: ReviewView
    plan_id: str | None
    plan_status: str | None
    plan_refusal: PlanRefusal | None
    left_out: list[LeftOutItem]

    @classmethod
    def of(cls, closed: Closed) -> "ClosedReview":
        """Show a closed review."""
        error = closed.refusal
        left_out = islice(closed.left_out.items(), MOST_LEFT_OUT)
        return cls(
            review=ReviewView.of(closed.review),
            plan_id=None if error else closed.review.plan_id,
            plan_status=closed.plan_status,
            plan_refusal=PlanRefusal(code=error.code, hint=str(error)) if error else None,
            left_out=[LeftOutItem(item_id=item_id, reason=reason) for item_id, reason in left_out],
        )


class ReviewClosingRoutes:
    """Closes the access reviews of an integration."""

    def __init__(self, closing: ReviewClosing) -> None:
        self._closing = closing

    def routes(self) -> list[Route]:
        """Give all routes."""
        path = "/v1/integrations/<integration_id>/reviews/<review_id>/close"
        return [Route(method="POST", path=path, handler=self.close, role=Role.ADMIN, summary="Close an access review")]

    def close(
        self, integration_id: Annotated[str, Path()], review_id: Annotated[str, Path()], caller: Caller
    ) -> ClosedReview:
        """End a review: its decisions stay as they are, and what is to be revoked or changed becomes one plan.

        Nothing changes in GitLab until an owner applies that plan (`GET …/plans/{plan_id}`). Where none can be made,
        the review is closed all the same, and `plan_refusal` says why. Closing it again makes a plan where there is
        none, or none that can still be applied.
        """
        return ClosedReview.of(self._closing.close(integration_id, review_id, caller))
