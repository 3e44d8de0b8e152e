"""A request as the gateway delivers it, read with suspicion."""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from gitlab_hub.web.errors import InvalidJson, NoSuchPath, PayloadTooLarge, Unprocessable

MAX_BODY_BYTES = 1_000_000
MAX_DEPTH = 50
# NUL, and halves of surrogate pairs: JSON can spell them, UTF-8 and most stores cannot hold them.
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request; header names are lower case, the body is still what the gateway gave."""

    method: str
    path: str
    request_id: str
    headers: Mapping[str, str]
    event: Mapping[str, Any]

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Call":
        """Read the parts of an HTTP API event (payload format 2.0)."""
        context = event["requestContext"]
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return cls(
            method=context["http"]["method"].upper(),
            path=_path(event["rawPath"], context["stage"]),
            request_id=context.get("requestId") or "unknown",
            headers=headers,
            event=event,
        )

    def query(self) -> Mapping[str, list[str]]:
        """Read the query: every parameter with all that was given for it, empty texts too.

        `queryStringParameters` joins repeated ones by commas, which names of branches have as well (API Gateway's
        "Working with AWS Lambda proxy integrations for HTTP APIs"), so it counts only where the raw query is missing.
        """
        if raw := self.event.get("rawQueryString"):
            return parse_qs(raw, keep_blank_values=True)
        return {name: [value] for name, value in (self.event.get("queryStringParameters") or {}).items()}

    def body(self) -> str:
        """Read the body as text. Raises PayloadTooLarge or InvalidJson."""
        if self.method not in METHODS_WITH_BODY:
            return ""
        raw = self.event.get("body") or ""
        if len(raw) > 2 * MAX_BODY_BYTES:
            raise _too_large()
        data = _decoded(raw, is_base64=bool(self.event.get("isBase64Encoded")))
        if len(data) > MAX_BODY_BYTES:
            raise _too_large()
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise InvalidJson("Send the body in UTF-8.") from None

    def forwarded(self, body: str) -> dict[str, Any]:
        """Give the event to the resolver: plain text and always JSON, whatever the caller called it."""
        context = self.event["requestContext"]
        return {
            **self.event,
            "requestContext": {**context, "http": {**context["http"], "method": self.method}},
            "headers": {**self.headers, "content-type": "application/json"},
            "body": body,
            "isBase64Encoded": False,
        }


def check_path(call: Call) -> None:
    """Refuse what is no text in the path, before any part of it is looked up."""
    if _NO_TEXT.search(call.path):
        raise NoSuchPath("There is no such path.")


def check_query(call: Call) -> None:
    """Refuse what is no text in the query."""
    for name, values in call.query().items():
        if any(_NO_TEXT.search(text) for text in (name, *values)):
            raise _unprocessable("query", "not_text", "The query has characters that are no text.")


def parse_object(body: str) -> dict[str, Any]:
    """Read a JSON object; nothing at all is the empty one.

    Raises InvalidJson for what is no JSON, Unprocessable for JSON that no route can mean: another type than an object,
    nested too deeply, or with texts and numbers that cannot be stored.
    """
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidJson("The body is not JSON that can be read; check its syntax and nesting.") from None
    if not isinstance(value, dict):
        raise _unprocessable("body", "object_type", "Send a JSON object.")
    for leaf in _leaves(value):
        _check_leaf(leaf)
    return value


def _path(raw: str, stage: str) -> str:
    """The path as routes spell it: that of a named stage begins with its name."""
    return raw if stage == "$default" else raw.removeprefix(f"/{stage}")


def _leaves(value: Any) -> Iterator[Any]:
    # A stack, not recursion: the depth is what is being checked.
    waiting = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        if isinstance(current, dict):
            waiting.extend((member, depth + 1) for pair in current.items() for member in pair)
        elif isinstance(current, list):
            waiting.extend((member, depth + 1) for member in current)
        else:
            yield current
        if depth > MAX_DEPTH:
            raise _unprocessable("body", "too_deep", f"Nest at most {MAX_DEPTH} levels.")


def _check_leaf(leaf: Any) -> None:
    if isinstance(leaf, str) and _NO_TEXT.search(leaf):
        raise _unprocessable("body", "not_text", "The body has characters that are no text.")
    if isinstance(leaf, float) and not math.isfinite(leaf):
        raise _unprocessable("body", "not_finite", "The body has a number that is too large.")


def _decoded(raw: str, *, is_base64: bool) -> bytes:
    try:
        return base64.b64decode(raw, validate=True) if is_base64 else raw.encode()
    except (binascii.Error, ValueError):
        raise InvalidJson("The body cannot be decoded.") from None


def _no_number(constant: str) -> Any:
    raise ValueError(constant)


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(f"Send at most {MAX_BODY_BYTES:,} bytes.")


def _unprocessable(field: str, problem: str, message: str) -> Unprocessable:
    return Unprocessable(message, details={"fields": [{"field": field, "problem": problem}]})
