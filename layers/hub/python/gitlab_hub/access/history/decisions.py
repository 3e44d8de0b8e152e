"""What people had decided about access by a moment, in all reviews."""

from collections.abc import Iterator
from hashlib import blake2b

from gitlab_hub.access.history.access_review import Decision
from gitlab_hub.access.history.model import DAY, KEPT_DAYS
from gitlab_hub.access.reviews.model import UNDECIDED, Review
from gitlab_hub.access.reviews.store import ReviewStore

_PAGE = 200


class ReviewDecisions:
    """Reads decisions from reviews of the last 400 days. All calls block."""

    def __init__(self, store: ReviewStore) -> None:
        self._store = store

    def until(self, integration_id: str, moment: int) -> dict[tuple[int, str, int], Decision]:
        """The last decision about each access, as of a moment (unix seconds)."""
        found: dict[tuple[int, str, int], Decision] = {}
        for review in self._reviews(integration_id, moment):
            if review.counts.get(UNDECIDED) == review.item_count:
                continue
            for item in self._store.items(integration_id, review):
                then = item.at(moment) if item.decision is not None else item
                if then.decision is None:
                    continue
                key, decision = (item.account_id, item.resource_type, item.resource_id), Decision(review.id, then)
                if key not in found or _order(found[key]) < _order(decision):
                    found[key] = decision
        return found

    def mark(self, integration_id: str, moment: int) -> str:
        """A digest that changes with the reviews: each decision moves its review's version on."""
        told = [(review.id, review.version) for review in self._reviews(integration_id, moment)]
        return blake2b(repr(told).encode(), digest_size=6).hexdigest()

    def _reviews(self, integration_id: str, moment: int) -> Iterator[Review]:
        after: str | None = None
        while True:
            page = self._store.page(integration_id, after=after, limit=_PAGE)
            yield from (one for one in page.values if moment - KEPT_DAYS * DAY < one.snapshot_at <= moment)
            if page.next is None:
                return
            after = page.next


def _order(decision: Decision) -> tuple[int, str]:
    return decision.item.decided_at or 0, decision.review_id
