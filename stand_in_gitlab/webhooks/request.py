"""The call of a hook as bytes and headers."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stand_in_gitlab.company.hook_model import Hook
from stand_in_gitlab.rest.ask import dump
from stand_in_gitlab.webhooks.events import header

KEY_BYTES = 32
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[a-zA-Z0-9][a-zA-Z0-9.-]*", re.ASCII)
REDACTED = "[REDACTED]"
PLACEHOLDER = re.compile(r"{{(.+?)}}")
VARIABLE = re.compile(r"\{([A-Za-z]+[0-9]*(?:[._-][A-Za-z0-9]+)*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST to a hook's address."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    verify: bool = True
    sendable: bool = True
    """False: the hook's template makes no JSON of this event. Nothing is sent, and the attempt counts as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What is new with every call: the key that a resend repeats, random ids, the time in unix seconds."""

    key: str
    event_uuid: str
    webhook_uuid: str
    timestamp: int


def build(hook: Hook, trigger: str, payload: Any, stamp: Stamp, *, instance: str, version: str) -> Request:
    """The request with GitLab's headers; signed in the way of Standard Webhooks if the hook has a signing token."""
    try:
        body, sendable = dump(rendered(hook, payload)), True
    except (ValueError, TypeError):
        body, sendable = b"", False
    # GitLab's own names win over custom ones: build_headers in app/services/web_hook_service.rb.
    headers = {
        **hook.custom_headers,
        "Content-Type": "application/json",
        "User-Agent": f"GitLab/{version}",
        "Idempotency-Key": stamp.key,
        "X-Gitlab-Event": header(trigger, hook.owner[0]),
        "X-Gitlab-Webhook-UUID": stamp.webhook_uuid,
        "X-Gitlab-Instance": instance,
        "X-Gitlab-Event-UUID": stamp.event_uuid,
    }
    if hook.token:
        headers["X-Gitlab-Token"] = hook.token
    if hook.signing_token:
        headers |= _signed(hook.signing_token, stamp, body)
    verify = hook.flags["enable_ssl_verification"]
    return Request(url=interpolated(hook), body=body, headers=headers, verify=verify, sendable=sendable)


def rendered(hook: Hook, payload: Any) -> Any:
    """What a hook's own template makes of an event: app/services/web_hook_service.rb, render_custom_template.

    ValueError or TypeError where that is no JSON.
    """
    if not hook.template:
        return payload
    return json.loads(PLACEHOLDER.sub(lambda match: _value(payload, match[1]), hook.template))


def interpolated(hook: Hook) -> str:
    """The address with the values of its variables; as it stands where one is missing."""
    try:
        return VARIABLE.sub(lambda match: hook.url_variables[match[1]], hook.url)
    except KeyError:
        return hook.url


def _value(payload: Any, path: str) -> str:
    for name in path.split("."):
        if payload is not None and not isinstance(payload, dict):
            raise TypeError(path)
        payload = (payload or {}).get(name)
    spelled = json.dumps(payload)
    return spelled[1:-1] if isinstance(payload, str) else spelled


def _signed(signing_token: str, stamp: Stamp, body: bytes) -> dict[str, str]:
    signed = f"{stamp.key}.{stamp.timestamp}.".encode() + body
    digest = hmac.new(signing_key(signing_token), signed, hashlib.sha256).digest()
    return {
        "webhook-id": stamp.key,
        "webhook-timestamp": str(stamp.timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def signing_key(signing_token: str) -> bytes:
    """The key in a signing token; ValueError unless it is `whsec_` and 32 bytes in base64."""
    prefix, _, encoded = signing_token.partition("_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if prefix != "whsec" or len(key) != KEY_BYTES:
        message = "a signing token is whsec_ and 32 bytes in base64"
        raise ValueError(message)
    return key


def logged_headers(hook: Hook, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as GitLab shows them afterwards: without secrets, and what custom ones say is one."""
    secret = {"X-Gitlab-Token", *hook.custom_headers}
    return {name: REDACTED if name in secret else value for name, value in headers.items()}


def logged_data(value: Any) -> Any:
    """The payload as GitLab keeps it, and resends it: every email address is gone."""
    if isinstance(value, dict):
        return {key: logged_data(each) for key, each in value.items()}
    if isinstance(value, list):
        return [logged_data(each) for each in value]
    return REDACTED if isinstance(value, str) and EMAIL.fullmatch(value) else value
