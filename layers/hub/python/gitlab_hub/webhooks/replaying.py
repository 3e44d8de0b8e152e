"""Having a delivery worked on again."""

import time
from collections.abc import Callable

from gitlab_hub.errors import NotFound
from gitlab_hub.webhooks.delivery_model import Delivery
from gitlab_hub.webhooks.delivery_store import DeliveryStore
from gitlab_hub.webhooks.inbox import Inbox


class Replaying:
    """Begins another round of decisions about a delivery; builds are claimed by commit, so none is made twice."""

    def __init__(self, store: DeliveryStore, inbox: Inbox, now: Callable[[], float] = time.time) -> None:
        self._store, self._inbox, self._now = store, inbox, now

    def require(self, delivery_id: str) -> Delivery:
        """One delivery. Raises NotFound."""
        delivery = self._store.get(delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery.")
        return delivery

    def replay(self, delivery_id: str) -> Delivery:
        """Make a delivery pending again and send it; where sending fails, the sweeper does it. Raises NotFound."""
        delivery = self._inbox.reopen(delivery_id, now=self._now())
        if delivery is None:
            raise NotFound("There is no such delivery.")
        self._inbox.send(delivery)
        return delivery
