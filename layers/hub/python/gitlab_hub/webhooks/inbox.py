"""Keeping a delivery durably: written once, sent once. A crash in between can repeat it, and never lose it."""

from dataclasses import replace

from gitlab_hub.storage.queue import OrderedQueue
from gitlab_hub.webhooks.delivery_model import Delivery, Status, due
from gitlab_hub.webhooks.delivery_store import DeliveryStore
from gitlab_hub.webhooks.refusals import WebhookQueueUnavailable

SCHEMA = 1


class Inbox:
    """Where accepted deliveries wait for their worker."""

    def __init__(self, store: DeliveryStore, queue: OrderedQueue) -> None:
        self._store, self._queue = store, queue

    def keep(self, delivery: Delivery, body: bytes) -> bool:
        """Write a delivery; False where it was kept before."""
        return self._store.keep(delivery, body)

    def send(self, delivery: Delivery) -> None:
        """Send a delivery to its worker; within five minutes the same round is taken once. Raises QueueUnavailable."""
        message = {"schema": SCHEMA, "delivery_id": delivery.id}
        self._queue.send(message, group=delivery.queue_group, once=delivery.once)

    def send_again(self, delivery_id: str, *, now: float) -> None:
        """Send a repeated delivery, if its worker has not come to an end with it."""
        known = self._store.get(delivery_id)
        if known is None:
            raise WebhookQueueUnavailable  # Its row ended between two looks: whoever resends it now begins anew.
        if not known.is_done:
            self.send(known if known.is_pending else self.reopen(delivery_id, now=now) or known)

    def reopen(self, delivery_id: str, *, now: float) -> Delivery | None:
        """Make a delivery pending again, for another round of decisions; None where there is none of this id."""
        return self._store.change(delivery_id, lambda known: reopened(known, now=now))


def reopened(delivery: Delivery, *, now: float) -> Delivery:
    """A delivery that begins another round; what earlier rounds brought stays in it."""
    sent_at = int(now * 1000)
    return replace(
        delivery,
        status=Status.PENDING,
        reasons=(),
        began_at=sent_at,
        processed_at=None,
        milliseconds=None,
        sends=1,
        attempts=0,
        replays=delivery.replays + 1,
        due_at=due(sent_at, 1),
    )
