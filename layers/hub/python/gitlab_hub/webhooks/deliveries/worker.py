"""Working on deliveries: one message says which, its row says what happened, ports say what follows from it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from gitlab_hub.gitlab.webhooks.event import HookEvent
from gitlab_hub.gitlab.webhooks.event_types import Effect
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.storage.ports import OutOfTime, UnknownMessage
from gitlab_hub.webhooks.deliveries.body import decompress_body
from gitlab_hub.webhooks.deliveries.dispatch import OUTSIDE, route_event
from gitlab_hub.webhooks.deliveries.model import MAX_ATTEMPTS, MAX_SENDS, Delivery, DeliveryStatus, due, event_key
from gitlab_hub.webhooks.deliveries.ports import ACTIVE, Builds, DeliveryMetrics, Hints, IntegrationState, Outcome
from gitlab_hub.webhooks.deliveries.service import SCHEMA, DeliveryService
from gitlab_hub.webhooks.deliveries.store import DeliveryStore

HINTED = "asks_gitlab"
SAME_EVENT = "same_event"
"""Another hook has delivered it before: what it sets off is on that delivery."""

MAX_REASONS = 100

NEEDED_SECONDS = 25
"""What one delivery may take: a token is renewed, and GitLab is asked where a group is by now (five seconds) and what
has changed (ten)."""


class DeliveryObserver(Protocol):
    """Knows when each hook was last heard of."""

    def record_delivery(self, hook_id: str, at: int, path: str | None) -> None:
        """Note that a hook delivered something at this moment (unix seconds) of a project with this path."""


class Scopes(Protocol):
    """Knows by ids what a hook may speak of."""

    def covers(self, integration_id: str, hook_id: str, project_id: int) -> bool:
        """Whether a hook may speak of a project. Raises where nobody can say now."""


class RefRecorder(Protocol):
    """Knows which refs a project had when it was last looked at."""

    def record_push(self, integration_id: str, event: HookEvent) -> None:
        """Note a push, so that it is not found a second time."""


class DeliveryWorker:
    """The consumer of the deliveries queue. Whatever it does it may do again: a crash only repeats it."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        hooks: DeliveryObserver,
        scopes: Scopes,
        refs: RefRecorder,
        builds: Builds,
        hints: Hints,
        states: IntegrationState,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._hooks, self._refs, self._states = store, hooks, refs, states
        self._scopes, self._builds, self._hints, self._now = scopes, builds, hints, now

    def __call__(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> None:
        """Do what the message asks for. Raises UnknownMessage, UnknownSchema, OutOfTime, and what the ports raise."""
        if message.get("schema") != SCHEMA:
            raise UnknownMessage(f"This version understands schema {SCHEMA} only.")
        if remaining() < NEEDED_SECONDS:
            raise OutOfTime
        loaded = self._store.load(str(message["delivery_id"]))
        # Without a row there is nothing left to be done: it is written first and lives longer than any message.
        if loaded is None or loaded.delivery.is_done:
            return
        delivery, outcome = loaded.delivery, None
        try:
            outcome = self._outcome(delivery, loaded.body)
        finally:
            if outcome is None:
                self._store.change(delivery.id, attempted)
        self._store.change(delivery.id, lambda known: finished(known, outcome, now=self._now()), read=loaded)
        if delivery.hook_id is not None:
            self._hooks.record_delivery(delivery.hook_id, delivery.received_at // 1000, delivery.project_path)

    def _outcome(self, delivery: Delivery, body: bytes) -> Outcome:
        state = self._states.of(delivery.integration_id)
        if state != ACTIVE:
            return Outcome(status=DeliveryStatus.IGNORED, reasons=(state,))
        kept = decompress_body(body)
        event = parse(delivery.headers.get("x-gitlab-event", ""), kept)
        effect = route_event(event)
        if not isinstance(effect, Effect):
            return Outcome(status=DeliveryStatus.IGNORED, reasons=(effect,))
        if delivery.scope_open and not self._is_within(delivery):
            return Outcome(status=DeliveryStatus.IGNORED, reasons=(OUTSIDE,))
        if effect is Effect.BUILDS:
            if not self._is_first(delivery, event, kept):
                return Outcome(status=DeliveryStatus.IGNORED, reasons=(SAME_EVENT,))
            return self._built(delivery, event)
        self._hint(delivery.integration_id, effect, event)
        return Outcome(status=DeliveryStatus.HANDLED, reasons=(HINTED,))

    def _is_first(self, delivery: Delivery, event: HookEvent, body: Mapping[str, Any]) -> bool:
        # What the hub has found itself was not told by a hook, and may be the second of two movements that are alike.
        key = event_key(delivery.integration_id, event, body)
        return delivery.hook_id is None or self._store.is_first(key, delivery, now=self._now())

    def _is_within(self, delivery: Delivery) -> bool:
        hook_id, project_id = delivery.hook_id, delivery.project_id
        if hook_id is None or project_id is None:
            return False
        return self._scopes.covers(delivery.integration_id, hook_id, project_id)

    def _built(self, delivery: Delivery, event: HookEvent) -> Outcome:
        build_ids, reasons = self._builds.on_event(delivery.integration_id, event, delivery_id=delivery.id)
        self._refs.record_push(delivery.integration_id, event)
        status = DeliveryStatus.HANDLED if build_ids else DeliveryStatus.IGNORED
        return Outcome(status=status, reasons=tuple(reasons), build_ids=tuple(build_ids))

    def _hint(self, integration_id: str, effect: Effect, event: HookEvent) -> None:
        match effect:
            case Effect.PIPELINE if event.project_id and event.pipeline_id:
                self._hints.pipeline(integration_id, event.project_id, event.pipeline_id)
            case Effect.DEPLOYMENTS if event.project_id:
                self._hints.deployments(integration_id, event.project_id)
            case Effect.PROJECT if event.project_id:
                self._hints.project(integration_id, event.project_id)
            case Effect.GROUP if event.group_id:
                self._hints.group(integration_id, event.group_id)


def attempted(delivery: Delivery) -> Delivery | None:
    """A delivery that its worker began with, and failed; nothing else about it changes."""
    return None if delivery.is_done else replace(delivery, attempts=delivery.attempts + 1)


def finished(delivery: Delivery, outcome: Outcome, *, now: float) -> Delivery | None:
    """A delivery with its outcome; builds of earlier rounds are not forgotten."""
    if delivery.is_done:
        return None  # Another copy of the message was faster, with the same outcome.
    began = delivery.received_at if delivery.began_at is None else delivery.began_at
    return replace(
        delivery,
        status=outcome.status,
        reasons=outcome.reasons[:MAX_REASONS],
        build_ids=tuple(dict.fromkeys((*delivery.build_ids, *outcome.build_ids))),
        processed_at=int(now),
        milliseconds=max(0, int(now * 1000) - began),  # Clocks of two machines differ.
        attempts=delivery.attempts + 1,
    )


# Deliveries that were kept and then forgotten: sent again, and at last given up where everybody can see it.

MOST_PER_TICK = 100
GAVE_UP = "gave_up"


class RequeueJob:
    """Looks every minute for deliveries whose message was never sent, or never worked on."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        deliveries: DeliveryService,
        metrics: DeliveryMetrics,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._deliveries, self._metrics, self._now = store, deliveries, metrics, now

    def tick(self) -> int:
        """Send what is overdue, a bounded number at a time; the answer says how many. Raises StorageUnavailable."""
        sent = 0
        for delivery_id in self._store.overdue(self._now(), MOST_PER_TICK):
            sent += self._look(delivery_id)
        if sent:
            self._metrics.requeued(sent)
        return sent

    def _look(self, delivery_id: str) -> bool:
        delivery = self._store.get(delivery_id)
        if delivery is None or not is_overdue(delivery, self._now()):
            return False  # The index is a moment behind the row.
        if attempts_exhausted(delivery):
            if self._store.change(delivery_id, lambda known: mark_failed(known, now=self._now())):
                self._metrics.gave_up(delivery_id)
            return False
        # Sent first: a crash in between sends it once more, and a queue that is down does not use up its chances.
        self._deliveries.enqueue(delivery)
        self._store.change(delivery_id, lambda known: with_requeue(known, now=self._now()))
        return True


def is_overdue(delivery: Delivery, now: float) -> bool:
    """Whether a worker should have come to an end with it."""
    return delivery.is_pending and delivery.due_at <= now * 1000


def attempts_exhausted(delivery: Delivery) -> bool:
    """Whether its worker failed as often as the queue lets it, or never even began."""
    return delivery.attempts >= MAX_ATTEMPTS or delivery.sends >= MAX_SENDS


def mark_failed(delivery: Delivery, *, now: float) -> Delivery | None:
    """A delivery that is not sent again by itself. It is not done: a redriven message or a replay works on it."""
    if not is_overdue(delivery, now) or not attempts_exhausted(delivery):
        return None
    return replace(delivery, status=DeliveryStatus.FAILED, reasons=(GAVE_UP,))


def with_requeue(delivery: Delivery, *, now: float) -> Delivery | None:
    """A delivery that has just been sent again, and is looked at later than the last time."""
    if not is_overdue(delivery, now):
        return None
    sends = delivery.sends + 1
    return replace(delivery, sends=sends, due_at=due(int(now * 1000), sends))
