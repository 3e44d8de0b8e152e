"""What happens to deliveries once they are kept, put together over its ports."""

import time
from collections.abc import Callable
from functools import cached_property

from gitlab_hub.storage.ports import OrderedQueue, Table
from gitlab_hub.webhooks.deliveries.ports import Builds, DeliveryMetrics, Hints, IntegrationState
from gitlab_hub.webhooks.deliveries.service import DeliveryReplay, DeliveryService, SynthesizedPushes
from gitlab_hub.webhooks.deliveries.store import DeliveryStore
from gitlab_hub.webhooks.deliveries.worker import DeliveryWorker, RequeueJob, Scopes
from gitlab_hub.webhooks.hooks.ref_snapshots import RefSnapshots
from gitlab_hub.webhooks.hooks.store import HookStore


class DeliveriesFeature:
    """The worker and the requeue job of deliveries. `table` is the DeliveriesTable, `queue` its FIFO queue."""

    def __init__(self, *, table: Table, queue: OrderedQueue, now: Callable[[], float] = time.time) -> None:
        self._store, self._now = DeliveryStore(table), now
        self._deliveries, self._hooks = DeliveryService(self._store, queue), HookStore(table)
        self._refs = RefSnapshots(table)
        self.synthesized_pushes = SynthesizedPushes(self._deliveries, now)

    def worker(self, *, scopes: Scopes, builds: Builds, hints: Hints, states: IntegrationState) -> DeliveryWorker:
        """The consumer of the queue."""
        return DeliveryWorker(
            store=self._store,
            hooks=self._hooks,
            scopes=scopes,
            refs=self._refs,
            builds=builds,
            hints=hints,
            states=states,
            now=self._now,
        )

    def requeue_job(self, metrics: DeliveryMetrics) -> RequeueJob:
        """What looks every minute for deliveries that were forgotten."""
        return RequeueJob(store=self._store, deliveries=self._deliveries, metrics=metrics, now=self._now)

    @cached_property
    def replay(self) -> DeliveryReplay:
        """What has a delivery worked on again because somebody asks for it."""
        return DeliveryReplay(self._store, self._deliveries, self._now)
