"""Receiving: prove who sent a delivery, keep it durably, answer at once.

Lean on purpose: no validation models, no HTTP client, no call to GitLab. GitLab waits ten seconds, never retries, and
switches hooks off that fail, so whatever is our own trouble is a 503, and a genuine event is never refused.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from gitlab_hub.errors import Conflict
from gitlab_hub.gitlab.webhooks.event_types import Effect
from gitlab_hub.gitlab.webhooks.parse import parse
from gitlab_hub.storage.ports import OrderedQueue, StorageRefused, StorageUnavailable, Table
from gitlab_hub.web.call import Call
from gitlab_hub.web.errors import MethodNotAllowed, NoSuchPath
from gitlab_hub.web.responses import HttpResponse, error_response, json_response
from gitlab_hub.webhooks.deliveries.body import compress_body
from gitlab_hub.webhooks.deliveries.dispatch import OUTSIDE, hook_may_report, route_event
from gitlab_hub.webhooks.deliveries.model import Delivery, DeliveryStatus, delivery_of
from gitlab_hub.webhooks.deliveries.ports import ACTIVE, GONE, DeliveryMetrics, IntegrationState
from gitlab_hub.webhooks.deliveries.service import DeliveryService, WebhookQueueUnavailable
from gitlab_hub.webhooks.deliveries.store import DeliveryStore
from gitlab_hub.webhooks.hooks.model import Hook
from gitlab_hub.webhooks.hooks.store import HookStore
from gitlab_hub.webhooks.receiving.errors import DeliveryRejected
from gitlab_hub.webhooks.receiving.payload import raw_body, read_object
from gitlab_hub.webhooks.receiving.verification import DeliveryAuthenticator, FindableSecrets

# The headers of a delivery, as GitLab sent them: a proxy may have doubled some on their way; pure.

SEPARATORS = (",", ", ")


def deduplicated_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with every value once.

    A proxy that adds what is there already makes two headers of one, and the gateway joins them by a comma (API
    Gateway, "Working with AWS Lambda proxy integrations for HTTP APIs": duplicate headers are combined with commas).
    A signature over its own id and a token would then fit nothing, and GitLab would switch the hook off.
    """
    return {name: deduplicated_value(value) for name, value in headers.items()}


def deduplicated_value(value: str) -> str:
    """A value that stands there twice, once; any other one as it is."""
    for separator in SEPARATORS:
        half, odd = divmod(len(value) - len(separator), 2)
        if half > 0 and not odd and value == f"{value[:half]}{separator}{value[:half]}":
            return value[:half]
    return value


_LOG = logging.getLogger(__name__)

PATH = "/v1/webhooks/gitlab"
BUDGET_SECONDS = 3.5
"""No further call to AWS begins later than this: each takes at most four seconds, and all is said within eight."""


