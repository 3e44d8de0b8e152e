"""What the functions count, run with the environment that the template gives them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from gitlab_hub.integrations.tokens.alerts import LambdaTokenAlerts
from gitlab_hub.web.entry import EntryError, authorizer_entry, http_entry, jobs_entry, schedule_entry, worker_entry
from gitlab_hub.web.telemetry import dead_letters, run_ended
from gitlab_hub.webhooks.deliveries.metrics import WebhookMetrics
from tests.fakes.events import Context, authorizer_event, http_event, sqs_event, tick_event
from tests.unit.template.transformed import Resource, source

Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""A metric as CloudWatch tells them apart: namespace, name, and the names and values of its dimensions."""


class Broken:
    """Fails at whatever it is asked for."""

    def resolve(self, _event: Any, _context: Any) -> dict[str, Any]:
        """Fail at a request."""
        raise ValueError

    def __call__(self, *_given: Any, **_more: Any) -> Any:
        """Fail at anything else."""
        raise ValueError


def _ticks() -> None:
    for handler in (schedule_entry(Broken()), jobs_entry([Broken()])):
        with suppress(EntryError):
            handler(tick_event(), Context())


def _ended(status: str) -> None:
    again, about = status == "failed", {"kind": "access", "integration_id": "int_1"}
    run_ended("function", status=status, counts={"requests": 3}, keeps_failing=again, **about)


def _late() -> None:
    event = sqs_event({"n": 1})
    event["Records"][0]["attributes"] = {"SentTimestamp": "1000"}
    worker_entry(on_message=lambda _message, *, remaining: remaining())(event, Context())


NOTICES, SIGNALS = WebhookMetrics("function"), LambdaTokenAlerts()
PATHS: tuple[Callable[[], object], ...] = (
    lambda: http_entry(Broken())(http_event("GET", "/healthz"), Context()),
    lambda: authorizer_entry(Broken())(authorizer_event({"authorization": "Bearer x"}), Context()),
    lambda: worker_entry(on_message=Broken())(sqs_event({"n": 1}), Context()),
    _ticks,
    _late,
    *(lambda status=status: _ended(status) for status in ("idle", "parked", "suspect", "failed")),
    lambda: dead_letters("function", {"queue": 2}),
    lambda: SIGNALS.needs_reauth("int_1", "cred_1", "invalid_grant"),
    lambda: SIGNALS.expiring("int_1", "cred_1", 7),
    lambda: SIGNALS.failed("int_1", "rate_limited"),
    lambda: NOTICES.refused("wrong_token"),
    lambda: NOTICES.ignored("paused", hook_id="hook_1"),
    lambda: NOTICES.unavailable(hook_id=None),
    lambda: NOTICES.gave_up("dlv_1"),
    lambda: NOTICES.requeued(3),
)
"""Every way through the code that counts something."""


def walk(read: Callable[[], str]) -> Iterator[Metric]:
    """Go all ways and give what was counted; `read` gives what was written to standard output meanwhile."""
    for path in PATHS:
        path()
    for line in read().splitlines():
        written = json.loads(line)
        for directive in written.get("_aws", {}).get("CloudWatchMetrics", []):
            yield from _metrics(directive, written)


def _metrics(directive: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Metric]:
    """The metrics of one line, as CloudWatch makes them (User Guide, "Embedded metric format specification")."""
    for metric in directive["Metrics"]:
        for names in directive["Dimensions"]:
            yield directive["Namespace"], metric["Name"], frozenset((name, written[name]) for name in names)


def watched(alarm: Resource) -> Metric:
    """What an alarm looks at."""
    dimensions = frozenset((one["Name"], resolved(one["Value"])) for one in alarm["Dimensions"])
    return alarm["Namespace"], alarm["MetricName"], dimensions


def environment_of(function: Resource) -> dict[str, str]:
    """A function's environment, with made-up values for what is only known in AWS."""
    return {name: resolved(value) for name, value in function["Environment"]["Variables"].items()}


def resolved(value: Any) -> str:
    """A value of the template as text: a parameter's default, and in brackets what is only known in AWS."""
    if isinstance(value, str):
        return value
    ((_, name),) = value.items()
    default = source()["Parameters"].get(name, {}).get("Default") if isinstance(name, str) else None
    return f"<{json.dumps(name)}>" if default is None else str(default)
