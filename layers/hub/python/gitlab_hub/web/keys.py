"""Keys for every purpose, all derived from the hub's one master key."""

import hashlib
import hmac
import threading

from gitlab_hub.storage.secrets import Secrets

_SHORTEST = 32


class MasterKey:
    """Reads the master key once per process and derives from it; the key itself is never given out."""

    def __init__(self, secrets: Secrets, name: str) -> None:
        self._secrets, self._name = secrets, name
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def derive(self, purpose: str) -> bytes:
        """Give 32 bytes that belong to this purpose alone."""
        return hmac.digest(self._read(), f"gitlab-hub/{purpose}".encode(), hashlib.sha256)

    def _read(self) -> bytes:
        with self._lock:
            if self._key is None:
                key = str(self._secrets.read(self._name).get("key", "")).encode()
                if len(key) < _SHORTEST:
                    raise ValueError(f"The master key secret needs a `key` of at least {_SHORTEST} characters.")
                self._key = key
            return self._key
