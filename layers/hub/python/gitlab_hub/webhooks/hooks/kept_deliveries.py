"""What the hub has received, looked up by what GitLab records of a delivery."""

import hashlib

from gitlab_hub.ids import owned_id, owner_of
from gitlab_hub.storage.table import Table


class KeptDeliveries:
    """Knows deliveries by their hook and dedupe key, as the receiver names them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def known(self, hook_id: str, key: str) -> bool:
        """Whether a delivery with this `Idempotency-Key` was kept, in whatever state it is."""
        integration_id = owner_of(hook_id)
        if integration_id is None:
            return False
        unique = hashlib.sha256(f"{hook_id}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return self._table.get(f"DELIVERY#{owned_id('dlv', integration_id, unique)}", "DELIVERY") is not None
