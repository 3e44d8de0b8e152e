from functools import partial

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.worker import Area, PurgeBook, Purger
from gitlab_hub.webhooks.deliveries.store import delivery_partitions
from tests.fakes.queue import MemoryQueue
from tests.fakes.table import MemoryTable
from tests.functional.webhooks.deliveries_hub import PUSH, DeliveriesHub, a_hook


def test_a_removed_integration_leaves_no_delivery_behind() -> None:
    mine, other = a_hook("1"), a_hook("2", "int_other")
    hub = DeliveriesHub(mine, other)
    for number in range(1, 30):
        hub.now += 1
        hub((mine, other)[number % 2], PUSH | {"user_id": number})
    areas = [Area(hub.table, partial(delivery_partitions, hub.table))]
    locks = PurgeBook(MemoryTable(), Kind.ACCESS)
    purger = Purger(areas=areas, queue=MemoryQueue(), book=locks, now=lambda: hub.now)
    purger.handle({"schema": 1, "purge": mine.integration_id}, remaining=lambda: 60.0)
    assert {row["integration_id"] for row in hub.rows()} == {"int_other"}
    assert len(hub.rows()) == 15
