"""Where tokens are: one secret per integration, read only at the version that its row names."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.storage.ports import SecretMissing, Secrets

_SPACE = uuid.UUID("5b1f2f5e-6a0f-4b2b-9a4c-0b7a6f9d3c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """What proves one credential: a token, with OAuth also the one that renews it. Times in unix seconds, if known."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    issued_at: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that is secret of one integration."""

    tokens: Mapping[str, TokenSet] = field(default_factory=dict)
    application: Application | None = None

    def having(self, changes: Mapping[str, str | TokenSet | None]) -> "Contents":
        """The same with other tokens: None = removed, a bare text = an access token alone."""
        changed = {name: TokenSet(access_token=new) if isinstance(new, str) else new for name, new in changes.items()}
        merged = {**self.tokens, **changed}
        return replace(self, tokens={name: tokens for name, tokens in merged.items() if tokens is not None})


class Vault:
    """The secrets of every integration."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def create(self, integration_id: str, contents: Contents) -> str:
        """Keep the first secrets of an integration and name the version; doing it again has no second effect."""
        version = str(uuid.uuid5(_SPACE, integration_id))
        self._secrets.create(_name(integration_id), _spelled(contents), version=version)
        return version

    def change(
        self,
        integration_id: str,
        version: str,
        changes: Mapping[str, str | TokenSet | None],
        application: Application | None = None,
    ) -> str:
        """Make a new version of `version` with these tokens replaced, None = removed, and the application if given.

        The version that others read stays as it is until a row names the new one. Raises SecretMissing.
        """
        changed, contents = str(uuid.uuid4()), self.read(integration_id, version).having(changes)
        contents = contents if application is None else replace(contents, application=application)
        self.write(integration_id, contents, version=changed)
        return changed

    def write(self, integration_id: str, contents: Contents, *, version: str) -> None:
        """Add a version. Raises SecretMissing, or SecretExists where it is there with other contents."""
        self._secrets.write(_name(integration_id), _spelled(contents), version=version)

    def read(self, integration_id: str, version: str) -> Contents:
        """Everything at a version. Raises SecretMissing."""
        return _contents(self._secrets.read(_name(integration_id), version=version))

    def token(self, integration_id: str, version: str, credential_id: str) -> str | None:
        """The token of a credential at a version; None where there is none."""
        try:
            tokens = self.read(integration_id, version).tokens.get(credential_id)
        except SecretMissing:
            return None
        return tokens.access_token if tokens else None

    def destroy(self, integration_id: str) -> None:
        """Remove every version of every secret of an integration."""
        self._secrets.delete(_name(integration_id))


def successor_version(integration_id: str, credential_id: str, generation: int) -> str:
    """Name the version that the successor of a credential's token is kept at.

    Whoever finds out later that a single-use token was used up looks there: the worker that did so may have ended
    before it could say where it had kept the new one.
    """
    return str(uuid.uuid5(_SPACE, f"{integration_id}/{credential_id}/{generation + 1}"))


def _name(integration_id: str) -> str:
    return f"integration/{integration_id}"


def _spelled(contents: Contents) -> dict[str, Any]:
    spelled: dict[str, Any] = {"credentials": {name: _given(tokens) for name, tokens in contents.tokens.items()}}
    return spelled if contents.application is None else spelled | {"application": _given(contents.application)}


def _given(value: TokenSet | Application) -> dict[str, Any]:
    named = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
    return {name: member for name, member in named if member is not None}


def _contents(value: Mapping[str, Any]) -> Contents:
    application = value.get("application")
    return Contents(
        tokens={name: TokenSet(**_known(TokenSet, entry)) for name, entry in value["credentials"].items()},
        application=None if application is None else Application(**_known(Application, application)),
    )


def _known(kind: type[TokenSet | Application], entry: Mapping[str, Any]) -> dict[str, Any]:
    """What this release knows of an entry; another one may have written more."""
    return {name: entry[name] for name in kind.__dataclass_fields__ if name in entry}
