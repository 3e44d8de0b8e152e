"""What a hook was told: recorded events, resends and tests."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.hook_model import Hook, HookEvent, HookKind
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.hook_shapes import event_row
from stand_in_gitlab.rest.hooks import HookOwners
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import bad_request, not_found, refused, too_many
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.webhooks.events import FLAG
from stand_in_gitlab.webhooks.samples import Samples
from stand_in_gitlab.webhooks.sender import INTERNAL_ERROR, HookDisabled, Sender

KEPT_DAYS, PER_PAGE = 7, 20
PER_MINUTE, MINUTE = 5, 60.0
CLASSES = {"successful": "2", "client_failure": "4", "server_failure": "5"}


class HookEventsApi:
    """Events, resend and test; system hooks have their test only, and say nothing of the past."""

    def __init__(
        self,
        company: Company,
        sender: Sender,
        samples: Samples,
        kind: HookKind,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender, self._samples, self._kind = sender, samples, kind
        self._owners, self._monotonic = HookOwners(company, kind), monotonic
        self._calls: defaultdict[tuple[object, ...], deque[float]] = defaultdict(deque)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        if self._kind == "system":
            yield "POST", "/hooks/*", self.test_system
            return
        path = f"/{self._kind}s/*/hooks/*"
        yield "GET", f"{path}/events", self.many
        yield "POST", f"{path}/events/*/resend", self.resend
        yield "POST", f"{path}/test/*", self.test

    def many(self, ask: Ask) -> Answer:
        """GET …/hooks/:hook_id/events: newest first, of the last seven days, at most twenty a page."""
        hook = self._owners.hook(ask)
        if ask.number("per_page", PER_PAGE) not in range(1, PER_PAGE + 1):
            raise bad_request("per_page does not have a valid value")
        if ask.params.keys() >= {"status", "status[]"}:
            # Rack's parser: a parameter cannot be a text and an array.
            raise bad_request("expected Array (got String) for param `status'")
        wanted = [each for each in str(ask.params.get("status") or ask.params.get("status[]") or "").split(",") if each]
        since = ask.now - ask.now % DAY - KEPT_DAYS * DAY
        rows = [event for event in reversed(hook.events) if event.created >= since and _chosen(event, wanted)]
        # The link has what GitLab made of the text, an array (`CommaSeparatedToArray` in lib/api/hooks/events.rb).
        params = {"status[]" if name == "status" else name: value for name, value in ask.params.items()}
        return numbered(replace(ask, params=params), rows, event_row)

    def resend(self, ask: Ask) -> Answer:
        """POST …/events/:event_id/resend: the same key and data again, waited for."""
        hook = self._owners.hook(ask)
        self._limit("resend", hook, ask)
        number = ask.integer(ask.names[2], "hook_log_id")
        event = next((each for each in hook.events if each.id == number), None)
        if event is None:
            raise not_found()
        return Answer(202, later=lambda: self._resent(hook, event))

    def _resent(self, hook: Hook, event: HookEvent) -> Answer:
        if event.url != hook.url:
            return _problem("The hook URL has changed, and this log entry cannot be retried")
        try:
            again = self._sender.resend(hook, event)
        except HookDisabled as problem:
            return _problem(str(problem))
        if again.response_status == INTERNAL_ERROR:
            return _problem("execution expired")
        return reply({"response_status": int(again.response_status)}, 201)

    def test(self, ask: Ask) -> Answer:
        """POST …/hooks/:hook_id/test/:trigger: a made-up event, waited for."""
        hook = self._owners.hook(ask)
        trigger = next((name for name, flag in FLAG.items() if flag == ask.names[2]), None)
        if trigger is None or ask.names[2] not in hook.flags:
            raise bad_request("trigger does not have a valid value")
        self._limit("test", hook, ask)
        payload = self._samples.of(trigger, hook, ask.user)
        if payload is None:
            raise refused("Testing not available for this hook", 422)
        return Answer(202, later=lambda: _tested(self._sender.test(hook, trigger, payload)))

    def test_system(self, ask: Ask) -> Answer:
        """POST /hooks/:hook_id: answers the made-up event whatever became of it."""
        hook, payload = self._owners.hook(ask), self._samples.system()

        def send() -> Answer:
            self._sender.test(hook, "system_hooks", payload)
            return reply(payload, 201)

        return Answer(202, later=send)

    def _limit(self, what: str, hook: Hook, ask: Ask) -> None:
        """Five a minute for one user and one project or group, in real seconds."""
        calls, now = self._calls[what, hook.owner, ask.user.id], self._monotonic()
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        if len(calls) >= PER_MINUTE:
            raise too_many()
        calls.append(now)


def _chosen(event: HookEvent, wanted: list[str]) -> bool:
    if not wanted:
        return True
    if "server_failure" in wanted and event.response_status == INTERNAL_ERROR:
        return True
    classes = {CLASSES[name] for name in wanted if name in CLASSES}
    return event.response_status in wanted or event.response_status[:1] in classes


def _tested(event: HookEvent) -> Answer:
    if event.response_status.startswith("2"):
        return reply({"message": "201 Created"}, 201)
    return _problem(event.response_body or "execution expired")


def _problem(message: str) -> Answer:
    return reply({"message": message}, 422)
