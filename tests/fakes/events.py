"""Whole Lambda events as AWS sends them, and a Lambda context whose time runs out."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gitlab_hub.web.principal import Principal, Role

OWNER = Principal("t-owner", Role.OWNER)


@dataclass(slots=True)
class Context:
    """A Lambda context; every look at the clock takes `step_ms` off the time that is left."""

    left_ms: int = 30_000
    step_ms: int = 0
    function_name: str = "function"
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        """Tell how long the function may still run."""
        left = self.left_ms
        self.left_ms = max(0, left - self.step_ms)
        return left


def http_event(
    method: str,
    path: str,
    body: Any = None,
    *,
    principal: Principal | None = OWNER,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    raw: str | bytes | None = None,
) -> dict[str, Any]:
    """Make an HTTP API event (payload 2.0) as it comes from behind the authorizer.

    `body` is sent as JSON; `raw` is sent as it is (bytes: base64). `principal` None = no valid token.
    """
    text, is_base64 = _spelled(body, raw)
    context = principal.to_context() if principal else {}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}, doseq=True),
        "queryStringParameters": {name: _joined(value) for name, value in (query or {}).items()} or None,
        "headers": {"host": "hub.example.com", "content-type": "application/json", **(headers or {})},
        "requestContext": {
            "requestId": "req-1",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1", "protocol": "HTTP/1.1"},
            "authorizer": {"lambda": context},
        },
        "body": text,
        "isBase64Encoded": is_base64,
    }


def authorizer_event(headers: Mapping[str, str]) -> dict[str, Any]:
    """Make a request to a Lambda authorizer (payload 2.0)."""
    return {"version": "2.0", "type": "REQUEST", "headers": dict(headers), "requestContext": {"requestId": "req-1"}}


def sqs_event(*bodies: Any, groups: Sequence[str] = ()) -> dict[str, Any]:
    """Make a batch of queue messages; a body that is a text is sent as it is. `groups`: those of a FIFO queue."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    ordered = [{"MessageGroupId": group} for group in groups] or [{}] * len(texts)
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": text,
                "attributes": {"ApproximateReceiveCount": "1", **ordered[number]},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:queue",
            }
            for number, text in enumerate(texts)
        ]
    }


def tick_event() -> dict[str, Any]:
    """Make what EventBridge Scheduler sends when its target has no input of its own."""
    return {"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}}


def answered(response: Mapping[str, Any]) -> tuple[int, Any]:
    """Read an answer of an HTTP function: JSON, or a page for people as it is."""
    is_json = "json" in response["headers"].get("content-type", "json")
    return response["statusCode"], json.loads(response["body"] or "null") if is_json else response["body"]


def _spelled(body: Any, raw: str | bytes | None) -> tuple[str | None, bool]:
    if isinstance(raw, bytes):
        return base64.b64encode(raw).decode(), True
    if raw is not None:
        return raw, False
    return (None if body is None else json.dumps(body)), False


def _joined(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
