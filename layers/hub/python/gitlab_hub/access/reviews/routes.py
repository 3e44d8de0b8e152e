"""The HTTP routes of access reviews."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from gitlab_hub.access.reviews.item_filter import ItemFilter
from gitlab_hub.access.reviews.model import UNDECIDED, Decision
from gitlab_hub.access.reviews.remediation import Plans
from gitlab_hub.access.reviews.requests import DecisionsBody, ReviewBody
from gitlab_hub.access.reviews.service import ReviewService
from gitlab_hub.access.reviews.table import csv_of
from gitlab_hub.access.reviews.views import (
    DecidedItems,
    ReviewEnvelope,
    ReviewItemList,
    ReviewItemView,
    ReviewList,
    ReviewView,
)
from gitlab_hub.access.routes import BASE, FlagFilter, InactiveDays, IntegrationId, Text
from gitlab_hub.web.api import Route, Seed
from gitlab_hub.web.auth import Caller, Role
from gitlab_hub.web.pagination import DEFAULT_LIMIT, Cursors, Limit, PageCursor, listing_name

ALL, ONE = f"{BASE}/reviews", f"{BASE}/reviews/<review_id>"
CSV = "text/csv"

ReviewId = Annotated[str, Path()]


class DecisionFilter(StrEnum):
    """What was decided, or that nothing was."""

    KEEP = Decision.KEEP
    REVOKE = Decision.REVOKE
    CHANGE = Decision.CHANGE
    NONE = UNDECIDED


class ReviewRoutes:
    """The access reviews of an integration. Reviewers need no role but must be named by the review."""

    def __init__(self, service: ReviewService, plans: Plans, cursors: Cursors) -> None:
        self._service, self._plans, self._cursors = service, plans, cursors

    def routes(self) -> list[Route]:
        """Give all routes."""
        return [
            Route(method="POST", path=ALL, handler=self.create, role=Role.ADMIN, status=201,
                  summary="Make an access review"),
            Route(method="GET", path=ALL, handler=self.list, role=Role.ADMIN, summary="List access reviews"),
            Route(method="GET", path=f"{ONE}.csv", handler=self.export, role=Role.VIEWER, operation="export_review",
                  media=CSV, summary="Export an access review as CSV"),
            Route(method="GET", path=ONE, handler=self.read, role=Role.ADMIN, summary="Read one access review"),
            Route(method="GET", path=f"{ONE}/items", handler=self.items, role=Role.VIEWER,
                  operation="list_review_items", summary="List what is reviewed"),
            Route(method="PATCH", path=f"{ONE}/items", handler=self.decide, role=Role.VIEWER,
                  operation="decide_review_items", summary="Decide about access"),
        ]  # fmt: skip

    def create(self, integration_id: IntegrationId, body: ReviewBody, caller: Caller, seed: Seed) -> ReviewEnvelope:
        """Freeze who has what in a group, a project or everything, for people to decide about.

        The review keeps what was so at this moment, whatever changes later. It takes 20,000 items, and what can be
        read and kept within 20 seconds; a larger scope is refused (422). It is kept for three years.
        """
        return ReviewEnvelope.of(self._service.create(integration_id, body.wanted, caller, seed))

    def list(
        self, integration_id: IntegrationId, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None
    ) -> ReviewList:
        """List reviews, open and closed ones, in order of their ids."""
        listing = listing_name("reviews", integration_id, {})
        found = self._service.store.page(integration_id, after=self._cursors.open(listing, cursor), limit=limit)
        shown = [ReviewView.of(review) for review in found.values]
        return ReviewList(reviews=shown, next_cursor=self._cursors.following(listing, found.next))

    def read(self, integration_id: IntegrationId, review_id: ReviewId) -> ReviewEnvelope:
        """Read one review: what is reviewed by whom, and how far they are."""
        return ReviewEnvelope.of(self._service.review(integration_id, review_id))

    def items(
        self,
        integration_id: IntegrationId,
        review_id: ReviewId,
        caller: Caller,
        decision: Annotated[DecisionFilter | None, Query()] = None,
        q: Text = None,
        inactive_days: InactiveDays = None,
        two_factor_enabled: FlagFilter = None,
        external: FlagFilter = None,
        min_access_level: Annotated[int | None, Query(ge=1, le=50)] = None,
        expiring_within_days: Annotated[int | None, Query(ge=1, le=36_500)] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> ReviewItemList:
        """List what is reviewed, each item with what was decided about it. For admins and the reviewers.

        Days count from the moment at which the review was made: what it froze then is what is asked about. A page looks
        at 2,000 items at most: with a filter it may be short, or empty, and go on.
        """
        review = self._service.review_for(integration_id, review_id, caller)
        wanted = ItemFilter(
            decision=decision, q=q, inactive_days=inactive_days, two_factor_enabled=two_factor_enabled,
            external=external, min_access_level=min_access_level, expiring_within_days=expiring_within_days,
        )  # fmt: skip
        listing = listing_name("review_items", integration_id, {"review": review_id, **asdict(wanted)})
        after = self._cursors.open(listing, cursor)
        found = self._service.store.item_page(integration_id, review, wanted, after=after, limit=limit)
        shown = [ReviewItemView.of(item) for item in found.values]
        return ReviewItemList(items=shown, next_cursor=self._cursors.following(listing, found.next))

    def decide(
        self, integration_id: IntegrationId, review_id: ReviewId, body: DecisionsBody, caller: Caller
    ) -> DecidedItems:
        """Decide to keep, revoke or lower access. For admins and the reviewers, whatever their role.

        Nothing changes in GitLab. Deciding again replaces what was decided. Where one decision is wrong, none is taken
        (422), and nobody decides on their own access (403 `self_review`): a hub token names whose it is.
        """
        decisions = [one.new_decision for one in body.decisions]
        return DecidedItems.of(*self._service.decide(integration_id, review_id, decisions, caller))

    def export(self, integration_id: IntegrationId, review_id: ReviewId, caller: Caller) -> Response[str]:
        """Write all items of a review into one CSV (RFC 4180, times in ISO 8601). For admins and the reviewers.

        No cell is taken for a formula: what would be one begins with an apostrophe. A review over 6 MB is refused
        (422); its items come in pages.
        """
        review = self._service.review_for(integration_id, review_id, caller)
        done = {} if review.plan_id is None else self._plans.done(integration_id, review.plan_id)
        text = csv_of(review, self._service.store.items(integration_id, review), done=done)
        name = {"content-disposition": f'attachment; filename="{review.id}.csv"'}
        return Response(status_code=200, content_type=f"{CSV}; charset=utf-8", headers=name, body=text)
