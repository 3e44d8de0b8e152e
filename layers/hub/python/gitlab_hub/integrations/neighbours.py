"""Who else uses the same GitLab user, whose allowance of requests is shared."""

from gitlab_hub.integrations.model import Account
from gitlab_hub.integrations.store import IntegrationStore


class Neighbours:
    """Looks around among the integrations."""

    def __init__(self, store: IntegrationStore) -> None:
        self._store = store

    def share(self, host_url: str, account: Account, *, integration_id: str = "", credential_id: str = "") -> bool:
        """Say whether another credential than the one named belongs to the same user of the same GitLab."""
        return self._store.shares_user(host_url, account.id, besides=(integration_id, credential_id))
