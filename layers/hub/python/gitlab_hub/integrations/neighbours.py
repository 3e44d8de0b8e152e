"""Who else uses the same GitLab user, whose allowance of requests is shared."""

from gitlab_hub.integrations.model import Account, Credential
from gitlab_hub.integrations.store import IntegrationStore


class Neighbours:
    """Looks around among the integrations."""

    def __init__(self, store: IntegrationStore) -> None:
        self._store = store

    def share(self, host_url: str, account: Account, *, integration_id: str = "", credential_id: str = "") -> bool:
        """Say whether another credential than the one named belongs to the same user of the same GitLab."""
        others = (one for one in self._store.after(None) if one.id != integration_id and one.host_url == host_url)
        if any(one.account.id == account.id for one in others):
            return True
        return any(one.id != credential_id and one.account.id == account.id for one in self._siblings(integration_id))

    def _siblings(self, integration_id: str) -> list[Credential]:
        if not self._store.exists(integration_id):
            return []
        return [one for one in self._store.holding(integration_id).credentials if one.live]
