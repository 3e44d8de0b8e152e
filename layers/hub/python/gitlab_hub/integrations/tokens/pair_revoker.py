"""Ending tokens that nobody needs any more: all that may live of a credential, not only the one that was announced."""

from enum import StrEnum

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.oauth import Application
from gitlab_hub.integrations.model import Credential, CredentialKind, Integration
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.gitlab_api import TokenEndpoint
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.revocations import Revocation, revocation_of
from gitlab_hub.integrations.tokens.vault import Contents, TokenSet, successor_version
from gitlab_hub.storage.ports import SecretMissing

_NOTHING = Contents()


class RevocationResult(StrEnum):
    """What became of a try to end tokens: they have ended, it is to be tried again, or nobody has them any more."""

    DONE = "done"
    LATER = "later"
    GONE = "gone"


class PairRevoker:
    """Ends tokens in GitLab. All calls block; ending one that has ended already does nothing."""

    def __init__(self, store: IntegrationStore, token_endpoint: TokenEndpoint) -> None:
        self._store, self._token_endpoint = store, token_endpoint

    def end(self, was: Integration, credential: Credential) -> bool:
        """End what a credential was worth at a version of its integration; False where some of it may live on."""
        try:
            return self.settle(revocation_of(was, credential, announced=True, now=0)) == RevocationResult.DONE
        except HubError:
            return False

    def settle(self, revocation: Revocation, in_use: Contents = _NOTHING) -> RevocationResult:
        """End the announced token, and the one that a worker has kept as its successor and not lived to announce.

        Tokens `in_use` are left alone, and their application is asked with where it is the same one: its secret may be
        a newer one, and GitLab looks at the application first (403 `unauthorized_client`; gitlab,
        app/controllers/oauth/tokens_controller.rb, validate_presence_of_client). An unknown token is answered with 200.
        Raises StorageUnavailable.
        """
        announced, kept = self._announced(revocation), self._successor(revocation)
        ended = [
            self._one(revocation, _application(contents, in_use), contents.tokens[revocation.credential_id], in_use)
            for contents in (kept, announced)
            if contents is not None and revocation.credential_id in contents.tokens
        ]
        if not all(ended):
            return RevocationResult.LATER
        return RevocationResult.GONE if announced is None and revocation.secret_version else RevocationResult.DONE

    def end_pair(self, host_url: str, application: Application, tokens: TokenSet) -> bool:
        """End a pair that is not kept anywhere."""
        return self._token_endpoint.revoke(host_url, application, tokens)

    def end_unused(self, loaded: LoadedCredential, tokens: TokenSet) -> None:
        """End a token that was made for a credential and is not the one in use."""
        application = loaded.contents.application if loaded.credential.kind == CredentialKind.OAUTH else None
        self._token_endpoint.revoke(loaded.integration.host_url, application, tokens)

    def end_left_behind(self, loaded: LoadedCredential, generation: int) -> None:
        """End what a worker has kept as the successor of an earlier generation, after another token took that place."""
        kept = self._contents(
            loaded.integration.id, successor_version(loaded.integration.id, loaded.credential.id, generation)
        )
        tokens = None if kept is None else kept.tokens.get(loaded.credential.id)
        if tokens is not None and tokens != loaded.tokens:
            self.end_unused(loaded, tokens)

    def _one(self, revocation: Revocation, application: Application | None, tokens: TokenSet, in_use: Contents) -> bool:
        used = {one for each in in_use.tokens.values() for one in (each.access_token, each.refresh_token) if one}
        if used & {tokens.access_token, tokens.refresh_token}:
            return True
        if revocation.kind != CredentialKind.OAUTH:
            application = None
        return self._token_endpoint.revoke(revocation.host_url, application, tokens)

    def _announced(self, revocation: Revocation) -> Contents | None:
        version = revocation.secret_version
        return self._contents(revocation.integration_id, version) if version else None

    def _successor(self, revocation: Revocation) -> Contents | None:
        integration_id, credential_id = revocation.integration_id, revocation.credential_id
        version = successor_version(integration_id, credential_id, revocation.generation)
        return self._contents(integration_id, version)

    def _contents(self, integration_id: str, version: str) -> Contents | None:
        try:
            return self._store.vault.read(integration_id, version)
        except SecretMissing:
            return None


def _application(contents: Contents, in_use: Contents) -> Application | None:
    old, new = contents.application, in_use.application
    return new if old is not None and new is not None and new.client_id == old.client_id else old
