"""The outermost frame of every function: the only place that takes any exception whatever.

Nothing unforeseen leaves a function as it is: Lambda would write its text, with whatever is in it, to the log.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import asdict, is_dataclass
from math import inf
from typing import Any, Protocol, TypeVar

from gitlab_hub.web.principal import FAILED, Principal
from gitlab_hub.web.responses import internal_error
from gitlab_hub.web.telemetry import LambdaTelemetry, Telemetry

# The authorizer's decision: it says who calls and denies nobody.
#
# A denial here would be answered by the gateway in a shape of its own; the routes refuse instead (401 in the hub's
# envelope), and every request without the context that this leaves behind is refused there.

FAILED_ANSWER = {"isAuthorized": True, "context": FAILED}
"""The answer where the token could not be looked up; the routes turn it into 503."""

_BEARER = re.compile(r"\s*bearer +(\S+)\s*", re.IGNORECASE)


def authorize(event: Mapping[str, Any], principal_of: Callable[[str], Principal | None]) -> dict[str, Any]:
    """Answer an authorizer request (payload 2.0, simple answers); `principal_of` knows the tokens."""
    token = presented_token(event)
    principal = principal_of(token) if token else None
    return {"isAuthorized": True, "context": principal.to_context() if principal else {}}


def presented_token(event: Mapping[str, Any]) -> str | None:
    """Read the bearer token of a request."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    match = _BEARER.fullmatch(headers.get("authorization") or "")
    return match[1] if match else None


T = TypeVar("T")
Event = Mapping[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]

# What is kept of the time limit, to write down where the work has come to.
RESERVE_SECONDS = 5.0


_context: ContextVar[Any] = ContextVar("lambda_context", default=None)


def set_context(context: Any) -> None:
    """Note the context of the invocation that begins, for those deep inside who are not handed it."""
    _context.set(context)


def time_left() -> float:
    """Give the seconds until Lambda ends the running function; outside of one there is no end."""
    context = _context.get()
    return inf if context is None else float(context.get_remaining_time_in_millis()) / 1000


def work_time_left() -> float:
    """Give the seconds that may be worked: the last ones are kept to write down how far the work has come."""
    return max(0.0, time_left() - RESERVE_SECONDS)


class EntryError(Exception):
    """The function failed; the log has the reason."""


class Api(Protocol):
    """What answers HTTP requests."""

    def resolve(self, event: Event, context: Any) -> dict[str, Any]:
        """Answer one request."""


class OnMessage(Protocol):
    """What works on one queue message."""

    def __call__(self, message: Mapping[str, Any], *, remaining: Callable[[], float]) -> object:
        """Do the work within `remaining()` seconds, or raise to have the message delivered again."""


def http_entry(
    api: Api, *, telemetry: Telemetry | None = None, failure: Callable[[str], dict[str, Any]] | None = None
) -> Handler:
    """Make the handler of an HTTP function: whatever happens, the caller gets the hub's error envelope.

    `failure` makes another answer than that for a failure that nobody foresaw, from the id of the request.
    """
    frame = _Frame("InternalErrors", telemetry)
    failed = failure or (lambda request_id: internal_error(request_id).to_gateway(request_id))

    def handler(event: Event, context: Any) -> dict[str, Any]:
        request_id = str((event.get("requestContext") or {}).get("requestId") or "unknown")
        return frame.run(
            lambda: api.resolve(event, context),
            otherwise=lambda: failed(request_id),
            context=context,
            outcome=lambda answer: {"status": answer["statusCode"]},
            request_id=request_id,
        )

    return handler


def authorizer_entry(principal_of: Callable[[str], Principal | None], *, telemetry: Telemetry | None = None) -> Handler:
    """Make the authorizer's handler; `principal_of` finds who a presented token stands for."""
    frame = _Frame("InternalErrors", telemetry)

    def handler(event: Event, context: Any) -> dict[str, Any]:
        return frame.run(lambda: authorize(event, principal_of), otherwise=lambda: dict(FAILED_ANSWER), context=context)

    return handler