class Receiver:
    """Answers GitLab's deliveries."""

    def __init__(
        self,
        *,
        authenticator: DeliveryAuthenticator,
        deliveries: DeliveryService,
        states: IntegrationState,
        metrics: DeliveryMetrics,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._authenticator, self._deliveries, self._states, self._metrics = authenticator, deliveries, states, metrics
        self._now, self._clock, self._new_id = now, clock, new_id

    def answer(self, call: Call) -> HttpResponse:
        """Answer one call; nothing that GitLab can send, and nothing that AWS does, gets out as an exception."""
        budget = _RequestBudget(self._clock)
        try:
            return self._receive(call, budget)
        except DeliveryRejected as refusal:
            self._metrics.refused(refusal.reason)
            return error_response(refusal, call.request_id)
        except (StorageUnavailable, StorageRefused, WebhookQueueUnavailable, Conflict) as error:
            _LOG.warning("webhook not kept", extra={"reason": str(error)})
            self._metrics.unavailable(hook_id=budget.hook.id if budget.hook else None)
            return error_response(WebhookQueueUnavailable(), call.request_id)

    def _receive(self, call: Call, budget: "_RequestBudget") -> HttpResponse:
        raw = raw_body(call.event)
        check, headers = budget.check_time, deduplicated_headers(call.headers)
        hook = self._authenticator.authenticate(_hook_id(call.path), headers, raw, now=self._now(), check=check)
        budget.hook = hook
        body = read_object(raw)
        # Commits and the files in them are for the worker: a large push has hundreds of thousands.
        event = parse(headers.get("x-gitlab-event", ""), {**body, "commits": []})
        effect = route_event(event)
        if not isinstance(effect, Effect):
            return self._ignored(hook, effect)
        within = hook_may_report(hook, event, body)
        if within is False:
            return self._ignored(hook, OUTSIDE)
        budget.check_time()
        state = self._states.of(hook.integration_id)
        if state == GONE:
            return self._ignored(hook, state)
        compressed = compress_body(event.kind, body)
        delivery = delivery_of(
            hook, event, headers, raw, now=self._now(), receipt=self._new_id(), truncated=compressed.truncated
        )
        delivery = replace(delivery, scope_open=within is None)
        budget.check_time()
        if state != ACTIVE:
            # Kept, so that it is seen and can be replayed; nobody works on it before.
            self._deliveries.record(replace(delivery, status=DeliveryStatus.IGNORED, reasons=(state,)), compressed.data)
            return self._ignored(hook, state)
        return self._accept(delivery, compressed.data, budget)

    def _accept(self, delivery: Delivery, body: bytes, budget: "_RequestBudget") -> HttpResponse:
        is_new = self._deliveries.record(delivery, body)
        budget.check_time()
        if is_new:
            self._deliveries.enqueue(delivery)
            return json_response(202, {"ok": True, "delivery_id": delivery.id})
        self._deliveries.reenqueue(delivery.id, now=self._now())
        return json_response(200, {"ok": True, "duplicate": True})

    def _ignored(self, hook: Hook, reason: str) -> HttpResponse:
        self._metrics.ignored(reason, hook_id=hook.id)
        return json_response(200, {"ok": True, "ignored": reason})


class _RequestBudget:
    """What is known of the call that is being answered: since when, and through which hook it came."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._started = clock, clock()
        self.hook: Hook | None = None

    def check_time(self) -> None:
        """Stop while there is still time to say so. Raises WebhookQueueUnavailable."""
        if self._clock() - self._started > BUDGET_SECONDS:
            raise WebhookQueueUnavailable


def _hook_id(path: str) -> str | None:
    return path.removeprefix(PATH).strip("/") or None


# The receiver as a function of its own: the whole API's machinery would only make its cold start longer.

_PATH = re.compile(rf"{re.escape(PATH)}(?:/[^/]{{1,200}})?")


class WebhookApp:
    """Hands calls to the receiver; knows its two paths and nothing else."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def resolve(self, event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        """Answer one request."""
        call = Call.of(event)
        return self._answer(call).to_gateway(call.request_id)

    def _answer(self, call: Call) -> HttpResponse:
        if not _PATH.fullmatch(call.path):
            return error_response(NoSuchPath("There is no such path."), call.request_id)
        if call.method != "POST":
            return error_response(MethodNotAllowed("Use POST here.", details={"allowed": ["POST"]}), call.request_id)
        return self._receiver.answer(call)


# The receiving side put together over its ports: the receiver alone, because its function starts with nothing else.


class ReceiveFeature:
    """Taking deliveries in. `table` is the DeliveriesTable; nothing is read or sent by putting this together."""

    def __init__(
        self,
        *,
        table: Table,
        queue: OrderedQueue,
        secrets: FindableSecrets,
        states: IntegrationState,
        metrics: DeliveryMetrics,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.receiver = Receiver(
            authenticator=DeliveryAuthenticator(HookStore(table), secrets),
            deliveries=DeliveryService(DeliveryStore(table), queue),
            states=states,
            metrics=metrics,
            now=now,
            clock=clock,
        )
