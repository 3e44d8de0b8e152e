"""Deliveries that were kept and then forgotten: sent again, and at last given up where everybody can see it."""

import time
from collections.abc import Callable
from dataclasses import replace

from gitlab_hub.webhooks.delivery_model import MAX_ATTEMPTS, MAX_SENDS, Delivery, Status, due
from gitlab_hub.webhooks.delivery_store import DeliveryStore
from gitlab_hub.webhooks.inbox import Inbox
from gitlab_hub.webhooks.ports import Notices

MOST_PER_TICK = 100
GAVE_UP = "gave_up"


class Sweeper:
    """Looks every minute for deliveries whose message was never sent, or never worked on."""

    def __init__(
        self, *, store: DeliveryStore, inbox: Inbox, notices: Notices, now: Callable[[], float] = time.time
    ) -> None:
        self._store, self._inbox, self._notices, self._now = store, inbox, notices, now

    def tick(self) -> int:
        """Send what is overdue, a bounded number at a time; the answer says how many. Raises StorageUnavailable."""
        sent = 0
        for delivery_id in self._store.overdue(self._now(), MOST_PER_TICK):
            sent += self._look(delivery_id)
        if sent:
            self._notices.sent_again(sent)
        return sent

    def _look(self, delivery_id: str) -> bool:
        delivery = self._store.get(delivery_id)
        if delivery is None or not is_overdue(delivery, self._now()):
            return False  # The index is a moment behind the row.
        if is_hopeless(delivery):
            if self._store.change(delivery_id, lambda known: given_up(known, now=self._now())):
                self._notices.gave_up(delivery_id)
            return False
        # Sent first: a crash in between sends it once more, and a queue that is down does not use up its chances.
        self._inbox.send(delivery)
        self._store.change(delivery_id, lambda known: sent_again(known, now=self._now()))
        return True


def is_overdue(delivery: Delivery, now: float) -> bool:
    """Whether a worker should have come to an end with it."""
    return delivery.is_pending and delivery.due_at <= now * 1000


def is_hopeless(delivery: Delivery) -> bool:
    """Whether its worker failed as often as the queue lets it, or never even began."""
    return delivery.attempts >= MAX_ATTEMPTS or delivery.sends >= MAX_SENDS


def given_up(delivery: Delivery, *, now: float) -> Delivery | None:
    """A delivery that is not sent again by itself. It is not done: a redriven message or a replay works on it."""
    if not is_overdue(delivery, now) or not is_hopeless(delivery):
        return None
    return replace(delivery, status=Status.FAILED, reasons=(GAVE_UP,))


def sent_again(delivery: Delivery, *, now: float) -> Delivery | None:
    """A delivery that has just been sent again, and is looked at later than the last time."""
    if not is_overdue(delivery, now):
        return None
    sends = delivery.sends + 1
    return replace(delivery, sends=sends, due_at=due(int(now * 1000), sends))
