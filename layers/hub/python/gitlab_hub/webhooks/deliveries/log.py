"""Reading deliveries back, newest first, over one integration or several. Every call reads a bounded number of rows."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.web.errors import Unprocessable
from gitlab_hub.webhooks.deliveries.model import Delivery
from gitlab_hub.webhooks.deliveries.store import BY_TIME, SHOWN, by_time, shown_from

MAX_SCANNED = 1_000
"""Rows that one request looks at; a rare match behind them is found by the pages that follow."""

MAX_INTEGRATIONS = 100
"""Each integration costs a query; a list over more of them would take seconds."""

BATCH = 50
_SK = f"{BY_TIME}_sk"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilters:
    """Which deliveries a list is to show; `since` is unix seconds."""

    hook_id: str | None = None
    status: str | None = None
    event: str | None = None
    since: int | None = None

    def matches(self, item: Item) -> bool:
        """Say whether a row is to be shown; its age is not looked at here."""
        wanted = {"hook_id": self.hook_id, "status": self.status, "event": self.event}
        return all(item.get(name) == value for name, value in wanted.items() if value is not None)


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, and the position to go on behind; None at the end."""

    deliveries: list[Delivery]
    last: str | None


class DeliveryLog:
    """The deliveries of all integrations, as the API shows them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def newest(
        self, integration_ids: Sequence[str], filters: DeliveryFilters, *, limit: int, after: str | None
    ) -> DeliveryPage:
        """A page of the deliveries of these integrations.

        A page may be short, even empty, and still have a next one. Raises Unprocessable for too many integrations.
        """
        if len(integration_ids) > MAX_INTEGRATIONS:
            raise Unprocessable(
                f"Name one integration: these would be more than {MAX_INTEGRATIONS}.",
                details={"fields": [{"field": "query.integration_id", "problem": "missing"}]},
            )
        # Of many integrations each is likely to have few of the newest.
        first = max(1, min(BATCH, 2 * limit // max(1, len(integration_ids))))
        streams = [self._stream(one, filters.since, after, first) for one in integration_ids]
        return _page(heapq.merge(*streams, key=_position, reverse=True), filters.matches, limit, after)

    def _stream(self, integration_id: str, since: int | None, after: str | None, batch: int) -> Iterator[Item]:
        until = None if since is None else f"{since * 1000:013d}"
        while True:
            rows = self._table.query(
                by_time(integration_id), after=after, until=until, limit=batch, forward=False, index=BY_TIME,
                attributes=(f"{BY_TIME}_pk", _SK, *SHOWN),
            )  # fmt: skip
            yield from rows.items
            if rows.last is None:
                return
            after, batch = rows.last[1], BATCH


def _page(rows: Iterator[Item], matches: Callable[[Item], bool], limit: int, after: str | None) -> DeliveryPage:
    found: list[Delivery] = []
    for scanned, item in enumerate(rows):
        if len(found) == limit or scanned == MAX_SCANNED:
            return DeliveryPage(found, after)
        after = _position(item)
        if matches(item):
            found.append(shown_from(item))
    return DeliveryPage(found, None)


def _position(item: Item) -> str:
    return str(item[_SK])
