"""What the hub has received, looked up by what GitLab records of a delivery."""

from gitlab_hub.ids import owner_of
from gitlab_hub.storage.table import Table
from gitlab_hub.webhooks.delivery_model import id_of_delivery
from gitlab_hub.webhooks.delivery_store import DeliveryStore


class KeptDeliveries:
    """Knows deliveries by their hook and dedupe key, as the receiver names them."""

    def __init__(self, table: Table) -> None:
        self._store = DeliveryStore(table)

    def known(self, hook_id: str, key: str) -> bool:
        """Whether a delivery with this `Idempotency-Key` was kept, in whatever state it is."""
        integration_id = owner_of(hook_id)
        if integration_id is None:
            return False
        return self._store.get(id_of_delivery(integration_id, hook_id, key)) is not None
