"""Reviews and their items in the table.

Items are written before the review, whose row makes them visible: only as many as it counts. What a process leaves that
ends in between is seen by nobody, is overwritten by the same request, and else ends with its time to live.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from gitlab_hub.access.keys import REVIEW_ITEMS, REVIEWS
from gitlab_hub.access.pages import MAX_READ, Page
from gitlab_hub.access.reviews.item_filter import ItemFilter
from gitlab_hub.access.reviews.model import Item, Review, recount
from gitlab_hub.inventory.model import partition
from gitlab_hub.storage import ports
from gitlab_hub.storage.ports import ABSENT, Put, Table
from gitlab_hub.storage.rows import at_version, batches, is_written, item_of, query_all, value_of

KEPT_SECONDS = 3 * 366 * 86_400
"""Three years: an auditor asks for the reviews of the last audited year, and of the one before."""
_BATCH = 250
_PAGE = 200


class ReviewStore:
    """The reviews of every integration. All calls block."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, integration_id: str, review_id: str) -> Review | None:
        """Read one review."""
        row = self._table.get(partition(integration_id, REVIEWS), review_id)
        return None if row is None else value_of(Review, row)

    def page(self, integration_id: str, *, after: str | None, limit: int) -> Page[Review]:
        """List reviews in order of their ids."""
        rows = self._table.query(partition(integration_id, REVIEWS), after=after, limit=limit)
        return Page([value_of(Review, row) for row in rows.items], rows.last[1] if rows.last else None)

    def keep_items(self, integration_id: str, review: Review, items: Iterable[Item], check: Callable[[], None]) -> None:
        """Write the items of a review that is not there yet; `check` is called between batches, and may raise."""
        waiting = [self._item_row(integration_id, review, item) for item in items]
        for start in range(0, len(waiting), _BATCH):
            check()
            self._table.write(waiting[start : start + _BATCH])

    def add(self, integration_id: str, review: Review) -> Review:
        """Add a review whose items are written; where there is one of this id already, that one is given back."""
        if is_written(self._table.put, self._row(integration_id, review), ABSENT):
            return review
        return self.get(integration_id, review.id) or review

    def change(self, integration_id: str, review: Review) -> bool:
        """Store a changed review; False where somebody else has changed it since it was read."""
        return is_written(self._table.put, self._row(integration_id, review), at_version(review.version - 1))

    def decide(
        self, integration_id: str, review: Review, before: Sequence[Item], after: Sequence[Item]
    ) -> tuple[Review, bool]:
        """Store decided items with the review's new counts, as many in one transaction as go into one.

        Gives the review as it is then, and False where somebody else has changed it since it was read: the items of
        transactions before that one are stored.
        """
        old = {item.id: item for item in before}
        for batch in batches(Put(self._item_row(integration_id, review, item)) for item in after):
            new = [value_of(Item, put.item) for put in batch]
            counted = review.recounted(recount(review.counts, [old[item.id] for item in new], new))
            head = Put(self._row(integration_id, counted), at_version(review.version))
            if not is_written(self._table.transact, [head, *batch]):
                return review, False
            review = counted
        return review, True

    def named(self, integration_id: str, review: Review, ids: Iterable[str]) -> dict[str, Item]:
        """Read some items of a review by their ids; there are none of others."""
        pk, last = partition(integration_id, REVIEW_ITEMS), _last(review)
        wanted = {one for one in ids if one <= last}
        rows = self._table.get_many([(pk, _sk(review.id, one)) for one in sorted(wanted)])
        return {row["id"]: value_of(Item, row) for row in rows}

    def items(self, integration_id: str, review: Review, after: str | None = None) -> Iterator[Item]:
        """The items of a review in order, read page by page as they are taken."""
        if not review.item_count:
            return
        start = None if after is None else _sk(review.id, after)
        bounds: Any = {"prefix": _sk(review.id, ""), "after": start, "until": _sk(review.id, _last(review))}
        for row in query_all(self._table, partition(integration_id, REVIEW_ITEMS), limit=_PAGE, **bounds):
            yield value_of(Item, row)

    def item_page(
        self, integration_id: str, review: Review, wanted: ItemFilter, *, after: str | None, limit: int
    ) -> Page[Item]:
        """List the items that are asked for; a page looks at 2,000 of them at most, and may be short."""
        found: list[Item] = []
        come_to = after
        for read, item in enumerate(self.items(integration_id, review, after)):
            if len(found) == limit or read == MAX_READ:
                return Page(found, come_to)
            come_to = item.id
            if wanted.keeps(item, at=review.snapshot_at):
                found.append(item)
        return Page(found, None)

    @staticmethod
    def _row(integration_id: str, review: Review) -> ports.Item:
        key = {"pk": partition(integration_id, REVIEWS), "sk": review.id}
        return {**key, "schema_version": 1, **item_of(review), "expires_at": _ends(review)}

    @staticmethod
    def _item_row(integration_id: str, review: Review, item: Item) -> ports.Item:
        key = {"pk": partition(integration_id, REVIEW_ITEMS), "sk": _sk(review.id, item.id)}
        return {**key, "schema_version": 1, **item_of(item), "expires_at": _ends(review)}


def _sk(review_id: str, item_id: str) -> str:
    return f"{review_id}#{item_id}"


def _last(review: Review) -> str:
    return f"{review.item_count:05d}"


def _ends(review: Review) -> int:
    return review.snapshot_at + KEPT_SECONDS
