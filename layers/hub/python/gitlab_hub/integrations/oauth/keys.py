"""What must be known again later and is kept nowhere: derived from the hub's key, or from what comes back.

A table row has only hashes; whoever reads the table can neither go on with somebody's authorization nor use its code.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable


class FlowKeys:
    """Derives the values of an authorization. `key` is a key of the hub's for this alone."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def flow(self, seed: str) -> str:
        """Name the authorization that belongs to a request's seed; no secret."""
        return self._derived("flow", seed).hex()[:32]

    def state(self, seed: str) -> str:
        """32 bytes for `state`: random to all who do not have the hub's key, the same for a repeated request."""
        return encoded(self._derived("state", seed))

    def ticket(self, seed: str) -> str:
        """32 bytes for the link that binds a browser."""
        return encoded(self._derived("ticket", seed))

    def verifier(self, state: str) -> str:
        """The PKCE verifier of a state, 43 characters (RFC 7636, 4.1)."""
        return encoded(self._derived("pkce", state))

    def _derived(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self._key(), f"{purpose}\n{value}".encode(), hashlib.sha256)


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    return encoded(hashlib.sha256(verifier.encode("ascii")).digest())


def digest(secret: str) -> str:
    """The hash that stands for a secret in a row; it is random and long, so no salt or slow hash is needed."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def encoded(raw: bytes) -> str:
    """Bytes as text for URLs, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
