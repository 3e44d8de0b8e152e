"""Receiving: prove who sent a delivery, keep it durably, answer at once.

Lean on purpose: no validation models, no HTTP client, no call to GitLab. GitLab waits ten seconds, never retries, and
switches hooks off that fail, so whatever is our own trouble is a 503, and a genuine event is never refused.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from gitlab_hub.errors import Conflict
from gitlab_hub.gitlab.events import parse
from gitlab_hub.storage.errors import StorageUnavailable
from gitlab_hub.web.answers import Answer, error_answer, json_answer
from gitlab_hub.web.call import Call
from gitlab_hub.webhooks.claim_check import pack
from gitlab_hub.webhooks.delivery_model import Delivery, Status, delivery_of
from gitlab_hub.webhooks.effects import OUTSIDE, Effect, effect_of, is_within
from gitlab_hub.webhooks.gate import Gate
from gitlab_hub.webhooks.headers import as_sent
from gitlab_hub.webhooks.inbox import Inbox
from gitlab_hub.webhooks.model import Hook
from gitlab_hub.webhooks.payload import raw_body, read_object
from gitlab_hub.webhooks.ports import ACTIVE, GONE, Notices, Standing
from gitlab_hub.webhooks.refusals import Refusal, WebhookQueueUnavailable

PATH = "/v1/webhooks/gitlab"
BUDGET_SECONDS = 3.5
"""No further call to AWS begins later than this: each takes at most four seconds, and all is said within eight."""


class Receiver:
    """Answers GitLab's deliveries."""

    def __init__(
        self,
        *,
        gate: Gate,
        inbox: Inbox,
        standing: Standing,
        notices: Notices,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._gate, self._inbox, self._standing, self._notices = gate, inbox, standing, notices
        self._now, self._clock, self._new_id = now, clock, new_id

    def answer(self, call: Call) -> Answer:
        """Answer one call; nothing that GitLab can send, and nothing that AWS does, gets out as an exception."""
        reception = _Reception(self._clock)
        try:
            return self._receive(call, reception)
        except Refusal as refusal:
            self._notices.refused(refusal.reason)
            return error_answer(refusal, call.request_id)
        except (StorageUnavailable, WebhookQueueUnavailable, Conflict):
            self._notices.unavailable(hook_id=reception.hook.id if reception.hook else None)
            return error_answer(WebhookQueueUnavailable(), call.request_id)

    def _receive(self, call: Call, reception: "_Reception") -> Answer:
        raw = raw_body(call.event)
        check, headers = reception.check_time, as_sent(call.headers)
        hook = self._gate.admit(_hook_id(call.path), headers, raw, now=self._now(), check=check)
        reception.hook = hook
        body = read_object(raw)
        # Commits and the files in them are for the worker: a large push has hundreds of thousands.
        event = parse(headers.get("x-gitlab-event", ""), {**body, "commits": []})
        effect = effect_of(event)
        if not isinstance(effect, Effect):
            return self._ignored(hook, effect)
        within = is_within(hook, event, body)
        if within is False:
            return self._ignored(hook, OUTSIDE)
        reception.check_time()
        standing = self._standing.of(hook.integration_id)
        if standing == GONE:
            return self._ignored(hook, standing)
        packed = pack(event.kind, body)
        delivery = delivery_of(
            hook, event, headers, raw, now=self._now(), receipt=self._new_id(), truncated=packed.truncated
        )
        delivery = replace(delivery, scope_open=within is None)
        reception.check_time()
        if standing != ACTIVE:
            # Kept, so that it is seen and can be replayed; nobody works on it before.
            self._inbox.keep(replace(delivery, status=Status.IGNORED, reasons=(standing,)), packed.data)
            return self._ignored(hook, standing)
        return self._kept(delivery, packed.data, reception)

    def _kept(self, delivery: Delivery, body: bytes, reception: "_Reception") -> Answer:
        is_new = self._inbox.keep(delivery, body)
        reception.check_time()
        if is_new:
            self._inbox.send(delivery)
            return json_answer(202, {"ok": True, "delivery_id": delivery.id})
        self._inbox.send_again(delivery.id, now=self._now())
        return json_answer(200, {"ok": True, "duplicate": True})

    def _ignored(self, hook: Hook, reason: str) -> Answer:
        self._notices.ignored(reason, hook_id=hook.id)
        return json_answer(200, {"ok": True, "ignored": reason})


class _Reception:
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
