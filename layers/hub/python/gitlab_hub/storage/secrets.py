"""The secrets port: what the hub asks of Secrets Manager."""

from collections.abc import Mapping
from typing import Any, Protocol


class SecretMissing(Exception):
    """There is no such secret, or no such version of it."""


class SecretExists(Exception):
    """There is such a secret, or such a version, with another value; nothing was written."""


class Secrets(Protocol):
    """Secrets Manager below one name prefix, or a fake that passes the same contract test.

    A secret is one JSON object. `version` is a UUID chosen by the writer (`ClientRequestToken`), so a repeated write
    of the same version has one effect; readers pin the version that their table row points to.
    """

    def create(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Create a secret with its first version; the same version again is no error. Raises SecretExists."""

    def write(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Add a version to an existing secret. Raises SecretMissing or SecretExists."""

    def read(self, name: str, *, version: str | None = None) -> dict[str, Any]:
        """Read one version (the current one where none is named). Raises SecretMissing."""

    def delete(self, name: str) -> None:
        """Remove a secret at once and for good; a missing one is no error."""
