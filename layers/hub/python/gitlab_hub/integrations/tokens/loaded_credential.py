"""A credential with its token, read at one and the same version."""

from dataclasses import dataclass, field

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.errors import Unauthorized
from gitlab_hub.integrations.model import Credential, CredentialKind, Integration, IntegrationWithCredentials
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.due import PROACTIVE_SHARE
from gitlab_hub.integrations.tokens.vault import Contents, TokenSet
from gitlab_hub.storage.ports import SecretMissing

SKEW_SECONDS = 60
"""An access token that has less than this left may be dead when it arrives."""

_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCredential:
    """One credential as it was read, with all that was read with it: nobody reads again what has not changed."""

    holding: IntegrationWithCredentials
    credential: Credential
    tokens: TokenSet
    contents: Contents = field(repr=False)

    @property
    def integration(self) -> Integration:
        """The integration that the credential belongs to."""
        return self.holding.integration

    @property
    def renewable(self) -> bool:
        """Whether there is a refresh token to renew it with."""
        return self.credential.kind == CredentialKind.OAUTH and self.tokens.refresh_token is not None

    def is_valid(self, now: float, *, margin: float = 0) -> bool:
        """Whether the access token has more than `margin` seconds left, by our clock."""
        return self.tokens.expires_at is None or self.tokens.expires_at > now + margin

    def expires_soon(self, now: float) -> bool:
        """Whether a new access token is needed before the next use."""
        return self.renewable and not self.is_valid(now, margin=SKEW_SECONDS)

    def due_for_refresh(self, now: float) -> bool:
        """Whether three quarters of the access token's life are over, so that it is time for a new one."""
        issued, expires = self.tokens.issued_at, self.tokens.expires_at
        if not self.renewable or issued is None or expires is None:
            return False
        return now >= issued + PROACTIVE_SHARE * (expires - issued)


def load_credential(store: IntegrationStore, integration_id: str, credential_id: str) -> LoadedCredential:
    """Read a credential with its token. Raises Unauthorized where it is not there any more."""
    for _ in range(_LOOKS):
        try:
            holding = store.holding(integration_id)
        except NotFound:
            break
        credential = holding.credential(credential_id)
        if credential is None:
            break
        try:
            contents = store.vault.read(integration_id, holding.integration.secret_version)
        except SecretMissing:
            continue  # Replaced or removed between the two reads: the row tells.
        tokens = contents.tokens.get(credential_id)
        if tokens is not None:
            return LoadedCredential(holding=holding, credential=credential, tokens=tokens, contents=contents)
    raise Unauthorized("The credential was removed from the hub.", details={"reason": "unknown"})


def reload_credential(store: IntegrationStore, loaded: LoadedCredential) -> LoadedCredential:
    """The same credential as it is now: one read where nothing has changed. Raises Unauthorized where it is gone."""
    now_is = store.get(loaded.integration.id)
    # Every change of a credential or its token moves the integration's version.
    if now_is is not None and now_is.version == loaded.integration.version:
        return loaded
    return load_credential(store, loaded.integration.id, loaded.credential.id)
