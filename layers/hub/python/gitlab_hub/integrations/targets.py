"""Integrations as the sync engine sees them."""

from collections.abc import Callable, Iterable

from gitlab_hub.errors import NotFound
from gitlab_hub.integrations.care.tokens import CredentialTokens, Source, StoredTokens
from gitlab_hub.integrations.groups import Place, keep_group
from gitlab_hub.integrations.health import on_schedule, primary_of
from gitlab_hub.integrations.model import CredentialStatus, Holding
from gitlab_hub.integrations.outcome import judged_alone
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.sync.ports import Target
from gitlab_hub.sync.targets import Scheduled


class SyncTargets:
    """Fulfils the engine's port: what may sync, with which token, and what became of that token."""

    def __init__(self, store: IntegrationStore, now: Callable[[], float], source: Source | None = None) -> None:
        self._store, self._now, self._source = store, now, source or StoredTokens(store)
        self._tokens: dict[tuple[str, str], CredentialTokens] = {}

    def scheduled(self, ids: Iterable[str]) -> set[str]:
        """Those of these integrations that may sync on schedule, a hundred read together."""
        return {one.id for one in self._store.many(ids) if on_schedule(one)}

    def scheduled_page(self, after: str | None) -> Scheduled:
        """One page of all integrations that may, behind a position."""
        page, last = self._store.page(after)
        return Scheduled([one.id for one in page if on_schedule(one)], last)

    def target(self, integration_id: str) -> Target | None:
        """What to read; None where the integration is gone, paused or has no credential."""
        try:
            holding = self._store.holding(integration_id)
        except NotFound:
            return None
        credential = primary_of(holding)
        if credential is None or holding.integration.paused:
            return None
        return Target(
            integration_id=integration_id,
            credential_id=credential.id,
            base_url=holding.integration.host_url,
            user_id=credential.account.id,
            is_admin=credential.account.is_admin,
            group=holding.integration.group,
            group_id=holding.integration.group_id,
        )

    def tokens(self, target: Target) -> CredentialTokens:
        """Where the client gets this target's token."""
        tokens = CredentialTokens(self._source, target.integration_id, target.credential_id)
        self._tokens[(target.integration_id, target.credential_id)] = tokens
        return tokens

    def placed(self, target: Target, *, group_id: int, path: str) -> None:
        """GitLab says which group the target's is, and what it is called; no effect where it has another meanwhile."""
        asked = target.group if target.group_id is None else target.group_id
        if asked is not None:
            keep_group(self._store, target.integration_id, Place(asked, group_id, path))

    def rejected(self, target: Target) -> None:
        """GitLab definitely refuses the credential; no effect where it was replaced meanwhile."""
        self._judge(target, CredentialStatus.REJECTED)

    def accepted(self, target: Target) -> None:
        """GitLab takes the credential (again)."""
        self._judge(target, CredentialStatus.VALID)

    def _judge(self, target: Target, verdict: CredentialStatus) -> None:
        tokens = self._tokens.get((target.integration_id, target.credential_id))
        if tokens is None or tokens.version is None:
            return
        seen, now = tokens.version, int(self._now())

        def decide(before: Holding) -> Change | None:
            return judged_alone(before, target.credential_id, seen, verdict, now)

        try:
            self._store.change(target.integration_id, decide)
        except NotFound:
            return
