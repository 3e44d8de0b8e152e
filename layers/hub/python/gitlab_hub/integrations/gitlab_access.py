"""Clients for connected GitLabs, as other features ask for them."""

from collections.abc import Callable, Iterable

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.client import ClientOptions, GitLab
from gitlab_hub.gitlab.clients import GitLabConnection
from gitlab_hub.gitlab.limits import Limiter
from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.groups import Place, keep_group
from gitlab_hub.integrations.health import on_schedule, primary_credential_of
from gitlab_hub.integrations.model import CredentialStatus, IntegrationWithCredentials
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.tokens.loaded_credential import LoadedCredential
from gitlab_hub.integrations.tokens.source import CredentialTokens, StoredTokens, TokenSource
from gitlab_hub.integrations.verification.outcome import with_credential_status
from gitlab_hub.sync.ports import Scheduled, SyncTarget

LimiterFor = Callable[[str, int], Limiter]
"""(base URL, GitLab user id) → the share of that user's allowance."""

OpenClient = Callable[[Address, CredentialTokens, Limiter], GitLab]


class GitLabClients:
    """Fulfils `gitlab.clients.GitLabs`."""

    def __init__(
        self,
        *,
        store: IntegrationStore,
        source: TokenSource,
        limiter_for: LimiterFor,
        policy: NetworkPolicy,
        options: ClientOptions | None = None,
        open_client: OpenClient | None = None,
        refused: Callable[[LoadedCredential], None] | None = None,
    ) -> None:
        self._store, self._source, self._limiter_for = store, source, limiter_for
        self._policy, self._options, self._refused = policy, options, refused
        self._open_client = open_client or self._client

    def connection(self, integration_id: str) -> GitLabConnection | None:
        """What is known of an integration; None where it is gone or has no credential."""
        try:
            holding = self._store.holding(integration_id)
        except NotFound:
            return None
        integration, credential = holding.integration, primary_credential_of(holding)
        if credential is None:
            return None
        return GitLabConnection(
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
            provisioning=integration.features.provisioning,
            scopes=credential.scopes,
        )

    def open(self, connection: GitLabConnection) -> GitLab:
        """A client with the integration's own token. Raises InvalidUrl or HostNotAllowed, as rules change."""
        address = self._policy.vetted(connection.base_url)
        tokens = CredentialTokens(
            self._source, connection.integration_id, connection.credential_id, refused=self._refused
        )
        return self._open_client(address, tokens, self._limiter_for(address.base_url, connection.user_id))

    def _client(self, address: Address, tokens: CredentialTokens, limiter: Limiter) -> GitLab:
        return GitLab(address, tokens, policy=self._policy, limiter=limiter, options=self._options)


# Integrations as the sync engine sees them.


class SyncTargets:
    """Fulfils the engine's port: what may sync, with which token, and what became of that token."""

    def __init__(self, store: IntegrationStore, now: Callable[[], float], source: TokenSource | None = None) -> None:
        self._store, self._now, self._source = store, now, source or StoredTokens(store)
        self._tokens: dict[tuple[str, str], CredentialTokens] = {}

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """Those of these integrations that may sync on schedule, a hundred read together."""
        return {one.id for one in self._store.many(ids) if on_schedule(one)}

    def scheduled_page(self, after: str | None) -> Scheduled:
        """One page of all integrations that may, behind a position."""
        page, last = self._store.page(after)
        return Scheduled([one.id for one in page if on_schedule(one)], last)

    def target(self, integration_id: str) -> SyncTarget | None:
        """What to read; None where the integration is gone, paused or has no credential."""
        try:
            holding = self._store.holding(integration_id)
        except NotFound:
            return None
        credential = primary_credential_of(holding)
        if credential is None or holding.integration.paused:
            return None
        return SyncTarget(
            integration_id=integration_id,
            credential_id=credential.id,
            base_url=holding.integration.host_url,
            user_id=credential.account.id,
            is_admin=credential.account.is_admin,
            group=holding.integration.group,
            group_id=holding.integration.group_id,
        )

    def tokens(self, target: SyncTarget) -> CredentialTokens:
        """Where the client gets this target's token."""
        tokens = CredentialTokens(self._source, target.integration_id, target.credential_id)
        self._tokens[(target.integration_id, target.credential_id)] = tokens
        return tokens

    def store_group(self, target: SyncTarget, *, group_id: int, path: str) -> None:
        """GitLab says which group the target's is, and what it is called; no effect where it has another meanwhile."""
        asked = target.group if target.group_id is None else target.group_id
        if asked is not None:
            keep_group(self._store, target.integration_id, Place(asked, group_id, path))

    def mark_rejected(self, target: SyncTarget) -> None:
        """GitLab definitely refuses the credential; no effect where it was replaced meanwhile."""
        self._judge(target, CredentialStatus.REJECTED)

    def mark_valid(self, target: SyncTarget) -> None:
        """GitLab takes the credential (again)."""
        self._judge(target, CredentialStatus.VALID)

    def _judge(self, target: SyncTarget, verdict: CredentialStatus) -> None:
        tokens = self._tokens.get((target.integration_id, target.credential_id))
        if tokens is None or tokens.version is None:
            return
        seen, now = tokens.version, int(self._now())

        def decide(before: IntegrationWithCredentials) -> Change | None:
            return with_credential_status(before, target.credential_id, seen, verdict, now)

        try:
            self._store.change(target.integration_id, decide)
        except NotFound:
            return
