"""What happens to deliveries once they are kept, put together over its ports."""

import time
from collections.abc import Callable

from gitlab_hub.storage.queue import OrderedQueue
from gitlab_hub.storage.table import Table
from gitlab_hub.web.auth import IntegrationGuard
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.webhooks.delivery_log import DeliveryLog
from gitlab_hub.webhooks.delivery_routes import DeliveryRoutes, Visible
from gitlab_hub.webhooks.delivery_store import DeliveryStore
from gitlab_hub.webhooks.found_pushes import FoundPushes
from gitlab_hub.webhooks.hook_store import HookStore
from gitlab_hub.webhooks.hooks.ref_book import RefBook
from gitlab_hub.webhooks.inbox import Inbox
from gitlab_hub.webhooks.ports import Builds, Hints, Notices, Standing
from gitlab_hub.webhooks.replaying import Replaying
from gitlab_hub.webhooks.sweeper import Sweeper
from gitlab_hub.webhooks.worker import DeliveryWorker, Scopes


class DeliveriesFeature:
    """The log, the worker and the sweeper of deliveries. `table` is the DeliveriesTable, `queue` its FIFO queue."""

    def __init__(self, *, table: Table, queue: OrderedQueue, now: Callable[[], float] = time.time) -> None:
        self._store, self._now = DeliveryStore(table), now
        self._inbox, self._hooks = Inbox(self._store, queue), HookStore(table)
        self._refs = RefBook(table)
        self.log = DeliveryLog(table)
        self.found = FoundPushes(self._inbox, now)

    def worker(self, *, scopes: Scopes, builds: Builds, hints: Hints, standing: Standing) -> DeliveryWorker:
        """The consumer of the queue."""
        return DeliveryWorker(
            store=self._store,
            hooks=self._hooks,
            scopes=scopes,
            refs=self._refs,
            builds=builds,
            hints=hints,
            standing=standing,
            now=self._now,
        )

    def sweeper(self, notices: Notices) -> Sweeper:
        """What looks every minute for deliveries that were forgotten."""
        return Sweeper(store=self._store, inbox=self._inbox, notices=notices, now=self._now)

    def routes(self, *, guard: IntegrationGuard, visible: Visible, cursors: Cursors) -> DeliveryRoutes:
        """The part of the API that shows deliveries."""
        replaying = Replaying(self._store, self._inbox, self._now)
        return DeliveryRoutes(log=self.log, replaying=replaying, guard=guard, visible=visible, cursors=cursors)
