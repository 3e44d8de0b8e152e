"""Clients for connected GitLabs, as other features ask for them."""

from collections.abc import Callable

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.address import Address, NetworkPolicy
from gitlab_hub.gitlab.client import ClientOptions, GitLab
from gitlab_hub.gitlab.clients import Reach
from gitlab_hub.gitlab.limits import Limiter
from gitlab_hub.integrations.care.held import Held
from gitlab_hub.integrations.care.tokens import CredentialTokens, Source
from gitlab_hub.integrations.health import primary_of
from gitlab_hub.integrations.model import CredentialStatus
from gitlab_hub.integrations.store import IntegrationStore

LimiterFor = Callable[[str, int], Limiter]
"""(origin, GitLab user id) → the share of that user's allowance."""

OpenClient = Callable[[Address, CredentialTokens, Limiter], GitLab]


class Clients:
    """Fulfils `gitlab.clients.GitLabs`."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        source: Source,
        limiter_for: LimiterFor,
        policy: NetworkPolicy,
        options: ClientOptions | None = None,
        open_client: OpenClient | None = None,
        refused: Callable[[Held], None] | None = None,
    ) -> None:
        self._store, self._source, self._limiter_for = store, source, limiter_for
        self._policy, self._options, self._refused = policy, options, refused
        self._open_client = open_client or self._client

    def reach(self, integration_id: str) -> Reach | None:
        """What is known of an integration; None where it is gone or has no credential."""
        try:
            holding = self._store.holding(integration_id)
        except NotFound:
            return None
        integration, credential = holding.integration, primary_of(holding)
        if credential is None:
            return None
        return Reach(
            integration_id=integration_id,
            credential_id=credential.id,
            base_url=integration.host_url,
            user_id=credential.account.id,
            is_admin=credential.account.is_admin,
            group=integration.group,
            group_id=integration.group_id,
            gitlab_version=integration.gitlab_version,
            paused=integration.paused,
            credential_works=credential.status == CredentialStatus.VALID,
            manage_webhooks=integration.features.manage_webhooks,
            report_statuses=integration.features.report_statuses,
        )

    def open(self, reach: Reach) -> GitLab:
        """A client with the integration's own token. Raises InvalidUrl or HostNotAllowed, as rules change."""
        address = Address.vetted(reach.base_url, self._policy)
        tokens = CredentialTokens(self._source, reach.integration_id, reach.credential_id, refused=self._refused)
        return self._open_client(address, tokens, self._limiter_for(address.origin, reach.user_id))

    def _client(self, address: Address, tokens: CredentialTokens, limiter: Limiter) -> GitLab:
        return GitLab(address, tokens, policy=self._policy, limiter=limiter, options=self._options)
