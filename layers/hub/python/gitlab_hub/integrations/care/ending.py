"""Ending tokens that nobody needs any more: all that may live of a credential, not only the one that was announced."""

from collections.abc import Iterator

from gitlab_hub.errors import HubError
from gitlab_hub.integrations.care.exchange import Exchange
from gitlab_hub.integrations.care.held import Held
from gitlab_hub.integrations.model import Credential, CredentialKind, Integration
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.vault import Contents, TokenSet, successor_version
from gitlab_hub.storage.secrets import SecretMissing


class Ending:
    """Ends tokens in GitLab. All calls block; ending one that has ended already does nothing."""

    def __init__(self, store: IntegrationStore, exchange: Exchange) -> None:
        self._store, self._exchange = store, exchange

    def end(self, was: Integration, credential: Credential) -> bool:
        """End what a credential was worth at a version of its integration; False where some of it may live on.

        That is the announced token, and the one that a worker has kept and not lived to announce.
        """
        contents = self._contents(was, was.secret_version)
        if contents is None:
            return False
        # Each of them, also behind one that could not be ended.
        ended = [self._one(was, credential, contents, one) for one in self._tokens(was, contents, credential)]
        return all(ended)

    def end_unused(self, held: Held, tokens: TokenSet) -> None:
        """End a token that was made for a credential and is not the one in use."""
        self._one(held.integration, held.credential, held.contents, tokens)

    def end_left_behind(self, held: Held, generation: int) -> None:
        """End what a worker has kept as the successor of an earlier generation, after another token took that place."""
        kept = self._successor(held.integration, held.credential, generation)
        if kept is not None and kept != held.tokens:
            self.end_unused(held, kept)

    def _one(self, was: Integration, credential: Credential, contents: Contents, tokens: TokenSet) -> bool:
        application = contents.application if credential.kind == CredentialKind.OAUTH else None
        return self._exchange.end(was.host_url, application, tokens)

    def _tokens(self, was: Integration, contents: Contents, credential: Credential) -> Iterator[TokenSet]:
        kept = self._successor(was, credential, credential.generation)
        announced = contents.tokens.get(credential.id)
        yield from (one for one in (kept, announced) if one is not None)

    def _successor(self, was: Integration, credential: Credential, generation: int) -> TokenSet | None:
        contents = self._contents(was, successor_version(was.id, credential.id, generation))
        return None if contents is None else contents.tokens.get(credential.id)

    def _contents(self, was: Integration, version: str) -> Contents | None:
        try:
            return self._store.vault.read(was.id, version)
        except (SecretMissing, HubError):
            return None
