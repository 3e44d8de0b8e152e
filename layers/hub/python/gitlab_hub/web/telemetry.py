"""Logs and metrics of every function: structured, and without secrets."""

import logging
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

# Taking secrets out of every line before it is written.

REDACTED = "[redacted]"

# What GitLab, the hub and Standard Webhooks put in front of their tokens.
_PREFIXED = re.compile(
    r"(gl(?:pat|oas|rt|dt|cbt|ft|ptt|soat|imt|agent|ffct|wt|rtr)-|whsec_|ghub_)(?:[\w.~+/=-]|%2B|%2F|%3D)+",
    re.IGNORECASE,
)

# The start of a word; what was encoded for a URL may stand before it.
_START = r"(?:\b|(?<=%[0-9A-Fa-f]{2}))"

# `Authorization: Bearer …`, also with the blank encoded.
_SCHEME = re.compile(rf"{_START}(bearer|basic)((?:\s|\+|%20|\\u0020)+)[^\s\"'\\,;&]+", re.IGNORECASE)

# One blank of a name may be written as dash or underscore: header and field spell the same thing.
_NAMES = "|".join(
    name.replace("_", "[_-]")
    for name in (
        "access_token", "api_token", "authorization", "client_secret", "code_verifier", "job_token", "new_token",
        "owner_token", "password", "private_token", "refresh_token", "secret", "secret_token", "signing_token", "token",
        "x_gitlab_token",
    )
)  # fmt: skip

# A quote as it is, or escaped by JSON (any number of times), or encoded for a URL.
_QUOTE = r"(?:\\*[\"']|%22|%27)"
_BETWEEN = r"\s*(?:=|:|%3D|%3A)\s*(?:%20)*"
_QUOTED = re.compile(rf"({_NAMES})({_QUOTE}?{_BETWEEN})({_QUOTE})(.*?)\3", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(rf"({_NAMES}|{_START}code)((?:=|%3D))((?:(?!%26|%22)[^\s\"'&,;\\}}\])])+)", re.IGNORECASE)
_HEADER = re.compile(rf"({_NAMES})(:\s+)([^\s\"'\\,;\[{{]+)", re.IGNORECASE)
_CODE = re.compile(rf"{_START}(code)({_QUOTE}?{_BETWEEN}{_QUOTE})([0-9a-f]{{32,}})", re.IGNORECASE)


def redact(text: str) -> str:
    """Replace everything that is, or is named like, a secret."""
    text = _PREFIXED.sub(rf"\g<1>{REDACTED}", text)
    text = _SCHEME.sub(rf"\g<1>\g<2>{REDACTED}", text)
    text = _QUOTED.sub(rf"\g<1>\g<2>\g<3>{REDACTED}\g<3>", text)
    text = _BARE.sub(rf"\g<1>\g<2>{REDACTED}", text)
    text = _HEADER.sub(rf"\g<1>\g<2>{REDACTED}", text)
    return _CODE.sub(rf"\g<1>\g<2>{REDACTED}", text)


class RedactingFormatter(LambdaPowertoolsFormatter):
    """The structured log line of Powertools, redacted as a whole: message, extras and stack trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        return redact(super().format(record))


NAMESPACE = "gitlab-hub"

# At lower levels these write what they send: addresses with their queries, headers, bodies.
_TALKATIVE = ("httpx", "httpcore", "botocore", "boto3", "urllib3")


class Telemetry(Protocol):
    """Where the entries tell what they cannot tell the caller."""

    def begin(self) -> None:
        """Get ready; called at the start of every invocation."""

    def done(self, function: str, **keys: Any) -> None:
        """Write that an invocation ended, and what is to be known of it."""

    def failure(self, metric: str, function: str, **keys: Any) -> None:
        """Write the exception that is being handled, and count it."""

    def late(self, function: str, seconds: int) -> None:
        """Write that work has waited for so long before somebody took it up, and count it."""


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

    def late(self, function: str, seconds: int) -> None:
        """Write that work has waited for so long before somebody took it up, and count it."""
        set_up_logging().warning("work came late", extra={"function": function, "seconds": seconds})
        count("LateWork", function=function)


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


def count(name: str, *, function: str, value: int = 1, **more: str) -> None:
    """Write one count as a metric of the whole hub; the line that carries it names the function, and `more`.

    A metric's dimensions are part of its identity (CloudWatch User Guide, "Dimensions"), each combination of them is a
    metric to pay for, and an alarm sees just the one it names. So there is one dimension, `service`, the stack's name,
    which is what Powertools adds by itself where `POWERTOOLS_SERVICE_NAME` is set.
    """
    service = os.environ.get("POWERTOOLS_SERVICE_NAME", NAMESPACE)
    with single_metric(
        name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE, default_dimensions={"service": service}
    ) as metric:
        for key, said in {"function": function, **more}.items():
            metric.add_metadata(key, said)


def dead_letters(function: str, waiting: Mapping[str, int]) -> None:
    """Write which dead-letter queues (by name) hold how many messages, and count them for the alarm."""
    if waiting:
        set_up_logging().warning("dead letters", extra={"function": function, "waiting": dict(waiting)})
        count("WorkGivenUp", function=function, value=sum(waiting.values()))


def run_ended(
    function: str,
    *,
    kind: str,
    status: str,
    integration_id: str,
    counts: Mapping[str, int],
    keeps_failing: bool = False,
) -> None:
    """Write how a run of a sync ended and what it cost; what a person should know of is counted for an alarm.

    A single failure is no alarm: the next run may well succeed, and until then it is an incident.

    Requests and waits are in the line alone: as metrics they would cost more a month than the syncs that they count.
    """
    keys = {"function": function, "kind": kind, "status": status, "integration_id": integration_id}
    set_up_logging().info("sync ended", extra={**keys, "counts": dict(counts)})
    if status == "suspect":
        count("SuspectSyncs", function=function, kind=kind, integration_id=integration_id)
    if keeps_failing:
        count("FailedSyncs", function=function, kind=kind, integration_id=integration_id)
