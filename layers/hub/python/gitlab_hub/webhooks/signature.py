"""Proof that a call comes from a GitLab that holds the hook's secret; pure, over the bytes as they came.

Signatures are those of Standard Webhooks, tokens are GitLab's older way: the secret itself in a header.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from gitlab_hub.webhooks.model import Hook, Verification
from gitlab_hub.webhooks.refusals import NotGenuine

TOKEN = "x-gitlab-token"  # noqa: S105 a header's name
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 32
"""A sender that rotates lists two; more than these are not worth the work."""

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_KEY_PREFIX = "whsec_"
_VERSION = b"v1,"

Headers = Mapping[str, str]


class Secrets(Protocol):
    """The secrets of hooks, by their versions."""

    def token(self, hook_id: str, version: int) -> str:
        """What GitLab sends as `X-Gitlab-Token`."""

    def signing_token(self, hook_id: str, version: int) -> str:
        """What GitLab signs with: `whsec_` and base64."""


def prove(hook: Hook, secrets: Secrets, headers: Headers, raw: bytes, *, now: float) -> None:
    """Check that GitLab sent these bytes through this hook. Raises NotGenuine.

    A hook that signs must sign. Any other may: a signature proves more than a token does.
    """
    versions = hook.accepted_versions(now)
    if hook.verification == Verification.SIGNATURE or (not headers.get(TOKEN) and SIGNATURE in headers):
        check_signature(headers, raw, [secrets.signing_token(hook.id, version) for version in versions], now=now)
    else:
        check_token(headers, [secrets.token(hook.id, version) for version in versions])


def check_token(headers: Headers, secrets: Iterable[str]) -> None:
    """Check the token of a call against every secret that is good now; an empty secret is none. Raises NotGenuine."""
    presented = _bytes(headers.get(TOKEN, ""))
    if not presented:
        raise NotGenuine("missing_token")
    # Bytes: texts that are not ASCII would raise.
    if not any(hmac.compare_digest(presented, _bytes(secret)) for secret in secrets if secret):
        raise NotGenuine("wrong_token")


def check_signature(headers: Headers, raw: bytes, secrets: Iterable[str], *, now: float) -> None:
    """Check that one of the signatures was made with a secret that is good now. Raises NotGenuine."""
    message_id, timestamp, listed = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or not timestamp or not listed:
        raise NotGenuine("missing_signature")
    if not _SECONDS.fullmatch(timestamp):
        raise NotGenuine("malformed_timestamp")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotGenuine("stale_timestamp")
    presented = _bytes(listed).split()
    if len(presented) > MAX_SIGNATURES:
        raise NotGenuine("too_many_signatures")
    signed = b".".join((_bytes(message_id), timestamp.encode(), raw))
    wanted = [_VERSION + signature_of(key, signed) for key in map(_key_of, secrets) if key]
    if not any(hmac.compare_digest(one, good) for one in presented for good in wanted):
        raise NotGenuine("wrong_signature")


def signature_of(key: bytes, signed: bytes) -> bytes:
    """Sign `id.timestamp.body`; base64."""
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256))


def _key_of(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""  # No key: nothing matches.


def _bytes(text: str) -> bytes:
    # A header may hold anything, halves of surrogate pairs too; nothing but the same text gives the same bytes.
    return text.encode("utf-8", "surrogatepass")
