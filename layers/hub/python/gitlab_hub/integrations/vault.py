"""Where tokens are: one secret per integration, read only at the version that its row names."""

import uuid
from collections.abc import Mapping

from gitlab_hub.storage.secrets import SecretMissing, Secrets

_SPACE = uuid.UUID("5b1f2f5e-6a0f-4b2b-9a4c-0b7a6f9d3c11")


class Vault:
    """The tokens of every integration, by credential id."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def create(self, integration_id: str, tokens: Mapping[str, str]) -> str:
        """Keep the first tokens of an integration and name the version; doing it again has no second effect."""
        version = str(uuid.uuid5(_SPACE, integration_id))
        self._secrets.create(_name(integration_id), _spelled(tokens), version=version)
        return version

    def change(self, integration_id: str, version: str, changes: Mapping[str, str | None]) -> str:
        """Make a new version of `version` with these tokens replaced, None = removed. Raises SecretMissing.

        The version that others read stays as it is until a row names the new one.
        """
        tokens = {**self._read(integration_id, version), **changes}
        kept = {credential_id: token for credential_id, token in tokens.items() if token is not None}
        changed = str(uuid.uuid4())
        self._secrets.write(_name(integration_id), _spelled(kept), version=changed)
        return changed

    def token(self, integration_id: str, version: str, credential_id: str) -> str | None:
        """The token of a credential at a version; None where there is none."""
        try:
            return self._read(integration_id, version).get(credential_id)
        except SecretMissing:
            return None

    def destroy(self, integration_id: str) -> None:
        """Remove every version of every token of an integration."""
        self._secrets.delete(_name(integration_id))

    def _read(self, integration_id: str, version: str) -> dict[str, str | None]:
        value = self._secrets.read(_name(integration_id), version=version)
        return {name: entry["access_token"] for name, entry in value["credentials"].items()}


def _name(integration_id: str) -> str:
    return f"integration/{integration_id}"


def _spelled(tokens: Mapping[str, str]) -> dict[str, dict[str, dict[str, str]]]:
    return {"credentials": {credential_id: {"access_token": token} for credential_id, token in tokens.items()}}
