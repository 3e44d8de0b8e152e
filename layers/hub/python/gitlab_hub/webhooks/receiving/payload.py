"""A delivery's body: the bytes as GitLab sent them, and the object they spell; pure."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from gitlab_hub.webhooks.deliveries.body import MAX_BODY_BYTES
from gitlab_hub.webhooks.receiving.errors import InvalidPayload, InvalidSignature, TooLarge

MAX_DEPTH = 100
"""GitLab nests a handful of levels."""


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The exact bytes of a request. Raises TooLarge, or InvalidSignature where nothing could be verified."""
    body = event.get("body") or ""
    is_base64 = bool(event.get("isBase64Encoded"))
    if len(body) > (MAX_BODY_BYTES * 4 // 3 + 4 if is_base64 else MAX_BODY_BYTES):
        raise TooLarge("too_large")
    try:
        raw = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    except (binascii.Error, ValueError):
        raise InvalidSignature("undecodable_body") from None
    if len(raw) > MAX_BODY_BYTES:
        raise TooLarge("too_large")
    return raw


def read_object(raw: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises InvalidPayload.

    Only what cannot be worked with is refused: GitLab counts a refusal as a failure of the hook.
    """
    try:
        value = json.loads(raw.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidPayload("not_json") from None
    if not isinstance(value, dict):
        raise InvalidPayload("no_object")
    if _is_deeper(value, MAX_DEPTH):
        raise InvalidPayload("too_deep")
    return value


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            member
            for one in level
            for member in (one.values() if isinstance(one, dict) else one)
            if isinstance(member, dict | list)
        ]
        if not level:
            return False
    return True


def _no_number(constant: str) -> Any:
    raise ValueError(constant)
