"""What can be done with access reviews: make one, decide about its items."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.reviews.errors import ReviewClosed, SelfReview
from gitlab_hub.access.reviews.model import (
    Item,
    NewDecision,
    Problem,
    Review,
    Reviewer,
    Scope,
    is_reviewer,
    own_items,
    problems,
    undecided,
)
from gitlab_hub.access.reviews.snapshot import Snapshots, too_large, unfit
from gitlab_hub.access.reviews.store import ReviewStore
from gitlab_hub.access.summary import AccessSummary
from gitlab_hub.audit.log import Audit
from gitlab_hub.audit.model import AuditAction
from gitlab_hub.errors import Conflict, NotFound
from gitlab_hub.web.errors import PermissionDenied, Unprocessable
from gitlab_hub.web.principal import Principal, Role

LEAST_LEFT_SECONDS = 8.0
"""Of the 29 seconds that a function has: a review is made within 20, and the rest is for the answer."""
TRIES = 8
_TOKEN_ID = re.compile(r"[0-9a-f]{16}|owner")
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """What somebody wants to have reviewed, by whom and until when (unix seconds)."""

    title: str
    scope: Scope
    due_at: int | None
    reviewers: Sequence[str]


class ReviewService:
    """Makes reviews and decides in them. All calls block.

    `left`: the seconds until the running function ends.
    """

    def __init__(
        self,
        store: ReviewStore,
        snapshots: Snapshots,
        reader: AccessReader,
        summary: AccessSummary,
        audit: Audit,
        *,
        now: Callable[[], float],
        left: Callable[[], float],
    ) -> None:
        self.store, self._snapshots, self._reader, self._summary = store, snapshots, reader, summary
        self._audit, self._now, self._left = audit, now, left

    def create(self, integration_id: str, wanted: NewReview, caller: Principal, seed: str) -> Review:
        """Freeze who has what at this moment. The id follows from the seed, so a repeated call makes no second one."""
        review_id = _id(integration_id, seed)
        known = self.store.get(integration_id, review_id)
        if known is not None:
            return known
        now = int(self._now())
        if wanted.due_at is not None and wanted.due_at <= now:
            raise unfit("due_at", "lies in the past; give a later time in unix seconds")
        reviewers = [
            self._reviewer(integration_id, number, name, caller) for number, name in enumerate(wanted.reviewers)
        ]
        whole = self._summary.completeness(integration_id)
        items = self._snapshots.take(integration_id, wanted.scope, self._check_time)
        review = Review(
            id=review_id,
            title=wanted.title,
            group_id=wanted.scope.group_id,
            project_id=wanted.scope.project_id,
            min_access_level=wanted.scope.min_access_level,
            kinds=list(wanted.scope.kinds),
            due_at=wanted.due_at,
            reviewers=reviewers,
            snapshot_at=now,
            created_by=caller.token_id,
            complete=whole.tells_all_access,
            sync_status=whole.status,
            synced_at=whole.finished_at,
            unread=dict(whole.unread),
            item_count=len(items),
            counts=undecided(len(items)),
        )
        made = {"title": review.title, "items": review.item_count, "reviewers": [one["name"] for one in reviewers]}
        self.store.keep_items(integration_id, review, items, self._check_time)
        self._record(AuditAction.REVIEW_CREATE, caller, integration_id, review, after=made)
        return self.store.add(integration_id, review)

    def review(self, integration_id: str, review_id: str) -> Review:
        """Read a review. Raises NotFound."""
        review = self.store.get(integration_id, review_id)
        if review is None:
            raise NotFound("There is no such review.")
        return review

    def review_for(self, integration_id: str, review_id: str, caller: Principal) -> Review:
        """Read a review for an admin or one of its reviewers. Raises NotFound or PermissionDenied."""
        review = self.review(integration_id, review_id)
        accounts = caller.accounts_in(integration_id)
        if not caller.role.includes(Role.ADMIN) and not is_reviewer(review, caller.token_id, accounts):
            raise PermissionDenied(
                "This needs the role admin, or a hub token that the review names as a reviewer, by its id or by the "
                "username of one of its gitlab_accounts."
            )
        return review

    def decide(
        self, integration_id: str, review_id: str, decisions: Sequence[NewDecision], caller: Principal
    ) -> tuple[Review, list[Item]]:
        """Decide about items, in place of what was decided before; nothing where one of the decisions is wrong.

        Raises ReviewClosed, SelfReview, Unprocessable, or Conflict where others keep deciding at the same moment.
        """
        noted = False
        for _ in range(TRIES):
            review = self.review_for(integration_id, review_id, caller)
            items = self._items_for(integration_id, review, decisions, caller)
            at = int(self._now())
            decided = [new.applied(items[new.item_id], by=caller.token_id, at=at) for new in decisions]
            if not noted:
                changed = {"before": _answers(items.values()), "after": _answers(decided)}
                self._record(AuditAction.REVIEW_DECIDE, caller, integration_id, review, **changed)
                noted = True
            review, done = self.store.decide(integration_id, review, list(items.values()), decided)
            if done:
                return review, decided
        raise Conflict("Others are deciding in this review at the same moment; send it again.", retry_after=1)

    def _items_for(
        self, integration_id: str, review: Review, decisions: Sequence[NewDecision], caller: Principal
    ) -> dict[str, Item]:
        if review.is_closed:
            raise ReviewClosed("The review is closed, and its decisions stay as they are; make a new one.")
        items = self.store.named(integration_id, review, [new.item_id for new in decisions])
        if wrong := problems(decisions, items):
            raise _refusal(wrong)
        if own := own_items(items.values(), caller.accounts_in(integration_id)):
            raise SelfReview(
                f"Nobody decides on their own access; leave these items to another reviewer: {', '.join(own)}.",
                details={"item_ids": own},
            )
        return items

    def _reviewer(self, integration_id: str, number: int, name: str, caller: Principal) -> Reviewer:
        account = self._reader.account_named(integration_id, name.removeprefix("@"))
        if account is not None:
            return Reviewer(name=account.username, account_id=account.id)
        if name == caller.token_id or _TOKEN_ID.fullmatch(name):
            return Reviewer(name=name, account_id=None)
        raise unfit(
            f"reviewers.{number}",
            "is neither the id of a hub token (GET /v1/tokens) nor the username of an account that the hub has read",
        )

    def _check_time(self) -> None:
        if self._left() < LEAST_LEFT_SECONDS:
            raise too_large("has more than can be read and kept within 20 seconds")

    def _record(
        self, action: AuditAction, caller: Principal, integration_id: str, review: Review, **values: object
    ) -> None:
        self._audit.record(action, actor=caller.token_id, integration_id=integration_id, target=review.id, **values)


def _id(integration_id: str, seed: str) -> str:
    return f"rev_{hashlib.sha256(f'{integration_id}/{seed}'.encode()).hexdigest()[:16]}"


def _answers(items: Iterable[Item]) -> dict[str, str]:
    return {item.id: item.answer for item in items}


def _refusal(wrong: Sequence[Problem]) -> Unprocessable:
    shown = [
        {"field": f"body.decisions.{one.place}.{one.field}", "problem": "unfit", "message": one.message}
        for one in wrong[:_MOST_PROBLEMS]
    ]
    text = "; ".join(f"{one['field']} {one['message']}" for one in shown)
    return Unprocessable(f"Nothing was decided. Correct the request: {text}.", details={"fields": shown})
