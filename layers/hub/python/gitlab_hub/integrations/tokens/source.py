"""Where clients get the token of a credential from, and what a token that GitLab refuses means to them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.integrations.model import CredentialStatus
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.gitlab_api import TokenEndpoint
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential, load_credential
from gitlab_hub.integrations.tokens.refresh import TokenNeed
from gitlab_hub.integrations.verification.outcome import with_credential_status
from gitlab_hub.storage.blocking import run_uncancelled


class TokenSource(Protocol):
    """Gives credentials with their tokens. All calls block."""

    def get_credential(
        self, integration_id: str, credential_id: str, need: TokenNeed | None = None
    ) -> LoadedCredential:
        """A credential with a token for what is wanted. Raises GitLabErrors."""

    def needs_refresh(self, loaded: LoadedCredential) -> bool:
        """Whether a token that was given out should be asked for again before its next use."""


class StoredTokens:
    """Gives what is stored and renews nothing: for functions that may not write secrets."""

    def __init__(self, store: IntegrationStore) -> None:
        self._store = store

    def get_credential(
        self,
        integration_id: str,
        credential_id: str,
        need: TokenNeed | None = None,  # noqa: ARG002 - the port's signature
    ) -> LoadedCredential:
        """A credential as it is stored."""
        return load_credential(self._store, integration_id, credential_id)

    def needs_refresh(self, loaded: LoadedCredential) -> bool:  # noqa: ARG002 - the port's signature
        """Never: asking again would give the same."""
        return False


class CredentialTokens:
    """The token of one credential for one client: read when it is needed, renewed before it ends or when rejected.

    `refused` hears where the newest token was rejected: for clients whose callers do not judge tokens themselves.
    """

    def __init__(
        self,
        source: TokenSource,
        integration_id: str,
        credential_id: str,
        loaded: LoadedCredential | None = None,
        *,
        refused: Callable[[LoadedCredential], None] | None = None,
    ) -> None:
        self._source, self._integration_id, self._credential_id = source, integration_id, credential_id
        self._loaded, self._refused = loaded, refused
        self._one_at_a_time = asyncio.Lock()
        self.version: str | None = None if loaded is None else loaded.credential.token_version
        """Of the token given out last: what a verdict about it is worth later."""

    async def current(self) -> str:
        """The token to use now. Raises Unauthorized where there is none any more."""
        loaded = self._loaded
        if loaded is None or self._source.needs_refresh(loaded):
            async with self._one_at_a_time:
                loaded = self._loaded
                if loaded is None or self._source.needs_refresh(loaded):
                    loaded = await self._ask(TokenNeed())
        return loaded.tokens.access_token

    async def renewed(self, rejected: str) -> str | None:
        """The token that took the rejected one's place; None where there is none."""
        async with self._one_at_a_time:
            loaded = self._loaded
            if loaded is None or loaded.tokens.access_token == rejected:
                try:
                    loaded = await self._ask(TokenNeed(rejected=rejected))
                except Unauthorized:
                    return None
            if loaded.tokens.access_token != rejected:
                return loaded.tokens.access_token
            if self._refused is not None:
                await asyncio.to_thread(self._refused, loaded)
            return None

    async def _ask(self, need: TokenNeed) -> LoadedCredential:
        loaded = await run_uncancelled(self._source.get_credential, self._integration_id, self._credential_id, need)
        self._loaded, self.version = loaded, loaded.credential.token_version
        return loaded


# What a refused token means to whoever is not there to judge tokens: hooks, statuses, lists of repositories.
#
# A single 401 may come from a proxy or a failing node, so it is asked about once more, plainly.
# A second one is definite.


class RejectionCheck:
    """Marks a credential as rejected where GitLab refuses its newest token twice. All calls block."""

    def __init__(self, store: IntegrationStore, token_endpoint: TokenEndpoint, now: Callable[[], float]) -> None:
        self._store, self._token_endpoint, self._now = store, token_endpoint, now

    def refused(self, loaded: LoadedCredential) -> None:
        """GitLab has refused this token, and there is no newer one."""
        if loaded.credential.status != CredentialStatus.VALID:
            return
        try:
            self._token_endpoint.whoami(loaded.integration.host_url, loaded.tokens.access_token)
        except Unauthorized:
            self._reject(loaded)
        except GitLabError:
            return

    def _reject(self, loaded: LoadedCredential) -> None:
        one, now = loaded.credential, int(self._now())
        try:
            self._store.change(
                loaded.integration.id,
                lambda before: with_credential_status(
                    before, one.id, one.token_version, CredentialStatus.REJECTED, now
                ),
            )
        except NotFound:
            return
