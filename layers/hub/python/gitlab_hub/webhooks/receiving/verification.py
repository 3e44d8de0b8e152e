"""Proof that a call comes from a GitLab that holds the hook's secret; pure, over the bytes as they came.

Signatures are those of Standard Webhooks, tokens are GitLab's older way: the secret itself in a header.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from gitlab_hub.gitlab.fields import first_id, part
from gitlab_hub.webhooks.deliveries.model import ID, Headers
from gitlab_hub.webhooks.hooks.model import Hook, Verification
from gitlab_hub.webhooks.receiving.errors import InvalidPayload, InvalidSignature
from gitlab_hub.webhooks.receiving.payload import read_object

TOKEN = "x-gitlab-token"  # noqa: S105 a header's name
TIMESTAMP, SIGNATURE = "webhook-timestamp", "webhook-signature"

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 32
"""A sender that rotates lists two; more than these are not worth the work."""

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_KEY_PREFIX = "whsec_"
_VERSION = b"v1,"


class Secrets(Protocol):
    """The secrets of hooks, by their versions."""

    def token(self, hook_id: str, version: int) -> str:
        """What GitLab sends as `X-Gitlab-Token`."""

    def signing_token(self, hook_id: str, version: int) -> str:
        """What GitLab signs with: `whsec_` and base64."""


def verify_delivery(hook: Hook, secrets: Secrets, headers: Headers, raw: bytes, *, now: float) -> None:
    """Check that GitLab sent these bytes through this hook. Raises InvalidSignature.

    A hook that signs must sign. Any other may: a signature proves more than a token does.
    """
    versions = hook.accepted_versions(now)
    if hook.verification == Verification.SIGNATURE or (not headers.get(TOKEN) and SIGNATURE in headers):
        check_signature(headers, raw, [secrets.signing_token(hook.id, version) for version in versions], now=now)
    else:
        check_token(headers, [secrets.token(hook.id, version) for version in versions])


def check_token(headers: Headers, secrets: Iterable[str]) -> None:
    """Check a call's token against every secret that is good now; an empty one is none. Raises InvalidSignature."""
    presented = _bytes(headers.get(TOKEN, ""))
    if not presented:
        raise InvalidSignature("missing_token")
    # Bytes: texts that are not ASCII would raise.
    if not any(hmac.compare_digest(presented, _bytes(secret)) for secret in secrets if secret):
        raise InvalidSignature("wrong_token")


def check_signature(headers: Headers, raw: bytes, secrets: Iterable[str], *, now: float) -> None:
    """Check that one of the signatures was made with a secret that is good now. Raises InvalidSignature."""
    message_id, timestamp, listed = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or not timestamp or not listed:
        raise InvalidSignature("missing_signature")
    if not _SECONDS.fullmatch(timestamp):
        raise InvalidSignature("malformed_timestamp")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise InvalidSignature("stale_timestamp")
    presented = _bytes(listed).split()
    if len(presented) > MAX_SIGNATURES:
        raise InvalidSignature("too_many_signatures")
    signed = b".".join((_bytes(message_id), timestamp.encode(), raw))
    wanted = [_VERSION + signature_of(key, signed) for key in map(_key_of, secrets) if key]
    if not any(hmac.compare_digest(one, good) for one in presented for good in wanted):
        raise InvalidSignature("wrong_signature")


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


# Who a call comes from: finds its hook, and lets in only what the hook's GitLab has sent.


class Hooks(Protocol):
    """The hooks that deliveries may come through."""

    def get(self, hook_id: str) -> Hook | None:
        """The hook of this id."""

    def by_fingerprint(self, fingerprint: str) -> Hook | None:
        """The hook whose token has this fingerprint."""

    def signed_for_project(self, project_id: int) -> Iterator[Hook]:
        """The signing hooks of the project of this id, in whatever GitLab; a bounded number, each read when asked."""


class FindableSecrets(Secrets, Protocol):
    """Secrets of hooks, and the way from a token to its hook."""

    def fingerprint(self, token: str) -> str:
        """What a token is found by."""


class DeliveryAuthenticator:
    """Admits genuine calls. Nothing of a body is read before its sender is known, but which project it names."""

    def __init__(self, hooks: Hooks, secrets: FindableSecrets) -> None:
        self._hooks, self._secrets = hooks, secrets

    def authenticate(
        self, hook_id: str | None, headers: Headers, raw: bytes, *, now: float, check: Callable[[], None]
    ) -> Hook:
        """Give the hook that a call came through; `hook_id` None: the address does not say. Raises InvalidSignature.

        `check` raises when it is too late for another call to AWS.
        """
        if hook_id is not None:
            hook = self._hooks.get(hook_id)
        elif headers.get(TOKEN):
            fingerprint = self._secrets.fingerprint(headers[TOKEN])
            check()
            hook = self._hooks.by_fingerprint(fingerprint)
        elif SIGNATURE in headers:
            return self._signer(headers, raw, now, check)
        else:
            raise InvalidSignature("missing_token")
        if hook is None:
            raise InvalidSignature("unknown_hook" if hook_id is not None else "wrong_token")
        check()
        verify_delivery(hook, self._secrets, headers, raw, now=now)
        return hook

    def _signer(self, headers: Headers, raw: bytes, now: float, check: Callable[[], None]) -> Hook:
        project_id = _project_named(raw)
        refusal = InvalidSignature("unknown_hook")
        for hook in self._hooks.signed_for_project(project_id) if project_id else ():
            check()
            try:
                verify_delivery(hook, self._secrets, headers, raw, now=now)
            except InvalidSignature as error:
                refusal = error
            else:
                return hook
        raise refusal


def _project_named(raw: bytes) -> int | None:
    try:
        body = read_object(raw)
    except InvalidPayload:
        return None  # Nobody knows yet who sent it, so what is wrong with it is nobody's business.
    return first_id(body, "project_id") or first_id(part(body, "project"), "id")
