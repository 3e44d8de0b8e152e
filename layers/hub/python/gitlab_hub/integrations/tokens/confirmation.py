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
from gitlab_hub.integrations.verification.outcome import judged_alone


class RejectionCheck:
    """Marks a credential as rejected where GitLab refuses its newest token twice. All calls block."""

    def __init__(self, store: IntegrationStore, exchange: TokenEndpoint, now: Callable[[], float]) -> None:
        self._store, self._exchange, self._now = store, exchange, now

    def refused(self, held: LoadedCredential) -> None:
        """GitLab has refused this token, and there is no newer one."""
        if held.credential.status != CredentialStatus.VALID:
            return
        try:
            self._exchange.whoami(held.integration.host_url, held.tokens.access_token)
        except Unauthorized:
            self._reject(held)
        except GitLabError:
            return

    def _reject(self, held: LoadedCredential) -> None:
        one, now = held.credential, int(self._now())
        try:
            self._store.change(
                held.integration.id,
                lambda before: judged_alone(before, one.id, one.token_version, CredentialStatus.REJECTED, now),
            )
        except NotFound:
            return