def worker_entry(
    *,
    on_message: OnMessage,
    on_tick: Callable[[], object] | None = None,
    jobs: Sequence[Callable[[], object]] = (),
    telemetry: Telemetry | None = None,
    late_after: float = 3600.0,
) -> Handler:
    """Make the handler of a function behind a queue, and perhaps a schedule: one job, or several.

    A message that was sent more than `late_after` seconds ago is worked on all the same, and counted.

    A message that fails is delivered again on its own; the others of its batch are done, except those behind it in
    its group of a FIFO queue: they keep their order only if they come again with it.
    """
    frame = _Frame("FailedMessages", telemetry)
    tick = schedule_entry(on_tick, telemetry=telemetry) if on_tick else _no_schedule
    tick = jobs_entry(jobs, telemetry=telemetry) if jobs else tick

    def handler(event: Event, context: Any) -> dict[str, Any]:
        if "Records" not in event:
            return tick(event, context)
        waited = max((_queue_delay(record) for record in event["Records"]), default=0.0)
        if waited > late_after:
            frame.count_late(context, waited)
        failed: list[str] = []
        stuck: set[str] = set()
        for record in event["Records"]:
            group = (record.get("attributes") or {}).get("MessageGroupId")
            if group in stuck or not _succeeded(record, on_message, context, frame):
                failed.append(record["messageId"])
                stuck |= {group} if group else set()
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def schedule_entry(on_tick: Callable[[], object], *, telemetry: Telemetry | None = None) -> Handler:
    """Make the handler of a function behind a schedule alone."""
    frame = _Frame("FailedTicks", telemetry)

    def handler(_event: Event, context: Any) -> dict[str, Any]:
        def work() -> bool:
            on_tick()
            return True

        if not frame.run(work, otherwise=lambda: False, context=context):
            raise EntryError("The tick failed; see the log line before this one.")
        return {}

    return handler


def jobs_entry(jobs: Sequence[Callable[[], object]], *, telemetry: Telemetry | None = None) -> Handler:
    """Make the handler of a function that does jobs on a schedule: one that fails keeps no other from its turn."""
    frame = _Frame("FailedTicks", telemetry)

    def handler(_event: Event, context: Any) -> dict[str, Any]:
        def done(job: Callable[[], object]) -> bool:
            def work() -> object:
                return job() or True

            return bool(frame.run(work, otherwise=lambda: False, context=context, outcome=_log_fields))

        failed = [job for job in jobs if not done(job)]
        if failed:
            raise EntryError("A job failed; see the log lines before this one.")
        return {}

    return handler


class _Frame:
    """Runs work; what it raises is logged, counted, and gone."""

    def __init__(self, metric: str, telemetry: Telemetry | None) -> None:
        self._metric, self._telemetry = metric, telemetry or LambdaTelemetry()

    def run(
        self,
        work: Callable[[], T],
        *,
        otherwise: Callable[[], T],
        context: Any,
        outcome: Callable[[T], Mapping[str, Any]] = lambda _: {},
        **keys: Any,
    ) -> T:
        """Give what the work gives, or what there is otherwise; `outcome` says what of it belongs in the log."""
        self._telemetry.begin()
        set_context(context)
        started = time.monotonic()
        function = _function(context)
        try:
            result = work()
        except Exception:  # noqa: BLE001 the one place for it, see above
            self._telemetry.failure(self._metric, function, **keys)
            return otherwise()
        took = round((time.monotonic() - started) * 1000)
        self._telemetry.done(function, milliseconds=took, **keys, **outcome(result))
        return result

    def count_late(self, context: Any, seconds: float) -> None:
        """Tell that work has waited for too long."""
        self._telemetry.late(_function(context), round(seconds))


def _function(context: Any) -> str:
    return str(getattr(context, "function_name", "unknown"))


def _succeeded(record: Mapping[str, Any], on_message: OnMessage, context: Any, frame: _Frame) -> bool:
    def work() -> bool:
        on_message(json.loads(record["body"]), remaining=lambda: _remaining(context))
        return True

    return frame.run(work, otherwise=lambda: False, context=context, message_id=record["messageId"])


def _queue_delay(record: Event) -> float:
    """How many seconds ago a message was sent; SQS says so in milliseconds of the epoch (`SentTimestamp`)."""
    sent = (record.get("attributes") or {}).get("SentTimestamp")
    return time.time() - float(sent) / 1000 if sent else 0.0


def _remaining(context: Any) -> float:
    return max(0.0, float(context.get_remaining_time_in_millis()) / 1000 - RESERVE_SECONDS)


def _log_fields(report: object) -> Mapping[str, Any]:
    """What a job says about itself, for the log."""
    if isinstance(report, Mapping):
        return report
    told = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {}
    return {"chore": type(report).__name__, **told}


def _no_schedule(_event: Event, _context: Any) -> dict[str, Any]:
    raise EntryError("This function has no schedule.")
