"""The secrets of hooks: derived whenever they are needed, stored nowhere."""

import base64
import hashlib
import hmac
from collections.abc import Callable

_SALT = b"gitlab-hub/webhooks/v1"
_BYTES = 32
_HASH_BYTES = hashlib.sha256().digest_size


class HookSecrets:
    """Derives each hook's two secrets, by version, from one key.

    `key` gives 32 bytes that belong to webhooks alone; it is asked at the first use, not before.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def token(self, hook_id: str, version: int) -> str:
        """The `X-Gitlab-Token` of a hook: 43 letters, digits, dashes and underscores."""
        return base64.urlsafe_b64encode(self._secret("token", hook_id, version)).rstrip(b"=").decode()

    def signing_token(self, hook_id: str, version: int) -> str:
        """The key that a hook signs with, as Standard Webhooks spells it: `whsec_` and base64 of 32 bytes.

        https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
        """
        return f"whsec_{base64.b64encode(self._secret('signing', hook_id, version)).decode()}"

    def fingerprint(self, token: str) -> str:
        """What a token is found by: 64 hex digits that say nothing about it without the key."""
        key = self._derive(b"fingerprint")
        # What a caller sends may hold anything, halves of surrogate pairs too.
        return hmac.new(key, token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def _secret(self, purpose: str, hook_id: str, version: int) -> bytes:
        return self._derive(f"{purpose}\n{hook_id}\n{version}".encode())

    def _derive(self, info: bytes) -> bytes:
        return hkdf_sha256(self._key(), salt=_SALT, info=info, length=_BYTES)


def hkdf_sha256(key: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """Derive `length` bytes (at most 8160) from a key: RFC 5869 with SHA-256."""
    extracted = hmac.digest(salt or bytes(_HASH_BYTES), key, "sha256")
    made, block = b"", b""
    for counter in range(1, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(extracted, block + info + bytes([counter]), "sha256")
        made += block
    return made[:length]
