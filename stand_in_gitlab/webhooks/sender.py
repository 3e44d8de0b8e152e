"""Calls hooks in the background; every attempt is recorded, none is repeated by itself."""

import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import Condition
from typing import Any

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.hook_model import Hook, HookEvent
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.webhooks import health
from stand_in_gitlab.webhooks.events import Event, audience
from stand_in_gitlab.webhooks.request import Request, Stamp, build, logged_data, logged_headers
from stand_in_gitlab.webhooks.transport import Post, Reply, Undelivered

WORKERS = 8
INTERNAL_ERROR = "internal error"
KEPT_EVENTS = 500


class HookDisabled(Exception):
    """The hook failed too often and is not called at present."""


class Sender:
    """Tells hooks what happened. `wait` blocks until nothing is under way."""

    def __init__(
        self,
        company: Company,
        clock: Clock,
        instance: str,
        post: Post,
        *,
        wall: Callable[[], float] = time.time,
        unique: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._company, self._clock, self._instance, self._post = company, clock, instance, post
        self._wall, self._unique = wall, unique
        self._changed, self._under_way = Condition(), 0
        self.sent = 0

    def publish(self, events: Iterable[Event]) -> int:
        """Call everyone who wants to know, without waiting; returns how many hooks are called."""
        calls = 0
        for event in events:
            for hook in audience(self._company, event):
                if health.executable(hook, self._clock.now()):
                    self._start(hook, event)
                    calls += 1
        return calls

    def test(self, hook: Hook, trigger: str, payload: dict[str, Any]) -> HookEvent:
        """Call one hook now, even if it is disabled, and wait for the answer."""
        return self._attempt(hook, trigger, payload, self._request(hook, trigger, payload))

    def resend(self, hook: Hook, event: HookEvent) -> HookEvent:
        """Send a recorded event again under its old key and wait; HookDisabled if the hook is not called at present."""
        if not health.executable(hook, self._clock.now()):
            message = "Hook disabled"
            raise HookDisabled(message)
        request = self._request(hook, event.trigger, event.request_data, key=event.key)
        return self._attempt(hook, event.trigger, event.request_data, request)

    def wait(self, seconds: float) -> bool:
        """Wait until every call that was started has been answered; False if that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._under_way == 0, timeout=seconds)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(WORKERS, thread_name_prefix="hooks")

    def _start(self, hook: Hook, event: Event) -> None:
        request = self._request(hook, event.trigger, event.payload)
        with self._changed:
            self._under_way += 1
        self._pool.submit(self._in_background, hook, event, request)

    def _in_background(self, hook: Hook, event: Event, request: Request) -> None:
        try:
            self._attempt(hook, event.trigger, event.payload, request)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _request(self, hook: Hook, trigger: str, payload: Any, *, key: str | None = None) -> Request:
        behaviour = self._company.behaviour
        stamp = Stamp(
            key=key or self._unique(),
            # New for each call: lib/gitlab/web_hooks/recursion_detection/uuid.rb, and every call is a job of its own.
            event_uuid=self._unique(),
            webhook_uuid=self._unique(),
            timestamp=int(self._wall() + behaviour.webhook_clock_skew),
        )
        return build(hook, trigger, payload, stamp, instance=self._instance, version=behaviour.version)

    def _attempt(self, hook: Hook, trigger: str, payload: Any, request: Request) -> HookEvent:
        started = self._wall()
        try:
            reply: Reply | None = self._post(request) if request.sendable else None
        except Undelivered:
            reply = None
        with self._changed:
            self.sent += 1
            if reply is not None and reply.good:
                health.succeeded(hook)
            else:
                health.failed(hook, self._clock.now())
            return self._record(hook, trigger, payload, request, reply, self._wall() - started)

    def _record(
        self, hook: Hook, trigger: str, payload: Any, request: Request, reply: Reply | None, duration: float
    ) -> HookEvent:
        event = HookEvent(
            id=self._company.next_id("hook event"),
            trigger=trigger,
            url=hook.url if hook.url_variables else request.url,
            request_headers=logged_headers(hook, request.headers),
            request_data=logged_data(payload),
            response_status=str(reply.status) if reply else INTERNAL_ERROR,
            response_headers=dict(reply.headers) if reply else {},
            response_body=reply.body if reply else "",
            duration=round(duration, 6),
            created=round(self._clock.now(), 3),
        )
        hook.events.append(event)
        del hook.events[:-KEPT_EVENTS]
        return event
