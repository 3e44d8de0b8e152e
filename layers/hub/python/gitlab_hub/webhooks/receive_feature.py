"""The receiving side put together over its ports: the receiver alone, because its function starts with nothing else."""

import time
from collections.abc import Callable

from gitlab_hub.storage.queue import OrderedQueue
from gitlab_hub.storage.table import Table
from gitlab_hub.webhooks.delivery_store import DeliveryStore
from gitlab_hub.webhooks.gate import FindableSecrets, Gate
from gitlab_hub.webhooks.hook_store import HookStore
from gitlab_hub.webhooks.inbox import Inbox
from gitlab_hub.webhooks.ports import Notices, Standing
from gitlab_hub.webhooks.receiver import Receiver


class ReceiveFeature:
    """Taking deliveries in. `table` is the DeliveriesTable; nothing is read or sent by putting this together."""

    def __init__(
        self,
        *,
        table: Table,
        queue: OrderedQueue,
        secrets: FindableSecrets,
        standing: Standing,
        notices: Notices,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.receiver = Receiver(
            gate=Gate(HookStore(table), secrets),
            inbox=Inbox(DeliveryStore(table), queue),
            standing=standing,
            notices=notices,
            now=now,
            clock=clock,
        )
