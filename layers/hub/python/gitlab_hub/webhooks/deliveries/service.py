"""Keeping a delivery durably: written once, sent once. A crash in between can repeat it, and never lose it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from gitlab_hub.errors import HubError, NotFound
from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.storage.ports import OrderedQueue
from gitlab_hub.webhooks.deliveries.body import compress_body, decompress_body
from gitlab_hub.webhooks.deliveries.model import Delivery, DeliveryStatus, due, polled_delivery, synthesized_id
from gitlab_hub.webhooks.deliveries.store import DeliveryStore

SCHEMA = 1


class WebhookQueueUnavailable(HubError):
    """The delivery could not be kept durably: GitLab is told so, and shows it as failed."""

    code = "webhook_queue_unavailable"
    retryable = True

    def __init__(self, message: str = "The delivery could not be queued; resend it in a moment.") -> None:
        super().__init__(message, retry_after=5)


class DeliveryService:
    """Where accepted deliveries wait for their worker."""

    def __init__(self, store: DeliveryStore, queue: OrderedQueue) -> None:
        self._store, self._queue = store, queue

    def record(self, delivery: Delivery, body: bytes) -> bool:
        """Write a delivery; False where it was kept before."""
        return self._store.keep(delivery, body)

    def enqueue(self, delivery: Delivery) -> None:
        """Send a delivery to its worker; within five minutes the same round is taken once. Raises QueueUnavailable."""
        message = {"schema": SCHEMA, "delivery_id": delivery.id}
        self._queue.send(message, group=delivery.queue_group, once=delivery.once)

    def reenqueue(self, delivery_id: str, *, now: float) -> None:
        """Send a repeated delivery, if its worker has not come to an end with it."""
        known = self._store.get(delivery_id)
        if known is None:
            raise WebhookQueueUnavailable  # Its row ended between two looks: whoever resends it now begins anew.
        if not known.is_done:
            self.enqueue(known if known.is_pending else self.reset(delivery_id, now=now) or known)

    def reset(self, delivery_id: str, *, now: float) -> Delivery | None:
        """Make a delivery pending again, for another round of decisions; None where there is none of this id."""
        return self._store.change(delivery_id, lambda known: reset_delivery(known, now=now))


def reset_delivery(delivery: Delivery, *, now: float) -> Delivery:
    """A delivery that begins another round; what earlier rounds brought stays in it."""
    sent_at = int(now * 1000)
    return replace(
        delivery,
        status=DeliveryStatus.PENDING,
        reasons=(),
        began_at=sent_at,
        processed_at=None,
        milliseconds=None,
        sends=1,
        attempts=0,
        replays=delivery.replays + 1,
        due_at=due(sent_at, 1),
    )


# Having a delivery worked on again.


class DeliveryReplay:
    """Begins another round of decisions about a delivery; builds are claimed by commit, so none is made twice."""

    def __init__(self, store: DeliveryStore, deliveries: DeliveryService, now: Callable[[], float] = time.time) -> None:
        self._store, self._deliveries, self._now = store, deliveries, now

    def require(self, delivery_id: str) -> Delivery:
        """One delivery. Raises NotFound."""
        delivery = self._store.get(delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery.")
        return delivery

    def event(self, delivery_id: str) -> HookEvent:
        """What a delivery told, as far as its body was kept. Raises NotFound."""
        stored = self._store.load(delivery_id)
        if stored is None:
            raise NotFound("There is no such delivery.")
        return parse(stored.delivery.headers.get("x-gitlab-event", ""), decompress_body(stored.body))

    def replay(self, delivery_id: str) -> Delivery:
        """Make a delivery pending again and send it; where sending fails, the requeue job does it. Raises NotFound."""
        delivery = self._deliveries.reset(delivery_id, now=self._now())
        if delivery is None:
            raise NotFound("There is no such delivery.")
        self._deliveries.enqueue(delivery)
        return delivery


# Pushes that GitLab never announced: the hub finds them by looking, and handles them as if they had been delivered.


class SynthesizedPushes:
    """Takes found pushes in: kept, queued and shown like deliveries of hooks."""

    def __init__(
        self,
        deliveries: DeliveryService,
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._deliveries, self._now, self._new_id = deliveries, now, new_id

    def push(self, integration_id: str, event: HookEvent, key: str) -> None:
        """Have a push handled once; `key` (64 hex digits) is the same whenever the same push is found.

        Raises StorageUnavailable: then it is to be found again.
        """
        body = body_of(event)
        raw = json.dumps(body, separators=(",", ":")).encode()
        name = synthesized_id(integration_id, key)
        delivery = polled_delivery(integration_id, event, name, raw, now=self._now(), receipt=self._new_id())
        if self._deliveries.record(delivery, compress_body(event.kind, body).data):
            self._deliveries.enqueue(delivery)
        else:
            self._deliveries.reenqueue(name, now=self._now())


def body_of(event: HookEvent) -> Mapping[str, Any]:
    """The body that GitLab would have sent, as far as the hub can know it."""
    place = "tags" if event.kind == "tag_push" else "heads"
    # Without lists of files: whoever needs the changed paths asks GitLab for them.
    commits = [{"id": event.sha, "message": event.message}] if event.sha and event.message else []
    return {
        "object_kind": event.kind,
        "ref": f"refs/{place}/{event.ref}",
        "checkout_sha": event.sha,
        "before": event.before,
        "after": event.after,
        "project_id": event.project_id,
        "project": {"id": event.project_id, "path_with_namespace": event.project_path},
        "commits": commits,
        "total_commits_count": event.total_commits,
    }
