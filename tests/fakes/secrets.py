"""Secrets in memory: every version of every secret, as strict as Secrets Manager."""

import json
import threading
from collections.abc import Mapping
from typing import Any

from gitlab_hub.storage.ports import SecretExists, SecretMissing

MAX_BYTES = 64 * 1024
VERSION_LENGTH = range(32, 65)


class MemorySecrets:
    """Versions by name; the newest written one is current."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, str]] = {}
        self._current: dict[str, str] = {}
        self._lock = threading.Lock()

    def create(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Create a secret; the same version with the same value again is no error."""
        text = _accepted(value, version)
        with self._lock:
            versions = self._versions.setdefault(name, {version: text})
            if versions.get(version, versions.get(self._current.get(name, ""))) != text:
                raise SecretExists(name)
            versions[version] = text
            self._current.setdefault(name, version)

    def write(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Add a version and make it the current one."""
        text = _accepted(value, version)
        with self._lock:
            if name not in self._versions:
                raise SecretMissing(name)
            if self._versions[name].setdefault(version, text) != text:
                raise SecretExists(name)
            self._current[name] = version

    def read(self, name: str, *, version: str | None = None) -> dict[str, Any]:
        """Read a version, or the current one."""
        with self._lock:
            try:
                read: dict[str, Any] = json.loads(self._versions[name][version or self._current[name]])
            except KeyError:
                raise SecretMissing(name) from None
            return read

    def delete(self, name: str) -> None:
        """Forget a secret."""
        with self._lock:
            self._versions.pop(name, None)
            self._current.pop(name, None)

    def dump(self) -> dict[str, dict[str, Any]]:
        """Every current value, for a test to look at (not part of the port)."""
        with self._lock:
            return {name: json.loads(self._versions[name][version]) for name, version in self._current.items()}


def _accepted(value: Mapping[str, Any], version: str) -> str:
    text = json.dumps(dict(value), allow_nan=False)
    if len(text.encode()) > MAX_BYTES:
        raise ValueError("A secret has at most 64 KB.")
    if len(version) not in VERSION_LENGTH:
        raise ValueError("A version is a text of 32 to 64 characters, for example a UUID.")
    return text
