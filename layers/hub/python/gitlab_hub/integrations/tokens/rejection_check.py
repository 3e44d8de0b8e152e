"""What a refused token means to whoever is not there to judge tokens: hooks, statuses, lists of repositories.

A single 401 may come from a proxy or a failing node, so it is asked about once more, plainly. A second one is definite.
"""

from collections.abc import Callable

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.errors import GitLabError, Unauthorized
from gitlab_hub.integrations.model import CredentialStatus
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.tokens.gitlab_api import TokenEndpoint
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.verification.outcome import with_credential_status


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
