"""Logs and metrics of every function: structured, and without secrets."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from gitlab_hub.web.redact import RedactingFormatter

NAMESPACE = "gitlab-hub"

# At lower levels these write what they send: addresses with their queries, headers, bodies.
_TALKATIVE = ("httpx", "httpcore", "botocore", "boto3", "urllib3")

_NOTABLE = {"suspect": "SuspectSyncs", "failed": "FailedSyncs"}


class Telemetry(Protocol):
    """Where the entries tell what they cannot tell the caller."""

    def begin(self) -> None:
        """Get ready; called at the start of every invocation."""

    def done(self, function: str, **keys: Any) -> None:
        """Write that an invocation ended, and what is to be known of it."""

    def failure(self, metric: str, function: str, **keys: Any) -> None:
        """Write the exception that is being handled, and count it."""


class LambdaTelemetry:
    """Log lines and embedded metrics on standard output, where Lambda picks them up."""

    def begin(self) -> None:
        """Set logging up, so that whatever runs inside the function writes no secret."""
        set_up_logging()

    def done(self, function: str, **keys: Any) -> None:
        """Write that an invocation ended, and what is to be known of it."""
        set_up_logging().info("done", extra={"function": function, **keys})

    def failure(self, metric: str, function: str, **keys: Any) -> None:
        """Write the exception that is being handled, and count it."""
        set_up_logging().exception("unforeseen failure", extra={"function": function, **keys})
        count(metric, function=function)


@cache
def set_up_logging() -> Logger:
    """Set logging up once and give the logger above all of `gitlab_hub` (its level: `POWERTOOLS_LOG_LEVEL`).

    Modules log through `logging.getLogger(__name__)`; lines of other packages go through the root handler, which
    Lambda puts there, so that one gets the same formatter.
    """
    for handler in logging.getLogger().handlers:
        handler.setFormatter(RedactingFormatter())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    return Logger(service="gitlab_hub", logger_formatter=RedactingFormatter())


def count(name: str, *, function: str, value: int = 1) -> None:
    """Write one count as a metric of the function."""
    with single_metric(
        name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE, default_dimensions={"function": function}
    ):
        pass


def run_ended(function: str, *, kind: str, status: str, integration_id: str, counts: Mapping[str, int]) -> None:
    """Write how a run of a sync ended and what it cost; what a person should know of is counted for an alarm."""
    keys = {"function": function, "kind": kind, "status": status, "integration_id": integration_id}
    set_up_logging().info("sync ended", extra={**keys, "counts": dict(counts)})
    count("SyncRequests", function=function, value=counts.get("requests", 0))
    count("SyncRateLimited", function=function, value=counts.get("rate_limited", 0))
    if status in _NOTABLE:
        count(_NOTABLE[status], function=function)
